import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryPosteriorSource } from "#adapters/memory";
import type { Definition, Experiment } from "#core/experiment";
import {
	type ArmModel,
	addInto,
	addObservation,
	emptySums,
	prepareArm,
	scoreArms,
} from "#core/policy";
import { seededRandom } from "../../../../test/support/random.js";
import { PosteriorCache } from "../src/index.js";
import { DAY, definition, experiment } from "./definitions.js";

const SEED = Number(process.env.SEED ?? 20_261_126);
const BUCKET = 20_000;
const KEYS = Array.from({ length: 80 }, (_, a) => `arm-${a}`);
/** Blocks of 16 KiB: twenty together are worth a sheet. */
const D = 61;
const X = Float64Array.from({ length: D }, (_, i) => (i - 2) / 4);

const ofArms = (keys: readonly string[], change: Partial<Experiment> = {}) =>
	definition(
		{},
		{
			context: {
				intercept: true,
				features: [
					{ name: "v", from: "request", kind: "vector", length: D - 1 },
				],
			},
			arms: keys.map((key) => ({ key, payload: {}, tags: [] })),
			...change,
		},
	);
const DEFINITIONS: readonly Definition[] = [
	ofArms(KEYS),
	ofArms(KEYS.slice(0, 45)),
	ofArms(KEYS.slice(20)),
	ofArms(KEYS, { policy: { ...experiment.policy, ridge: 4 } }),
];

/** Every arm's sums over all buckets, as each revision left them. */
class Expected {
	readonly atRevision = new Map<number, ReadonlyMap<string, Float64Array>>();
	private readonly now = new Map<string, Float64Array>();

	take(revision: number, deltas: ReadonlyMap<string, Float64Array>): void {
		for (const [arm, delta] of deltas) {
			const next = this.now.get(arm)?.slice() ?? emptySums(D);
			addInto(next, delta);
			this.now.set(arm, next);
		}
		this.atRevision.set(revision, new Map(this.now));
	}
}

function scoresOf(models: readonly ArmModel[]): Float64Array {
	const widths = new Float64Array(models.length);
	const means = new Float64Array(models.length);
	scoreArms(models, X, means, widths);
	return Float64Array.of(...means, ...widths);
}

describe(`the memory of a posterior, used again by large refreshes (SEED=${SEED})`, () => {
	it("holds at every turn exactly the models of the revision it names, whichever arms move and whichever definition asks", async () => {
		const random = seededRandom(SEED);
		const upTo = (most: number) => Math.floor(random() * most);
		const source = new MemoryPosteriorSource();
		const expected = new Expected();
		expected.take(0, new Map());
		let current = DEFINITIONS[0]!;
		const cache = new PosteriorCache(
			source,
			{ get: () => current, all: () => [current] },
			new MemoryClock(BUCKET * DAY),
		);

		const move = () => {
			const count = random() < 0.4 ? 1 + upTo(3) : 20 + upTo(61);
			const from = upTo(KEYS.length);
			const deltas = new Map<string, Float64Array>();
			for (let i = 0; i < count; i++) {
				const delta = emptySums(D);
				const x = Float64Array.from({ length: D }, () => upTo(4_096) / 4_096);
				addObservation(delta, D, x, 1, upTo(5) / 4);
				deltas.set(KEYS[(from + i) % KEYS.length]!, delta);
			}
			const bucket = BUCKET - (random() < 0.8 ? 0 : upTo(20));
			const moved = [...deltas].map(([arm, sums]) => ({ arm, bucket, sums }));
			const revision = source.learn(experiment.key, 1, moved);
			expected.take(revision, deltas);
		};
		const check = () => {
			const { revision, models } = cache.snapshot(current, BUCKET);
			const sums = expected.atRevision.get(revision)!;
			const { arms, policy } = current.experiment;
			// The kernel's copy of a block may outlive the block.
			expect(models.every(({ block }) => block.values.length > 0)).toBe(true);
			for (let i = 0; i < 2; i++) {
				const arm = upTo(arms.length);
				const { key } = arms[arm]!;
				const exact = sums.get(key) ?? emptySums(D);
				const wanted = prepareArm(exact, D, policy.ridge);
				expect(scoresOf([models[arm]!])).toEqual(scoresOf([wanted]));
				expect(models[arm]?.theta).toEqual(wanted.theta);
				expect(cache.sums(current, key, BUCKET)).toEqual(exact);
			}
		};

		for (let step = 0; step < 60; step++) {
			move();
			const next =
				random() < 0.3 ? DEFINITIONS[upTo(DEFINITIONS.length)]! : current;
			let done = false;
			const refreshed = cache.prepare(next).finally(() => {
				done = true;
			});
			while (!done) {
				check();
				await setImmediate();
			}
			await refreshed;
			check();
			current = next;
			check();
		}
	});

	it("is left to the collector where decisions and upkeep make models at once while it would be handed back", async () => {
		const current = ofArms(KEYS, {
			policy: { ...experiment.policy, halfLifeMs: 30 * DAY },
		});
		const source = new MemoryPosteriorSource();
		const clock = new MemoryClock(BUCKET * DAY);
		const cache = new PosteriorCache(
			source,
			{ get: () => current, all: () => [current] },
			clock,
		);
		const learn = () => {
			const sums = emptySums(D);
			addObservation(sums, D, X, 1, 0.5);
			const moved = KEYS.map((arm) => ({ arm, bucket: BUCKET, sums }));
			source.learn(experiment.key, 1, moved);
		};
		learn();
		await cache.prepare(current);
		for (let round = 1; round <= 5; round++) {
			learn();
			const before = cache.revision(experiment.key);
			let done = false;
			const refreshed = cache.prepare(current).finally(() => {
				done = true;
			});
			await setImmediate();
			// The bucket turns after the refresh asked which models will be needed.
			clock.advance(DAY);
			let ahead: Promise<void> | null = null;
			while (!done) {
				if (ahead === null && cache.revision(experiment.key) > before) {
					ahead = cache.prepareAhead();
					cache.snapshot(current, BUCKET + round);
				}
				await setImmediate();
			}
			await Promise.all([refreshed, ahead]);
			expect(ahead, "the turn between was met").not.toBeNull();
			const { models } = cache.snapshot(current, BUCKET + round);
			expect(models.every(({ block }) => block.values.length > 0)).toBe(true);
		}
	});

	it("leaves what a decision of before the refresh explains with, and nothing that it could score with unnoticed", async () => {
		const source = new MemoryPosteriorSource();
		const current = DEFINITIONS[0]!;
		const cache = new PosteriorCache(
			source,
			{ get: () => current, all: () => [current] },
			new MemoryClock(BUCKET * DAY),
		);
		const learn = async (first: number) => {
			const sums = emptySums(D);
			addObservation(sums, D, X, 1, first);
			const moved = KEYS.map((arm) => ({ arm, bucket: BUCKET, sums }));
			source.learn(experiment.key, 1, moved);
			await cache.prepare(current);
		};
		await learn(0.5);
		const { models } = cache.snapshot(current, BUCKET);
		const theta = models.map((model) => model.theta.slice());
		await learn(0.25);
		await learn(1);
		expect(models.map((model) => model.theta)).toEqual(theta);
		expect(models.map(({ block }) => block.values.length)).toEqual(
			KEYS.map(() => 0),
		);
		expect(() => scoresOf(models)).toThrow(TypeError);
	});
});
