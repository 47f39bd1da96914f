import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type { Experiment, JsonObject, Policy } from "#core/experiment";
import { addObservation, emptySums } from "#core/policy";
import { seededRandom } from "../../../../test/support/random.js";
import { Decide, type Explanation, PosteriorCache } from "../src/index.js";
import { DAY, definition, experiment } from "./definitions.js";

const seed = Number(process.env.SEED ?? 20261127);
const TODAY = 20_000;
const DECISIONS = 60;

const context: Experiment["context"] = {
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
			name: "tempo",
			from: "request",
			kind: "number",
			mean: 120,
			scale: 30,
			missing: "indicator",
		},
		{ name: "taste", from: "request", kind: "vector", length: 3 },
		{ name: "alone", from: "request", kind: "boolean" },
		{
			name: "device×alone",
			from: "product",
			kind: "product",
			of: ["device", "alone"],
		},
	],
};
const names = ["intercept", ...context.features.map(({ name }) => name)];
/** What a value is, and of what else it is part. */
const partsOf: { readonly [name: string]: readonly string[] } = {
	hour: ["hour"],
	device: ["device", "device×alone"],
	taste: ["taste"],
	alone: ["alone", "device×alone"],
};

const kinds = ["linucb", "hybrid-linucb", "thompson", "uniform"] as const;
const forgetting: Record<string, Partial<Policy>> = {
	"that never forgets": {},
	"with a half-life": { halfLifeMs: 16 * DAY },
	"in a sliding window": { slidingWindowMs: 16 * DAY },
	"with both": { halfLifeMs: 16 * DAY, slidingWindowMs: 40 * DAY },
};
const policies = [
	...kinds.flatMap((kind) =>
		Object.entries(forgetting).map(([how, forgets]) => ({
			name: `${kind} ${how}`,
			policy: { kind, alpha: 0.5, ridge: 0.5, explore: 0.1, ...forgets },
		})),
	),
	{
		name: "a fixed arm",
		policy: { kind: "fixed", arm: "calm", ridge: 1, explore: 0.1 },
	},
] as { name: string; policy: Policy }[];

/** A decider that learned of every arm but `run`, in contexts of 40 days, and what asks it without a draw. */
async function decider(policy: Policy, random: () => number) {
	const clock = new MemoryClock(TODAY * DAY);
	const source = new MemoryPosteriorSource();
	const arms = experiment.arms.map(({ key, payload, tags }, a) => ({
		key,
		payload,
		tags,
		features: [1, a / 2 - 0.5],
	}));
	const current = definition({}, { context, policy, arms });
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const { d, encode } = compileEncoder(context);
	for (let i = 0; i < 120; i++) {
		const sums = emptySums(d);
		addObservation(sums, d, encode(contextBy(random)).x, 1, random() * 2 - 0.5);
		const arm = ["focus", "energy", "calm"][i % 3] as string;
		const bucket = TODAY - Math.floor(i / 3);
		source.learn(experiment.key, 1, [{ arm, bucket, sums }]);
	}
	await posteriors.poll();
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live: new MemoryLive(),
			ids: new MemoryIds(clock),
			log: new MemoryDecisionLog(),
		},
		1_000,
	);
	return async (asked: JsonObject, mode?: "best") => {
		const { explanation } = await decide.execute({
			experiment: experiment.key,
			unit: `listener-${Math.floor(random() * 100)}`,
			context: asked,
			explain: true,
			...(mode && { mode }),
		});
		return (explanation as Explanation).arms;
	};
}

function contextBy(random: () => number): JsonObject {
	const between = (low: number, high: number) => low + (high - low) * random();
	return {
		hour: between(0, 24),
		device: ["phone", "desktop", "watch"][Math.floor(random() * 3)] as string,
		...(random() < 0.8 && { tempo: between(60, 200) }),
		taste: [between(-2, 2), between(-2, 2), between(-2, 2)],
		alone: random() < 0.7,
	};
}

describe.each(policies)(
	`the contributions to a mean under $name (SEED=${seed})`,
	({ policy }) => {
		it("are one for each encoded feature and the intercept, and sum to the mean of each arm, that of one never tried too", async () => {
			const random = seededRandom(seed);
			const ask = await decider(policy, random);
			let largest = 0;
			for (let i = 0; i < DECISIONS; i++)
				for (const { arm, mean, contributions } of await ask(
					contextBy(random),
				)) {
					expect(contributions.map(({ name }) => name)).toEqual(names);
					const total = contributions.reduce(
						(sum, { value }) => sum + value,
						0,
					);
					expect(
						Math.abs(total - (mean as number)),
						`${arm}: ${total} of ${mean}`,
					).toBeLessThanOrEqual(1e-12);
					largest = Math.max(largest, Math.abs(mean as number));
				}
			expect(largest).toBeGreaterThan(0.2);
		});

		it("are what the mean loses where the feature's value is left out", async () => {
			const random = seededRandom(seed + 1);
			const ask = await decider(policy, random);
			let moved = 0;
			for (let i = 0; i < 10; i++) {
				const asked = contextBy(random);
				const whole = await ask(asked, "best");
				for (const [name, parts] of Object.entries(partsOf)) {
					const { [name]: _, ...rest } = asked;
					const without = await ask(rest, "best");
					whole.forEach(({ mean, contributions }, a) => {
						const lost = (mean as number) - (without[a]?.mean as number);
						const said = contributions
							.filter((one) => parts.includes(one.name))
							.reduce((sum, { value }) => sum + value, 0);
						expect(Math.abs(lost - said), name).toBeLessThanOrEqual(1e-12);
						moved = Math.max(moved, Math.abs(lost));
					});
				}
			}
			expect(moved).toBeGreaterThan(0.05);
		});
	},
);
