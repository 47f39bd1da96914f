import { z } from "zod";
import { experimentSchema } from "#core/experiment";

const reward = {
	learn: "windowClose",
	window: "1h",
	default: 0.5,
	combine: "max",
	range: [-1, 2],
	outcomes: [{ type: "play", value: 0.25, within: "10m" }, { type: "save" }],
};

/** Experiments as their owners write them, which together use every field that an experiment can have. */
export const everyField: readonly Record<string, unknown>[] = [
	{
		key: "every-field",
		name: "Every field?",
		hypothesis: "What can be written comes back.",
		owner: "growth",
		arms: [
			{
				key: "focus",
				payload: { text: "Focus", recipe: { energy: [0, 0.35] } },
				tags: ["calm"],
				features: [1, 0.5],
			},
			{
				key: "energy",
				payloads: [{ when: "context.tempo > 100.0", payload: { text: "Up" } }],
				eligible: 'context.activity != "sleep"',
				features: [0, 2],
				state: "paused",
			},
		],
		context: {
			intercept: false,
			enrichBudgetMs: 15,
			features: [
				{
					name: "tempo",
					from: "request",
					kind: "number",
					mean: 120,
					scale: 30,
					alarm: { psi: 0.5, missing: 0.1 },
				},
				{
					name: "device",
					from: "request",
					kind: "category",
					levels: ["phone", "tv"],
					missing: "mean",
					mean: { phone: 0.75 },
					alarm: { unseen: 0.1 },
				},
				{
					name: "saving",
					from: "request",
					kind: "boolean",
					hint: "saveData",
					missing: "mean",
					mean: 0.25,
				},
				{
					name: "hour",
					from: "request",
					kind: "cyclic",
					period: 24,
					missing: "mean",
					mean: 8,
				},
				{
					name: "local",
					from: "request",
					kind: "timeOfDay",
					missing: "mean",
					mean: 8.5,
				},
				{
					name: "activity",
					from: "request",
					kind: "attribute",
					type: "text",
					values: ["sleep", "work"],
				},
				{
					name: "taste",
					from: "profile",
					kind: "vector",
					length: 2,
					consent: "personalization",
					missing: "mean",
					mean: [0, 0.5],
				},
				{ name: "loyalty", from: "profile", kind: "number" },
				{ name: "track", from: "request", kind: "attribute", values: [] },
				{
					name: "skips",
					from: "live",
					kind: "number",
					event: "skip",
					window: "5m",
					aggregate: "mean",
					of: "value",
					by: "item",
					item: "track",
				},
				{
					name: "focused",
					from: "live",
					kind: "number",
					event: "play",
					window: "5m",
					by: "arm",
					arm: "focus",
				},
				{
					name: "mood",
					from: "live",
					kind: "vector",
					length: 2,
					event: "play",
					window: "30m",
					by: "session",
				},
				{ name: "hour_of_device", kind: "product", of: ["hour", "device"] },
			],
		},
		policy: {
			kind: "hybrid-linucb",
			alpha: 1,
			ridge: 2,
			explore: 0.1,
			halfLife: "14d",
		},
		reward,
		traffic: { share: 0.5, control: 0.2, baseline: "focus" },
		guardrails: [
			{ metric: "skip_rate", max: 0.35, min: 0, action: "pause", within: "1m" },
			{
				metric: "dislikes",
				versus: "control",
				margin: 0.01,
				action: "control",
				firstLook: { decisions: 200, units: 150 },
			},
		],
		sticky: "unit",
		metrics: {
			primary: {
				metric: "reward",
				smallestEffect: 0.02,
				plannedUnits: 20_000,
				spread: 0.4,
			},
			secondary: ["click_rate", "dislikes"],
			define: [
				{
					name: "dislikes",
					event: "dislike",
					per: "impression",
					count: "each",
					within: "30s",
					cap: 3,
					unit: "dislikes",
					better: "lower",
				},
			],
		},
		segments: ["device", "saving"],
		covariate: "loyalty",
		schedule: { start: "2026-12-01T08:00:00Z", stop: "2026-12-15T08:00:00Z" },
	},
	{
		key: "expected-rate",
		arms: [{ key: "a" }],
		policy: { kind: "fixed", arm: "a", slidingWindow: "12h" },
		reward,
		traffic: { control: 0.5 },
		metrics: {
			primary: {
				metric: "click_rate",
				smallestEffect: 0.01,
				plannedUnits: 4_000,
				expected: 0.2,
			},
		},
	},
	...["thompson", "linucb", "uniform"].map((kind) => ({
		key: kind,
		arms: [{ key: "a" }],
		policy: {
			kind,
			...(kind !== "uniform" && { alpha: 0.25 }),
			ridge: 1.5,
			explore: 0.2,
			halfLife: "2d",
			slidingWindow: "4d",
		},
		reward,
	})),
];

interface Node {
	readonly properties?: Readonly<Record<string, Node>>;
	readonly items?: Node;
	readonly anyOf?: readonly Node[];
	readonly oneOf?: readonly Node[];
}

/** Every field of the schema by its path, such as `context.features.alarm.psi`; lists and alternatives add nothing to it. */
export function fieldsOfSchema(): readonly string[] {
	const schema = z.toJSONSchema(experimentSchema, { io: "input" }) as Node;
	return [...new Set(fieldsOf(schema, ""))].sort();
}

function fieldsOf(node: Node, path: string): string[] {
	const within = [
		node.items ?? [],
		node.anyOf ?? [],
		node.oneOf ?? [],
	].flat() as Node[];
	return [
		...within.flatMap((part) => fieldsOf(part, path)),
		...Object.entries(node.properties ?? {}).flatMap(([name, part]) => {
			const field = path === "" ? name : `${path}.${name}`;
			return [field, ...fieldsOf(part, field)];
		}),
	];
}

/** The fields that a document uses, by the same paths. */
export function fieldsUsed(document: unknown, path = ""): readonly string[] {
	if (Array.isArray(document))
		return document.flatMap((item) => fieldsUsed(item, path));
	if (typeof document !== "object" || document === null) return [];
	return Object.entries(document).flatMap(([name, value]) => {
		const field = path === "" ? name : `${path}.${name}`;
		return [field, ...fieldsUsed(value, field)];
	});
}
