import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPastSums,
	MemoryPosteriorSource,
	MemoryProfiles,
	MemoryRepeats,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type {
	Definition,
	Experiment,
	Feature,
	ValueFeature,
} from "#core/experiment";
import { addObservation, distribution, emptySums } from "#core/policy";
import { ProfileCache } from "#usecases/profiling";
import {
	Decide,
	type DecisionRequest,
	type DrawnDecision,
	PosteriorCache,
	type Profiles,
	RederiveDecision,
} from "../src/index.js";
import { definition, experiment } from "./definitions.js";

const MORNING = Date.UTC(2025, 10, 24, 8);
const DEADLINE_MS = 100;

const from = "profile";
const profiled: readonly ValueFeature[] = [
	{ name: "loyalty", from, kind: "number", mean: 0, scale: 1 },
	{ name: "taste", from, kind: "vector", length: 2 },
	{ name: "tier", from, kind: "attribute", values: ["free", "paid"] },
];
const asking = (
	features: readonly Feature[],
	more: Partial<Experiment["context"]> = {},
) => ({
	context: { intercept: true, features, ...more },
	traffic: { ...experiment.traffic, control: 0 },
	arms: experiment.arms.map((arm) =>
		arm.key === "run" ? { ...arm, eligible: 'context.tier == "paid"' } : arm,
	),
});

/** A decider over memory whose posterior tells the arms apart. */
async function room(
	features: readonly Feature[] = profiled,
	more: Partial<Experiment["context"]> = {},
	ownProfiles?: Profiles,
) {
	const current: Definition = definition({}, asking(features, more));
	const clock = new MemoryClock(MORNING);
	const source = new MemoryPosteriorSource();
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const { d } = compileEncoder(current.experiment.context);
	for (const [i, { key }] of current.experiment.arms.entries()) {
		const sums = emptySums(d);
		const x = Float64Array.from({ length: d }, (_, c) => (c === i ? 1 : 0.5));
		addObservation(sums, d, x, 1, i / 4);
		source.learn(current.experiment.key, 1, [{ arm: key, bucket: 1, sums }]);
	}
	await posteriors.poll();
	const stored = new MemoryProfiles(clock);
	const log = new MemoryDecisionLog();
	const logged: number[] = [];
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live: new MemoryLive(),
			ids: new MemoryIds(clock),
			log: {
				decision: (row, timeoutMs) => {
					logged.push(timeoutMs);
					return log.decision(row);
				},
			},
			repeats: new MemoryRepeats(clock),
			profiles: ownProfiles ?? new ProfileCache(stored),
		},
		DEADLINE_MS,
	);
	const ask = (request: Partial<DecisionRequest> = {}) =>
		decide.execute({
			experiment: current.experiment.key,
			unit: "listener-1",
			...request,
		}) as Promise<DrawnDecision>;
	/** The row's propensities are those of the policy in the context it logged. */
	const expectExact = () => {
		for (const row of log.rows) {
			const { models } = posteriors.snapshot(current, row.referenceBucket);
			const { policy, arms, context } = current.experiment;
			const { x } = compileEncoder(context).encode(row.context);
			expect(row.x).toEqual(x);
			const { propensities } = distribution(
				policy,
				row.eligible.map((a) => arms[a]?.key ?? ""),
				row.eligible.map((a) => models[a]!),
				x,
			);
			expect(row.propensities).toEqual(propensities);
		}
	};
	return { current, stored, log, logged, ask, source, decide, expectExact };
}

const never: Profiles = { lookUp: () => new Promise(() => {}) };
const values = { loyalty: 0.5, taste: [0.25, -1], tier: "paid" };

describe("a profile", () => {
	it("is part of the context: encoded, judged by rules, logged, explained, with exact propensities", async () => {
		const { stored, log, ask, expectExact } = await room();
		await stored.put("listener-1", { ...values, other: 3 });
		for (const asked of ["from the database", "from memory"]) {
			const answer = await ask({ explain: true });
			expect(answer, asked).toMatchObject({ missing: [], degraded: [] });
			const row = log.rows.at(-1);
			expect(row?.context).toEqual(values);
			expect([...(row?.x ?? [])]).toEqual([1, 0.5, 0.25, -1]);
			expect(row?.eligible).toEqual([0, 2, 3]);
			expect(answer.explanation?.features).toEqual([
				{ name: "loyalty", value: 0.5, source: "profile" },
				{ name: "taste", value: [0.25, -1], source: "profile" },
				{ name: "tier", value: "paid", source: "profile" },
			]);
		}
		expect(stored.questions).toEqual([["listener-1"]]);
		expectExact();
	});

	it("that a unit does not have is missing, and nothing is degraded", async () => {
		const { log, ask, expectExact } = await room();
		const answer = await ask({ explain: true });
		expect(answer.missing).toEqual(["loyalty", "taste", "tier"]);
		expect(answer.degraded).toEqual([]);
		expect(log.rows[0]?.context).toEqual({});
		expect(answer.explanation?.features.map(({ reason }) => reason)).toEqual([
			"absent",
			"absent",
			"absent",
		]);
		expectExact();
	});

	it("is not taken from the request, and gives only values that fit this experiment", async () => {
		const { stored, log, ask } = await room();
		await stored.put("listener-1", {
			loyalty: "much",
			taste: [1, 2, 3],
			tier: "paid",
		});
		const answer = await ask({ context: { loyalty: 9 } });
		expect(answer.ignored).toEqual(["loyalty"]);
		expect(answer.missing).toEqual(["loyalty", "taste"]);
		expect(log.rows[0]?.context).toEqual({ tier: "paid" });
	});

	it("is not looked up for a request that is refused", async () => {
		const hour = { name: "hour", from: "request", kind: "cyclic", period: 24 };
		const { stored, ask } = await room([...profiled, hour as Feature]);
		await expect(ask({ context: { hour: "late" } })).rejects.toThrow("hour");
		expect(stored.questions).toEqual([]);
	});

	it("without the consent that its features need is not looked up, and is missing for that", async () => {
		const consent = "personalization";
		const { stored, log, ask } = await room(
			profiled.map((feature) => ({ ...feature, consent })),
		);
		await stored.put("listener-1", values);
		const answer = await ask({ explain: true });
		expect(stored.questions).toEqual([]);
		expect(answer.degraded).toEqual([]);
		expect(log.rows[0]?.context).toEqual({});
		expect(answer.explanation?.features[0]).toEqual({
			name: "loyalty",
			value: null,
			source: "profile",
			reason: "no consent",
			withheld: "forbidden",
		});
	});

	it("of which a part needs consent gives the other part alone", async () => {
		const [loyalty, taste, tier] = profiled as [
			ValueFeature,
			ValueFeature,
			ValueFeature,
		];
		const { stored, log, ask } = await room([
			loyalty,
			{ ...taste, consent: "personalization" },
			tier,
		]);
		await stored.put("listener-1", values);
		const answer = await ask({ explain: true });
		expect(log.rows[0]?.context).toEqual({ loyalty: 0.5, tier: "paid" });
		expect(answer.missing).toEqual(["taste"]);
	});
});

describe("a profile that is not had in time", () => {
	for (const [how, own] of [
		["being refused at once", { lookUp: () => null }],
		["the database being away", { lookUp: async () => null }],
	] as const)
		it(`${how}, is missing and said to be: the decision goes on with exact propensities`, async () => {
			const { log, ask, expectExact } = await room(profiled, {}, own);
			const answer = await ask({ explain: true });
			expect(answer.missing).toEqual(["loyalty", "taste", "tier"]);
			expect(answer.degraded).toEqual(["profile"]);
			expect(log.rows[0]).toMatchObject({ degraded: ["profile"], context: {} });
			expect(answer.explanation?.features[0]?.reason).toBe("over budget");
			expectExact();
		});

	it("is waited for as long as the definition says, 20 ms by default, three tenths of the deadline at most", async () => {
		for (const [said, waited] of [
			[undefined, 20],
			[7, 7],
			[500, 30],
		] as const) {
			const budgets: number[] = [];
			const own = {
				lookUp: (_: string, budgetMs: number) => {
					budgets.push(budgetMs);
					return {};
				},
			};
			const more = said === undefined ? {} : { enrichBudgetMs: said };
			const { ask } = await room(profiled, more, own);
			await ask();
			expect(budgets).toEqual([waited]);
		}
	});

	it("is waited for at the stream's expense", async () => {
		const own = {
			lookUp: () =>
				new Promise<null>((resolve) => setTimeout(resolve, 25, null)),
		};
		const { logged, ask } = await room(profiled, {}, own);
		await ask();
		await ask({ requestId: "r1" });
		expect(Math.max(...logged)).toBeLessThanOrEqual(70 - 24);
	});
});

it("a decision whose definition has no profile feature looks nothing up, and waits for nothing but the log", async () => {
	const hour = { name: "hour", from: "request", kind: "cyclic", period: 24 };
	const { log, ask } = await room([hour as Feature], {}, never);
	const answering = ask({ eligible: ["focus"] });
	expect(log.rows).toHaveLength(1);
	expect((await answering).degraded).toEqual([]);
});

it("a decision whose profile is in memory waits for nothing but the log", async () => {
	const { log, ask } = await room(profiled, {}, { lookUp: () => values });
	const answering = ask();
	expect(log.rows).toHaveLength(1);
	expect((await answering).missing).toEqual([]);
});

it("a logged decision comes out again with the profile it was made with, and explains itself the same, whatever the profile is now", async () => {
	for (const own of [undefined, { lookUp: () => null }]) {
		const { current, stored, log, ask, source } = await room(profiled, {}, own);
		await stored.put("listener-1", values);
		const answer = await ask({ explain: true });
		await stored.put("listener-1", { loyalty: -3 });
		const again = await new RederiveDecision(
			{ byIds: async () => [current] },
			new MemoryPastSums(source),
			null,
		).execute(log.rows[0]!);
		expect(again.rederived).toMatchObject({ equal: true, differences: [] });
		expect(again.explanation).toEqual(answer.explanation);
	}
});
