/** A small experiment as its owner writes it. */
export const document = {
	key: "morning",
	name: "Which prompt opens the morning?",
	arms: [
		{ key: "focus", payload: { text: "Something to focus on" } },
		{ key: "energy", payload: { text: "Wake up" } },
	],
	context: {
		features: [{ name: "hour", from: "request", kind: "cyclic", period: 24 }],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.05 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 0.25 }],
	},
	traffic: { share: 1, control: 0.1, baseline: "uniform" },
};
