import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type { Experiment, Policy } from "#core/experiment";
import { addObservation, emptySums } from "#core/policy";
import { Decide, type DecisionRequest, PosteriorCache } from "../src/index.js";
import { D, definition, experiment } from "./definitions.js";

const atWork = { hour: 8, device: "phone", activity: "work" };
const asleep = { ...atWork, activity: "sleep" };
/** Ten rewards of an arm each, in the context `atWork`; nothing is known of `run`. */
type Taught = Readonly<Record<string, number>>;
/** energy, under a rule, has the highest mean; calm the next. */
const energyFirst = { focus: 0.25, energy: 1, calm: 0.5 };
const energyThenTied = { focus: 0.25, energy: 1, calm: 0.25 };

/** Asks in mode `best` of a decider that learned so. */
async function bestOf(taught: Taught, change: Partial<Experiment> = {}) {
	const clock = new MemoryClock(Date.UTC(2025, 10, 24, 8));
	const source = new MemoryPosteriorSource();
	const current = definition({}, change);
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const { encode } = compileEncoder(experiment.context);
	const learned = Object.entries(taught).map(([arm, reward]) => {
		const sums = emptySums(D);
		addObservation(sums, D, encode(atWork).x, 10, 10 * reward);
		return { arm, bucket: 20_000, sums };
	});
	source.learn(experiment.key, 1, learned);
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
	return async (request: Partial<DecisionRequest> = {}) => {
		const answer = await decide.execute({
			experiment: experiment.key,
			unit: "listener-1",
			context: atWork,
			...request,
			mode: "best",
			explain: true,
		});
		expect(answer.mode).toBe("best");
		for (const drawn of ["decisionId", "propensity", "group"])
			expect(Object.hasOwn(answer, drawn)).toBe(false);
		expect(log.rows).toEqual([]);
		return answer;
	};
}

const energyIn = (state: "paused" | "retired") => ({
	arms: experiment.arms.map((arm) =>
		arm.key === "energy" ? { ...arm, state } : arm,
	),
});

/** Of the four ways to be not eligible: the definition's, the request's, and the reason given. */
const ways: readonly [
	string,
	Partial<Experiment>,
	Partial<DecisionRequest>,
	string,
][] = [
	["ruled out", {}, { context: asleep }, 'rule: context.activity != "sleep"'],
	[
		"ruled out for a value that is missing",
		{},
		{ context: { hour: 8 } },
		"missing: activity",
	],
	["paused", energyIn("paused"), {}, "paused"],
	["retired", energyIn("retired"), {}, "retired"],
	["not asked for", {}, { eligible: ["calm", "focus"] }, "not requested"],
];

describe("mode best", () => {
	it("answers the arm with the highest mean where that is eligible", async () => {
		const ask = await bestOf(energyFirst);
		expect((await ask()).arm).toBe("energy");
		expect((await ask({ eligible: ["focus", "energy"] })).arm).toBe("energy");
	});

	it.each(ways)(
		"answers the best of the others where that arm is %s",
		async (_, change, request, reason) => {
			const ask = await bestOf(energyFirst, change);
			const { arm, explanation } = await ask(request);
			expect(arm).toBe("calm");
			const [focus, energy, calm] = explanation?.arms ?? [];
			expect(energy).toMatchObject({ arm: "energy", eligible: false, reason });
			expect(calm?.mean).toBeGreaterThan(focus?.mean as number);
			expect((await ask({ ...request, eligible: ["focus"] })).arm).toBe(
				"focus",
			);
		},
	);

	it.each(ways)(
		"answers the first of the others where those are tied and that arm is %s",
		async (_, change, request) => {
			const ask = await bestOf(energyThenTied, change);
			const { arm, explanation } = await ask(request);
			expect(arm).toBe("focus");
			const [focus, , calm] = explanation?.arms ?? [];
			expect(calm?.mean).toBe(focus?.mean);
			expect(focus?.mean).toBeGreaterThan(0.05);
		},
	);

	it("takes the first of tied arms by the definition, not by the request's list", async () => {
		const ask = await bestOf(energyThenTied);
		expect((await ask({ eligible: ["calm", "focus"] })).arm).toBe("focus");
	});

	it.each<Policy>([
		{ kind: "linucb", alpha: 1_000, ridge: 1, explore: 0.1 },
		{ kind: "hybrid-linucb", alpha: 1_000, ridge: 1, explore: 0.1 },
		{ kind: "thompson", alpha: 1_000, ridge: 1, explore: 0.1 },
		{ kind: "uniform", ridge: 1, explore: 0.1 },
		{ kind: "fixed", arm: "focus", ridge: 1, explore: 0.1 },
	])(
		"goes by the mean alone whatever the policy would explore: %o",
		async (policy) => {
			// With such an α the upper bound of `run`, of which nothing is known, is the highest.
			const arms = experiment.arms.map(({ key, payload, tags }) => ({
				key,
				payload,
				tags,
				features: [1],
			}));
			const ask = await bestOf(energyFirst, { policy, arms });
			expect((await ask()).arm).toBe("energy");
			const eligible = ["focus", "calm", "run"];
			expect((await ask({ eligible })).arm).toBe("calm");
		},
	);
});
