import { type Experiment, parseExperiment } from "../src/index.js";

const features = [
	{ name: "device", from: "request", kind: "category", levels: ["a", "b"] },
	{ name: "headphones", from: "request", kind: "boolean" },
	{ name: "tempo", from: "request", kind: "number" },
	{ name: "loyalty", from: "profile", kind: "number" },
];

/** A document to be judged by this and that. */
export const document = {
	key: "judged",
	arms: [{ key: "a" }, { key: "b" }],
	context: { features },
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.1 },
};
export const primary = {
	metric: "reward",
	smallestEffect: 0.02,
	plannedUnits: 20_000,
	spread: 0.4,
};
export const dislikes = { name: "dislikes", event: "dislike" };

export const parse = (change: object) =>
	parseExperiment({ ...document, ...change });
export function parsed(raw: unknown): Experiment {
	const result = parseExperiment(raw);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}
export const without = (raw: object, key: string) =>
	Object.fromEntries(Object.entries(raw).filter(([name]) => name !== key));
export function said(change: object): string[] {
	const result = parse(change);
	const list = result.ok ? result.warnings : result.problems;
	return list.map(({ path, message }) => `${path}: ${message}`);
}
