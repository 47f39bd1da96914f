import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryLoggedDecisions,
	MemoryPastSums,
	MemoryPosteriorSource,
} from "#adapters/memory";
import type { Definition, Experiment, Policy } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import {
	Decide,
	type DecisionRequest,
	type DrawnDecision,
	PosteriorCache,
	RederiveDecision,
	ReplayDecisions,
} from "../src/index.js";
import { D, DAY, definition, experiment, MINUTE } from "./definitions.js";

const MORNING = Date.UTC(2025, 10, 24, 8);
const HOUR = 60 * MINUTE;
/** The long form (npm run test:long) explains 10,500 decisions again, under seven policies. */
const EXPLAINED = process.env.SEGUE_LONG === "1" ? 1_500 : 40;

/** A decider that obeys the last definition given, learning as it goes, and what derives its log again. */
function world(first: Definition) {
	const rows: Definition[] = [first];
	const clock = new MemoryClock(MORNING);
	const source = new MemoryPosteriorSource();
	const definitions = {
		get: () => rows.at(-1),
		all: () => rows.slice(-1),
	};
	const posteriors = new PosteriorCache(source, definitions, clock);
	const log = new MemoryDecisionLog();
	const live = new MemoryLive();
	const decide = new Decide(
		{ definitions, posteriors, live, ids: new MemoryIds(clock), log },
		100,
	);
	const past = new MemoryPastSums(source);
	const rowsById = {
		byIds: async (ids: readonly number[]) =>
			rows.filter(({ id }) => ids.includes(id)),
	};
	let asked = 0;
	return {
		clock,
		source,
		log,
		live,
		past,
		rows,
		rowsById,
		posteriors,
		ask: (request: Partial<DecisionRequest> = {}) =>
			decide.execute({
				experiment: first.experiment.key,
				unit: `listener-${++asked % 40}`,
				context: {
					hour: asked % 24,
					device: asked % 3 === 0 ? "phone" : "desktop",
					activity: ["work", "sleep", "run"][asked % 3],
				},
				explain: true,
				...request,
			}) as Promise<DrawnDecision>,
		/** One commit that teaches something of one arm, seen by the decider. */
		async learn(arm: string, reward: number, version = 1) {
			const { bucketMs } = rows.at(-1) as Definition;
			const sums = emptySums(D);
			const x = Float64Array.from({ length: D }, (_, i) => (i === 0 ? 1 : 0));
			x[1 + (asked % (D - 1))] = 0.25 * (1 + (asked % 5));
			addObservation(sums, D, x, 1, reward);
			const bucket = Math.floor(clock.now() / bucketMs);
			source.learn(first.experiment.key, version, [{ arm, bucket, sums }]);
			await posteriors.poll();
		},
		again: (row: DecisionRow, longestMs: number | null = null) =>
			new RederiveDecision(rowsById, past, longestMs).execute(row),
		replay: (changed: readonly DecisionRow[] = log.rows) =>
			new ReplayDecisions({
				log: new MemoryLoggedDecisions(changed),
				definitions: rowsById,
				past,
			}).execute(),
	};
}

type World = ReturnType<typeof world>;

/** Decides and learns in turn; a quarter of an hour passes each time. */
async function live(room: World, rounds = 60): Promise<void> {
	await room.posteriors.poll();
	for (let i = 0; i < rounds; i++) {
		await room.ask();
		await room.ask({ eligible: ["focus", "calm", "run"] });
		await room.learn(["focus", "energy", "calm"][i % 3] as string, (i % 5) / 4);
		room.clock.advance(15 * MINUTE);
		await room.posteriors.poll();
	}
}

const withFeatures = (): Partial<Experiment> => ({
	arms: experiment.arms.map((arm, i) => ({ ...arm, features: [1, i % 2] })),
});
const base = { ridge: 1, explore: 0.1 };
const policies: readonly [string, Policy, Partial<Experiment>?][] = [
	["linucb", { ...base, kind: "linucb", alpha: 0.5 }],
	[
		"hybrid-linucb",
		{ ...base, kind: "hybrid-linucb", alpha: 0.5 },
		withFeatures(),
	],
	["thompson", { ...base, kind: "thompson", alpha: 0.5 }],
	["uniform", { ...base, kind: "uniform" }],
	["fixed", { ...base, kind: "fixed", arm: "calm" }],
	[
		"linucb with a half-life",
		{ ...base, kind: "linucb", alpha: 0.5, halfLifeMs: 16 * HOUR },
	],
	[
		"linucb in a sliding window",
		{ ...base, kind: "linucb", alpha: 0.5, slidingWindowMs: 2 * HOUR },
	],
];
const traffic = { share: 0.8, control: 0.3, baseline: "uniform" };

describe("a decision derived again from its log row", () => {
	it.each(policies)(
		"is bit for bit what was served, under %s, while it learns",
		async (_, policy, more) => {
			const bucketMs =
				policy.slidingWindowMs === undefined ? HOUR : 10 * MINUTE;
			const room = world(
				definition({ bucketMs }, { policy, traffic, ...more }),
			);
			await live(room);
			expect(new Set(room.log.rows.map((row) => row.group)).size).toBe(3);
			expect(await room.replay()).toEqual({
				decisions: room.log.rows.length,
				equal: room.log.rows.length,
				different: [],
				differing: 0,
				skipped: [],
			});
		},
	);

	it.each(policies)(
		`is explained as it was when it was served, each of ${EXPLAINED} under %s`,
		{ timeout: 600_000 },
		async (_, policy, more) => {
			const room = world(
				definition({ bucketMs: HOUR }, { policy, traffic, ...more }),
			);
			const served = new Map<string, DrawnDecision["explanation"]>();
			await room.posteriors.poll();
			for (let i = 0; i < EXPLAINED; i++) {
				const { decisionId, explanation } = await room.ask();
				served.set(decisionId, explanation);
				if (i % 4 === 0)
					await room.learn(["focus", "calm"][(i / 4) % 2] as string, 1);
				room.clock.advance(5 * MINUTE);
				await room.posteriors.poll();
			}
			expect(room.log.rows).toHaveLength(EXPLAINED);
			for (const row of room.log.rows) {
				const { explanation, rederived } = await room.again(row);
				expect(explanation).toEqual(served.get(row.id));
				expect(rederived).toEqual({
					equal: true,
					differences: [],
					revision: row.revision,
					oldestRevision: 0,
					why: null,
				});
			}
		},
	);

	it("obeys the definition row it was made under, whatever was changed since", async () => {
		const room = world(definition({}, { traffic }));
		await room.posteriors.poll();
		const change = async (next: Partial<Definition>, more = {}) => {
			room.rows.push(definition({ id: room.rows.length + 1, ...next }, more));
			await room.posteriors.poll();
			await room.ask();
			await room.learn("focus", 1, next.version);
			await room.ask();
		};
		const linucb = experiment.policy;
		await change({}, { policy: { ...linucb, alpha: 2 } });
		await change({}, { policy: { ...linucb, ridge: 4, halfLifeMs: 20 * DAY } });
		await change({ held: true });
		await change({ state: "paused" });
		await change({}, { arms: experiment.arms.slice(1) });
		await change({ version: 2 }, { policy: { ...linucb, explore: 0.5 } });
		await change({ state: "stopped", winner: "energy" });
		expect(new Set(room.log.rows.map((row) => row.definitionId)).size).toBe(7);
		expect(await room.replay()).toMatchObject({
			equal: room.log.rows.length,
			differing: 0,
		});
	});

	it("is derived with nothing learned where its posterior could not be prepared", async () => {
		const ridge = 2 ** -12;
		const policy: Policy = {
			...experiment.policy,
			kind: "linucb",
			ridge,
			alpha: 1,
		};
		const room = world(definition({}, { policy, traffic }));
		await room.posteriors.poll();
		const sums = emptySums(D);
		// No matrix with a negative diagonal has a factor: such sums stand for those too large for the ridge.
		sums[1 + D] = -1;
		room.source.learn(experiment.key, 1, [{ arm: "calm", bucket: 1, sums }]);
		await room.posteriors.poll();
		await room.ask();
		const [row] = room.log.rows as [DecisionRow];
		expect(row).toMatchObject({ revision: 0, degraded: ["posterior"] });
		expect((await room.again(row)).rederived.equal).toBe(true);
		const claimed = await room.again({ ...row, revision: 1 });
		expect(claimed).toMatchObject({
			explanation: null,
			rederived: { equal: false },
		});
		expect(claimed.rederived.differences[0]).toMatch(
			/^It cannot be made again: The matrix is not positive definite/,
		);
	});
});

describe("a row that is not what was served", () => {
	async function changed(
		change: (row: DecisionRow) => Partial<DecisionRow>,
	): Promise<readonly string[]> {
		const room = world(
			definition({}, { traffic: { ...traffic, share: 1, control: 0 } }),
		);
		await live(room, 5);
		const row = room.log.rows.findLast(
			({ eligible }) => eligible.length === 3,
		) as DecisionRow;
		const { rederived } = await room.again({ ...row, ...change(row) });
		expect(rederived.equal).toBe(false);
		expect(rederived.why).toBeNull();
		return rederived.differences;
	}
	const withLast = (
		values: Float64Array,
		change: (value: number) => number,
	): Float64Array =>
		values.map((value, i) => (i === values.length - 1 ? change(value) : value));

	it("is told by its context, and by all that follows from it", async () => {
		const said = await changed((row) => ({
			context: { ...row.context, hour: 3 },
		}));
		expect(said[0]).toMatch(
			/^X of hour\.(sin|cos): -?[\d.]+ was logged, 0\.70703125 is derived\.$/,
		);
	});

	it("is told by one bit of a propensity, a mean one step off, another arm or another group", async () => {
		const propensity = await changed((row) => ({
			propensities: withLast(row.propensities, (p) => p * (1 + Number.EPSILON)),
		}));
		expect(propensity).toHaveLength(2);
		expect(propensity[1]).toMatch(/^The propensity of \w+: /);
		const mean = await changed((row) => ({
			means: withLast(row.means, (m) => m + 2 ** -12),
		}));
		expect(mean).toEqual([expect.stringMatching(/^The mean of \w+: /)]);
		expect(await changed(() => ({ arm: "nobody" }))).toEqual([
			expect.stringMatching(/^The arm: nobody was logged, \w+ is derived\.$/),
		]);
		expect(await changed(() => ({ group: "control" }))).toEqual([
			"The group: control was logged, policy is derived.",
		]);
		expect(await changed(() => ({ propensity: 0.5 }))).toEqual([
			expect.stringMatching(/^The arm's propensity: 0\.5 was logged, /),
		]);
	});

	it("is told by the arms it says were eligible, and why others were not", async () => {
		const said = await changed((row) => ({
			eligible: row.eligible.slice(1),
			excluded: { ...row.excluded, focus: "rule" },
		}));
		expect(said).toContainEqual(
			expect.stringMatching(
				/^The eligible arms: \w+, \w+ was logged, focus, \w+, \w+ is derived\.$/,
			),
		);
		expect(said).toContain(
			"Why focus was excluded: rule was logged, nothing is derived.",
		);
	});

	it("is told by another revision or reference bucket", async () => {
		expect(
			(await changed(({ revision }) => ({ revision: revision - 3 }))).length,
		).toBeGreaterThan(0);
		expect(
			await changed(({ referenceBucket }) => ({
				referenceBucket: referenceBucket - 1,
			})),
		).toEqual([expect.stringMatching(/^The reference bucket: /)]);
	});
});

describe("a decision that cannot be derived again", () => {
	async function untold(change: Partial<DecisionRow>, floor = 0) {
		const room = world(definition({}, { traffic }));
		await live(room, 5);
		room.past.oldest = floor;
		const row = { ...(room.log.rows.at(-1) as DecisionRow), ...change };
		const { explanation, rederived } = await room.again(row);
		expect(explanation).toBeNull();
		expect(rederived.equal).toBeNull();
		const replayed = await room.replay([row]);
		expect(replayed).toMatchObject({
			decisions: 1,
			equal: 0,
			differing: 0,
			skipped: [{ why: rederived.why, count: 1 }],
		});
		return rederived;
	}

	it("says so where another core made it, or no decider of this installation", async () => {
		expect((await untold({ coreVersion: "e0k0d0" })).why).toMatch(
			/^It was made by core e0k0d0; .* A Segue with core e0k0d0 can derive it\.$/,
		);
		expect((await untold({ origin: "import" })).why).toContain("origin import");
	});

	it("says so where something under its revision was erased, and names the oldest revision that can", async () => {
		expect(await untold({}, 5)).toMatchObject({
			revision: 4,
			oldestRevision: 5,
			why: "Something that revision 4 of morning-prompt was made of has been erased or dropped since: decisions of revision 5 or later can be derived again.",
		});
	});

	it("says so where the database has not come as far, or lacks the definition", async () => {
		expect((await untold({ revision: 99 })).why).toContain(
			"has only come to 5: was a backup restored?",
		);
		expect((await untold({ definitionId: 99 })).why).toContain(
			"definition row 99",
		);
	});

	it("is one of nothing learned in no case: revision 0 is derived whatever was erased", async () => {
		const room = world(definition({}, { traffic }));
		await live(room, 5);
		room.past.oldest = 5;
		const [first] = room.log.rows as [DecisionRow];
		expect(first.revision).toBe(0);
		expect((await room.again(first)).rederived.equal).toBe(true);
	});

	it("is taken for one that something was erased of meanwhile, not for a different one", async () => {
		const room = world(definition({}, { traffic }));
		await live(room, 5);
		const row = { ...(room.log.rows.at(-1) as DecisionRow), arm: "nobody" };
		const open = room.past.open.bind(room.past);
		room.past.open = async (...asked) => {
			const timeline = await open(...asked);
			room.past.oldest = 5;
			return timeline;
		};
		expect((await room.again(row)).rederived).toMatchObject({
			equal: null,
			oldestRevision: 5,
		});
	});
});

describe("the time it may take", () => {
	it("ends with the command line named, and lets the next one in", async () => {
		const room = world(definition({}, { traffic }));
		await live(room, 5);
		const row = room.log.rows.at(-1) as DecisionRow;
		const open = room.past.open.bind(room.past);
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		room.past.open = async (...asked) => {
			await held;
			return open(...asked);
		};
		const rederive = new RederiveDecision(room.rowsById, room.past, 500);
		const { rederived } = await rederive.execute(row);
		expect(rederived).toMatchObject({ equal: null });
		expect(rederived.why).toContain(`\`segue explain ${row.id}\``);
		release();
		expect((await rederive.execute(row)).rederived.equal).toBe(true);
	});
});
