/** A small experiment as a product manager writes it; tests change single words of it. */
export const experiment = (key: string) => `key: ${key}
name: Which prompt?
arms:
  - { key: a, payload: { text: A } }
  - { key: b, payload: { text: B }, eligible: 'context.device != "speaker"' }
context:
  features:
    - { name: tempo, from: request, kind: number, mean: 120, scale: 30 }
    - { name: device, from: request, kind: category, levels: [phone, desktop, speaker] }
policy: { kind: linucb, alpha: 0.5, explore: 0.1 }
reward:
  window: 30m
  range: [-1, 2]
  outcomes:
    - { type: play, value: 0.3 }
    - { type: skip, value: -0.2, within: 30s }
traffic: { share: 1, control: 0.2, baseline: uniform }
`;
