import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryPosteriorSource } from "#adapters/memory";
import { addObservation, emptySums } from "#core/policy";
import { SegueError } from "#usecases/errors";
import { PosteriorCache, ReadPosterior } from "../src/index.js";
import { DAY, definition, experiment } from "./definitions.js";

/** Two coordinates: the intercept and one number. */
const current = definition(
	{},
	{
		context: {
			intercept: true,
			features: [
				{ name: "tempo", from: "request", kind: "number", mean: 0, scale: 1 },
			],
		},
		policy: { kind: "linucb", alpha: 1, ridge: 0.5, explore: 0 },
	},
);

async function room() {
	const source = new MemoryPosteriorSource();
	const clock = new MemoryClock(20_000 * DAY);
	const definitions = {
		get: (key: string) => (key === experiment.key ? current : undefined),
		all: () => [current],
	};
	const cache = new PosteriorCache(source, definitions, clock);
	const sums = emptySums(2);
	addObservation(sums, 2, Float64Array.of(1, 2), 1, 1);
	addObservation(sums, 2, Float64Array.of(1, -0.5), 1, -0.5);
	source.learn(experiment.key, 1, [{ arm: "calm", bucket: 19_000, sums }]);
	await cache.poll();
	return new ReadPosterior(definitions, cache, clock);
}

describe("the posterior", () => {
	it("shows n, A with λ, b and θ of every arm; one never tried has A = λI", async () => {
		const shown = (await room()).execute(experiment.key);
		expect(shown).toMatchObject({ version: 1, revision: 1 });
		expect(shown.arms.map(({ arm }) => arm)).toEqual([
			"focus",
			"energy",
			"calm",
			"run",
		]);
		expect(shown.arms[0]).toEqual({
			arm: "focus",
			n: 0,
			A: [
				[0.5, 0],
				[0, 0.5],
			],
			b: [0, 0],
			theta: [0, 0],
		});
		const calm = shown.arms[2];
		expect(calm).toMatchObject({
			n: 2,
			A: [
				[2.5, 1.5],
				[1.5, 4.75],
			],
			b: [0.5, 2.25],
		});
		// A⁻¹b by Cramer's rule: det A = 2.5·4.75 − 1.5² = 9.625.
		expect(calm?.theta[0]).toBeCloseTo((0.5 * 4.75 - 1.5 * 2.25) / 9.625, 12);
		expect(calm?.theta[1]).toBeCloseTo((2.5 * 2.25 - 1.5 * 0.5) / 9.625, 12);
	});

	it("shows one arm where one is asked for", async () => {
		const shown = (await room()).execute(experiment.key, "calm");
		expect(shown.arms.map(({ arm }) => arm)).toEqual(["calm"]);
	});

	it("is refused for an experiment or arm that does not exist", async () => {
		const read = await room();
		const codeOf = (act: () => unknown) => {
			try {
				act();
			} catch (error) {
				if (error instanceof SegueError) return error;
			}
			return null;
		};
		expect(codeOf(() => read.execute("other"))?.code).toBe(
			"unknown-experiment",
		);
		const unknownArm = codeOf(() => read.execute(experiment.key, "clam"));
		expect(unknownArm).toMatchObject({ code: "invalid", status: 422 });
		expect(unknownArm?.problems[0]).toMatchObject({ path: "arm" });
		expect(unknownArm?.message).toContain('"calm"');
	});
});
