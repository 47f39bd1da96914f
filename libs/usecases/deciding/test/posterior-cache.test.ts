import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryPosteriorSource } from "#adapters/memory";
import type { Definition, Policy } from "#core/experiment";
import { addObservation, emptySums, prepareArm } from "#core/policy";
import { Slices } from "../src/breath.js";
import { PosteriorCache } from "../src/index.js";
import { D, DAY, definition, experiment } from "./definitions.js";

const NOW = 20_000 * DAY;
const KEY = experiment.key;

/** Sums of one observation with x = (1, first, …, first) and the reward. */
function observed(first: number, reward = 0.5): Float64Array {
	const sums = emptySums(D);
	addObservation(sums, D, new Float64Array(D).fill(first), 1, reward);
	return sums;
}

function room(first: Definition = definition()) {
	const clock = new MemoryClock(NOW);
	const source = new MemoryPosteriorSource();
	const obeyed = { current: first };
	const definitions = {
		get: (key: string) => (key === KEY ? obeyed.current : undefined),
		all: () => [obeyed.current],
	};
	const cache = new PosteriorCache(source, definitions, clock);
	const teach = (arm: string, bucket: number, sums: Float64Array) =>
		source.learn(KEY, obeyed.current.version, [{ arm, bucket, sums }]);
	return { clock, source, cache, obeyed, teach };
}

const withPolicy = (change: Partial<Policy>) =>
	definition({}, { policy: { ...experiment.policy, ...change } as Policy });
const model = (cache: PosteriorCache, current: Definition, bucket = 20_000) =>
	cache.snapshot(current, bucket).models;

describe("the posterior cache", () => {
	it("gives prior models of revision 0, named stale, before anything was read", () => {
		const { cache } = room();
		const { revision, models, stale } = cache.snapshot(definition(), 20_000);
		expect({ revision, stale, arms: models.length }).toEqual({
			revision: 0,
			stale: true,
			arms: 4,
		});
		expect(models[0]).toEqual(prepareArm(emptySums(D), D, 1));
	});

	it("gives models of the sums over all buckets, and the prior for an arm never tried", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 19_999, observed(1));
		teach("calm", 20_000, observed(0.25, -1));
		await cache.poll();
		const both = observed(1);
		observed(0.25, -1).forEach((entry, i) => {
			both[i]! += entry;
		});
		const { revision, models, stale } = cache.snapshot(obeyed.current, 20_000);
		expect({ revision, stale }).toEqual({ revision: 2, stale: false });
		expect(models[2]).toEqual(prepareArm(both, D, 1));
		expect(models[0]).toEqual(prepareArm(emptySums(D), D, 1));
		expect(cache.sums(obeyed.current, "calm", 20_000)).toEqual(both);
	});

	it("prepares again only the arms that changed", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		teach("focus", 20_000, observed(1));
		await cache.poll();
		const before = model(cache, obeyed.current);
		teach("focus", 20_000, observed(0.5));
		await cache.poll();
		const after = model(cache, obeyed.current);
		expect(after[2]).toBe(before[2]);
		expect(after[1]).toBe(before[1]);
		expect(after[0]?.n).toBe(2);
	});

	it("makes hybrid models of the same sums: one arm's news moves all, and switching there and back relearns nothing", async () => {
		const disjoint = definition();
		const hybrid = definition(
			{ id: 2 },
			{
				policy: { ...experiment.policy, kind: "hybrid-linucb", alpha: 0.5 },
				arms: experiment.arms.map((arm, a) => ({ ...arm, features: [1, a] })),
			},
		);
		const { cache, teach, obeyed, source } = room(disjoint);
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const before = model(cache, disjoint);
		const { reads } = source;
		obeyed.current = hybrid;
		const [focus, energy, calm] = model(cache, hybrid);
		expect(focus).not.toEqual(before[0]);
		expect(focus?.theta.some((value) => value !== 0)).toBe(true);
		expect(energy?.n).toBe(0);
		expect(calm?.n).toBe(1);
		teach("focus", 20_000, observed(0.5, 1));
		await cache.poll();
		expect(cache.isReady(hybrid, 20_000)).toBe(true);
		expect(model(cache, hybrid)[2]).not.toEqual(calm);
		obeyed.current = disjoint;
		expect(model(cache, disjoint)[2]).toBe(before[2]);
		expect(source.reads).toBe(reads + 1);
	});

	it("never changes a snapshot in use: the next refresh makes another", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const before = cache.snapshot(obeyed.current, 20_000);
		const theta = before.models[2]?.theta.slice();
		teach("calm", 20_000, observed(1, 1));
		await cache.poll();
		expect(before.revision).toBe(1);
		expect(before.models[2]?.theta).toEqual(theta);
		expect(model(cache, obeyed.current)[2]?.theta).not.toEqual(theta);
	});

	it("reads nothing where no revision is newer", async () => {
		const { cache, teach, source } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const { reads } = source;
		await cache.poll();
		expect(source.reads).toBe(reads);
	});

	it("shares one further read among refreshes that come while one is under way", async () => {
		const { cache, teach, source, obeyed } = room();
		const first = cache.refresh(KEY);
		teach("calm", 20_000, observed(1));
		await Promise.all([first, cache.refresh(KEY), cache.refresh(KEY)]);
		expect(source.reads).toBe(2);
		expect(cache.snapshot(obeyed.current, 20_000).revision).toBe(1);
	});

	it("refreshes when a newer revision is announced", async () => {
		const { cache, teach, source, obeyed } = room();
		await cache.start(source);
		teach("calm", 20_000, observed(1));
		source.announce(KEY);
		await cache.refresh(KEY);
		await cache.stop();
		expect(cache.snapshot(obeyed.current, 20_000).revision).toBe(1);
	});

	it("does not start while the database is away", async () => {
		const { cache, source } = room();
		source.away = true;
		await expect(cache.start(source)).rejects.toThrow("away");
	});

	it("keeps what it holds while the database is away, and catches up afterwards", async () => {
		const { cache, teach, source, obeyed, clock } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		source.away = true;
		await expect(cache.poll()).rejects.toThrow("away");
		teach("calm", 20_000, observed(1));
		clock.advance(3_001);
		const held = cache.snapshot(obeyed.current, 20_000);
		expect(held).toMatchObject({ revision: 1, stale: true });
		source.away = false;
		await cache.poll();
		expect(cache.snapshot(obeyed.current, 20_000)).toMatchObject({
			revision: 2,
			stale: false,
		});
	});
});

describe("the models decisions need", () => {
	const halved = withPolicy({ halfLifeMs: 16 * DAY });

	it("are made when the start resolves", async () => {
		const { cache, teach, source, obeyed } = room();
		teach("calm", 20_000, observed(1));
		expect(cache.isReady(obeyed.current, 20_000)).toBe(false);
		await cache.start(source);
		await cache.stop();
		expect(cache.isReady(obeyed.current, 20_000)).toBe(true);
	});

	it("are made of a new ridge before it is obeyed, beside those of the old one", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const before = model(cache, obeyed.current);
		const stronger = withPolicy({ ridge: 4 });
		await cache.prepare(stronger);
		expect(cache.isReady(stronger, 20_000)).toBe(true);
		expect(cache.isReady(obeyed.current, 20_000)).toBe(true);
		expect(model(cache, stronger)[2]).toEqual(prepareArm(observed(1), D, 4));
		expect(model(cache, obeyed.current)[2]).toBe(before[2]);
		teach("calm", 20_000, observed(0.5));
		await cache.prepare(stronger);
		expect(cache.isReady(obeyed.current, 20_000)).toBe(true);
	});

	it("are made for the next time bucket shortly before it begins, where the policy forgets", async () => {
		const { cache, teach, clock } = room(halved);
		teach("calm", 20_000 - 15, observed(1));
		await cache.poll();
		await cache.prepareAhead();
		expect(cache.isReady(halved, 20_000)).toBe(true);
		expect(cache.isReady(halved, 20_001)).toBe(false);
		clock.advance(DAY - 2_000);
		await cache.prepareAhead();
		expect(cache.isReady(halved, 20_000)).toBe(true);
		expect(cache.isReady(halved, 20_001)).toBe(true);
		expect(model(cache, halved, 20_001)[2]?.n).toBe(0.5);
	});

	it("are still made for it after a refresh at that time, or with the database away", async () => {
		const { cache, teach, clock, source } = room(halved);
		teach("calm", 20_000, observed(1));
		await cache.poll();
		clock.advance(DAY - 2_000);
		teach("calm", 20_000, observed(0.5));
		await cache.poll();
		expect(cache.isReady(halved, 20_001)).toBe(true);
		source.away = true;
		clock.advance(DAY);
		await cache.prepareAhead();
		expect(cache.isReady(halved, 20_002)).toBe(true);
	});

	it("are made in slices of a few milliseconds", async () => {
		let now = 0;
		let breaths = 0;
		let counting = true;
		const count = () => {
			breaths += 1;
			if (counting) setImmediate(count);
		};
		setImmediate(count);
		const slices = new Slices(4, () => now);
		for (let arm = 0; arm < 12; arm++) {
			now += 1;
			await slices.pause();
		}
		counting = false;
		expect(breaths).toBe(3);
	});
});

describe("sums that no model can be made of", () => {
	it("do not stop decisions: the prior serves, as revision 0 and named stale", async () => {
		const { cache, teach, obeyed } = room();
		const broken = emptySums(D).map((_, i) => (i === 1 + D ? -100 : 0));
		teach("calm", 20_000, broken);
		await cache.poll();
		const { revision, models, stale } = cache.snapshot(obeyed.current, 20_000);
		expect({ revision, stale }).toEqual({ revision: 0, stale: true });
		expect(models[2]).toEqual(prepareArm(emptySums(D), D, 1));
	});
});

describe("a change of the definition", () => {
	it("of ridge applies to the same sums at once", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		model(cache, obeyed.current);
		const stronger = withPolicy({ ridge: 4 });
		expect(model(cache, stronger)[2]).toEqual(prepareArm(observed(1), D, 4));
		expect(model(cache, stronger)[0]).toEqual(prepareArm(emptySums(D), D, 4));
	});

	it("of the version starts from nothing, prepared before it is obeyed", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const next = definition({ id: 2, version: 2 });
		await cache.prepare(next);
		expect(cache.snapshot(next, 20_000)).toMatchObject({
			revision: 1,
			stale: false,
		});
		expect(model(cache, next)[2]?.n).toBe(0);
		expect(model(cache, obeyed.current)[2]?.n).toBe(1);
	});

	it("frees what it no longer needs, but not what is prepared for the next one", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const before = obeyed.current;
		const next = definition({ id: 2, version: 2 });
		await cache.prepare(next);
		await cache.poll();
		expect(cache.snapshot(next, 20_000).stale).toBe(false);
		obeyed.current = next;
		await cache.poll();
		await cache.poll();
		expect(cache.snapshot(before, 20_000)).toMatchObject({
			revision: 0,
			stale: true,
		});
		expect(cache.snapshot(next, 20_000).stale).toBe(false);
	});

	it("that adds an arm gives it the prior, and keeps the others", async () => {
		const { cache, teach, obeyed } = room();
		teach("calm", 20_000, observed(1));
		await cache.poll();
		const before = model(cache, obeyed.current);
		const fifth = { key: "party", payload: {}, tags: [] };
		const grown = definition({}, { arms: [...experiment.arms, fifth] });
		const after = model(cache, grown);
		expect(after[2]).toBe(before[2]);
		expect(after[4]).toEqual(prepareArm(emptySums(D), D, 1));
	});
});

describe("forgetting", () => {
	it("by half-life weighs each bucket by its age from the decision's bucket", async () => {
		const halved = withPolicy({ halfLifeMs: 16 * DAY });
		const { cache, teach } = room(halved);
		teach("calm", 20_000 - 16, observed(1));
		teach("calm", 20_000, observed(2));
		await cache.poll();
		expect(cache.sums(halved, "calm", 20_000)[0]).toBe(1.5);
		expect(model(cache, halved, 20_000)[2]?.n).toBe(1.5);
		expect(model(cache, halved, 20_016)[2]?.n).toBe(0.75);
		expect(model(cache, halved, 20_000)[2]?.n).toBe(1.5);
	});

	it("by a sliding window drops what is outside, in memory too", async () => {
		const sliding = withPolicy({ slidingWindowMs: 16 * DAY });
		const { cache, teach } = room(sliding);
		for (let bucket = 19_900; bucket <= 20_000; bucket++)
			teach("calm", bucket, observed(1));
		await cache.poll();
		const n = cache.sums(sliding, "calm", 20_000)[0] ?? 0;
		expect(n).toBeGreaterThanOrEqual(16);
		expect(n).toBeLessThanOrEqual(17);
		teach("calm", 19_900, observed(1));
		await cache.poll();
		expect(cache.sums(sliding, "calm", 20_000)[0]).toBe(n);
	});
});

describe("many buckets of a policy that does not forget", () => {
	it("are merged without changing a total, and a change of a merged one is still taken in", async () => {
		const { cache, teach, obeyed } = room();
		for (let bucket = 19_900; bucket <= 20_000; bucket++)
			teach("calm", bucket, observed(1));
		await cache.poll();
		expect(cache.sums(obeyed.current, "calm", 20_000)[0]).toBe(101);
		teach("calm", 20_000, observed(1));
		teach("calm", 19_950, observed(0.5));
		await cache.poll();
		expect(cache.sums(obeyed.current, "calm", 20_000)[0]).toBe(103);
		expect(model(cache, obeyed.current)[2]?.n).toBe(103);
	});
});
