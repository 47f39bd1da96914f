import type { Definition, Experiment } from "#core/experiment";

export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** Four arms, two of them under rules; every source of features; uniform control, so nobody is outside unless a test says so. */
export const experiment: Experiment = {
	key: "morning-prompt",
	name: "Which prompt opens the morning?",
	hypothesis: "Energy-matched prompts raise plays.",
	owner: "growth",
	arms: [
		{ key: "focus", payload: { text: "Something to focus on" }, tags: [] },
		{
			key: "energy",
			payload: { text: "Wake up" },
			tags: [],
			eligible: 'context.activity != "sleep"',
		},
		{ key: "calm", payload: { text: "Slow down" }, tags: [] },
		{
			key: "run",
			payload: { text: "Run" },
			tags: [],
			eligible: 'context.activity == "run"',
		},
	],
	context: {
		intercept: true,
		features: [
			{ name: "hour", from: "request", kind: "cyclic", period: 24 },
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "desktop"],
			},
			{
				name: "activity",
				from: "request",
				kind: "attribute",
				values: ["sleep", "work", "run"],
			},
			{
				name: "skips30s",
				from: "live",
				kind: "number",
				mean: 0,
				scale: 5,
				live: {
					event: "skip",
					windowMs: 30_000,
					aggregate: "count",
					by: "unit",
				},
			},
			{
				name: "taste",
				from: "request",
				kind: "number",
				mean: 0,
				scale: 1,
				consent: "personalization",
			},
			{
				name: "loyalty",
				from: "profile",
				kind: "number",
				mean: 0,
				scale: 1,
			},
		],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 },
	reward: {
		learn: "impression",
		windowMs: 30 * MINUTE,
		default: 0,
		combine: "sum",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 1 }],
	},
	traffic: { share: 1, control: 0.2, baseline: "uniform" },
	guardrails: [],
};

/** Coordinates of x in `experiment`: intercept, hour (2), device (2), skips30s, taste, loyalty. */
export const D = 8;

export function definition(
	change: Partial<Definition> = {},
	experimentChange: Partial<Experiment> = {},
): Definition {
	return {
		id: 1,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "5e".repeat(32),
		bucketMs: DAY,
		...change,
		experiment: { ...experiment, ...change.experiment, ...experimentChange },
	};
}
