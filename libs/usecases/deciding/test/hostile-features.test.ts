import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { layOut } from "#core/context";
import type { Experiment, JsonObject, Policy } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import { SegueError } from "#usecases/errors";
import { seededRandom } from "../../../../test/support/random.js";
import {
	Decide,
	type DrawnDecision,
	type ExplainedArm,
	PosteriorCache,
} from "../src/index.js";
import { DAY, definition, experiment } from "./definitions.js";

const seed = Number(process.env.SEED ?? 20261127);
/** The smallest λ and the largest α that a definition may have. */
const [RIDGE, ALPHA] = [2 ** -12, 1_000];
/** Of one commit: as many as fit a bucket exactly, at worst. */
const MOST_OBSERVATIONS = 2 ** 23;
const TODAY = 20_000;

/** Coordinates: intercept, tempo, age (2 with its indicator), alone, always, never, and the vector's. */
const contextOf = (d: number): Experiment["context"] => ({
	intercept: true,
	features: [
		{
			name: "tempo",
			from: "request",
			kind: "number",
			mean: 1e308,
			scale: 1e-300,
		},
		{
			name: "age",
			from: "request",
			kind: "number",
			mean: 0,
			scale: 1e308,
			missing: "indicator",
		},
		{ name: "alone", from: "request", kind: "boolean" },
		{ name: "always", from: "request", kind: "number", mean: 0, scale: 1 },
		{ name: "never", from: "request", kind: "number", mean: 0, scale: 1 },
		{ name: "taste", from: "request", kind: "vector", length: d - 7 },
	],
});

const kinds = ["linucb", "hybrid-linucb", "thompson", "uniform"] as const;
const scenes = kinds.flatMap((kind) =>
	[8, 256].flatMap((d) =>
		[{}, { halfLifeMs: 17 * DAY }].map((forgets) => ({
			kind,
			d,
			forgets: "halfLifeMs" in forgets ? "with a half-life" : "for ever",
			policy: { kind, alpha: ALPHA, ridge: RIDGE, explore: 0.1, ...forgets },
		})),
	),
);

/** A decider whose arms learn what a test says, of the very x of rows. */
async function decider(policy: Policy, d: number) {
	const clock = new MemoryClock(TODAY * DAY);
	const source = new MemoryPosteriorSource();
	// As many shared coordinates as a hybrid may have.
	const shared = Math.min(256 / d, 8);
	const arms = experiment.arms.map(({ key, payload, tags }, a) => ({
		key,
		payload,
		tags,
		features: Array.from(
			{ length: shared },
			(_, j) => [1_000, 0, -1_000, 1e-3][(a + j) % 4] as number,
		),
	}));
	const context = contextOf(d);
	const current = definition({}, { policy, arms, context });
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	await posteriors.poll();
	const log = new MemoryDecisionLog();
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live: new MemoryLive(),
			ids: new MemoryIds(clock),
			log,
		},
		1_000,
	);
	let learned = 0;
	return {
		log,
		context,
		ask: (context: JsonObject) =>
			decide.execute({
				experiment: experiment.key,
				unit: "listener-1",
				context,
				explain: true,
			}) as Promise<DrawnDecision>,
		async learn(arm: string, { x }: DecisionRow, n: number, reward: number) {
			const sums = emptySums(d);
			addObservation(sums, d, x, n, n * reward);
			const bucket = TODAY - (learned++ % 40);
			source.learn(experiment.key, 1, [{ arm, bucket, sums }]);
			await posteriors.poll();
		},
	};
}

/** What a client may send: constant, all zero, collinear, far out of range, next to nothing. */
function hostile(random: () => number, length: number): JsonObject {
	const numbers = [0, 1, 1e308, -1e308, 1e-300, -1e-300, 5e-324, 2 ** -12, 8];
	const one = () => numbers[Math.floor(random() * numbers.length)] as number;
	const first = random() < 0.5 ? one() : 16 * random() - 8;
	const tastes = [
		() => 0,
		() => 8,
		() => first,
		(i: number) => (i % 2 === 0 ? first : -first / 2),
		() => one(),
		() => 16 * random() - 8,
	];
	const taste = tastes[Math.floor(random() * tastes.length)] as (
		i: number,
	) => number;
	return {
		tempo: one(),
		...(random() < 0.7 && { age: one() }),
		alone: true,
		always: 1,
		never: 0,
		taste: Array.from({ length }, (_, i) => taste(i)),
	};
}

function expectFinite(arm: ExplainedArm): void {
	const { mean, width, score, propensity, contributions } = arm;
	for (const value of [mean, width, score, propensity])
		expect(Number.isFinite(value), JSON.stringify(arm)).toBe(true);
	expect(width).toBeGreaterThanOrEqual(0);
	for (const { value } of contributions)
		expect(Number.isFinite(value)).toBe(true);
}

describe(`hostile features, λ = 2⁻¹² and α = 1,000 (SEED=${seed})`, () => {
	it.each(scenes)(
		"are decided by under $kind with d = $d, remembered $forgets: every posterior has its models, every number is finite, Σp = 1",
		{ timeout: 60_000 },
		async ({ kind, d, policy }) => {
			const random = seededRandom(seed);
			const { ask, learn, log, context } = await decider(policy as Policy, d);
			expect(layOut(context).d).toBe(d);
			const rounds = d < 256 ? 60 : kind === "hybrid-linucb" ? 8 : 24;
			for (let round = 0; round < rounds; round++) {
				const answer = await ask(hostile(random, d - 7));
				expect(answer.degraded).toEqual([]);
				expect(answer.revision).toBe(round);
				answer.explanation?.arms.forEach(expectFinite);
				const row = log.rows.at(-1) as DecisionRow;
				const total = row.propensities.reduce((sum, p) => sum + p, 0);
				expect(Math.abs(total - 1)).toBeLessThanOrEqual(1e-12);
				const n =
					random() < 0.5
						? MOST_OBSERVATIONS
						: Math.ceil(random() * MOST_OBSERVATIONS);
				const reward = [-8, 8, 0, 1][Math.floor(random() * 4)] as number;
				const arm = ["focus", "calm", answer.arm][round % 3] as string;
				await learn(arm, row, n, reward);
			}
		},
	);

	it.each([
		["NaN", { always: Number.NaN }, "context.always"],
		["infinity", { always: Number.POSITIVE_INFINITY }, "context.always"],
		["minus infinity", { tempo: Number.NEGATIVE_INFINITY }, "context.tempo"],
		["text", { never: "1e308" }, "context.never"],
		["a vector with a NaN", { taste: [Number.NaN] }, "context.taste"],
		["a vector of another length", { taste: [1, 2] }, "context.taste"],
		["a vector of 257", { taste: new Array(257).fill(0) }, "context.taste"],
	] as [string, JsonObject, string][])(
		"are refused by the schema, with the path and no log row, where they are %s",
		async (_, values, path) => {
			const policy: Policy = {
				kind: "linucb",
				alpha: ALPHA,
				ridge: RIDGE,
				explore: 0.1,
			};
			const { ask, log } = await decider(policy, 8);
			const refused = await ask(values).catch((error: unknown) => error);
			expect(refused).toBeInstanceOf(SegueError);
			const { code, problems } = refused as SegueError;
			expect(code).toBe("invalid");
			expect(problems.map((problem) => problem.path)[0]).toContain(path);
			expect(log.rows).toEqual([]);
		},
	);
});
