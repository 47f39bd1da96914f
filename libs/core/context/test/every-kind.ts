import type { ContextSchema } from "#core/experiment";

/** A feature of every kind and source; one needs consent. */
export const schema: ContextSchema = {
	intercept: true,
	features: [
		{ name: "hour", from: "request", kind: "cyclic", period: 24 },
		{
			name: "device",
			from: "request",
			kind: "category",
			levels: ["phone", "desktop"],
		},
		{ name: "headphones", from: "request", kind: "boolean" },
		{
			name: "activity",
			from: "request",
			kind: "attribute",
			values: ["sleep", "run"],
		},
		{ name: "tempo", from: "request", kind: "number", mean: 120, scale: 30 },
		{
			name: "skips",
			from: "live",
			kind: "number",
			mean: 0,
			scale: 5,
			live: { event: "skip", windowMs: 30_000, aggregate: "count", by: "unit" },
		},
		{
			name: "taste",
			from: "profile",
			kind: "vector",
			length: 2,
			consent: "personalization",
		},
	],
};
