import { type PrivacyPolicy, parsePrivacy } from "#core/privacy";

/** Places with a rule each; a unit that is nowhere is where a yes is needed. */
export const privacyYaml = `
purposes:
  personalization: What the listener likes.
  location: Where the listener is.
default: asks
jurisdictions:
  asks: { optIn: [all] }
  lets: { optIn: [] }
  forbids:
    optIn: []
    forbidden: { purposes: [personalization, location] }
  bars:
    optIn: []
    forbidden: { features: [battery] }
  ages:
    optIn: [all]
    age: { minimum: 16 }
`;

export function privacyOf(text: string = privacyYaml): PrivacyPolicy {
	const parsed = parsePrivacy([{ name: "test.yaml", text }]);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, null, 1));
	return parsed.value;
}
