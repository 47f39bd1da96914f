import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bookable } from "#core/booking";
import type { Definition } from "#core/experiment";
import { type DecisionRow, type Event, uuidAtTime } from "#core/log";
import { type BookingState, RecountBookings } from "#usecases/booking";
import { BookingOfTest } from "../../../../test/support/booking.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import type { LedgerOfTest } from "../../../../test/support/ledger.js";
import {
	plainDegraded,
	plainHours,
	plainScores,
	plainSums,
} from "../../../usecases/booking/test/plain-recount.js";
import { PostgresBookedLog, PostgresErasure } from "./index.js";

const HOUR = 3_600_000;
const START = Math.floor((Date.now() - 6 * HOUR) / HOUR) * HOUR;
const experiment = anExperiment({
	key: "booked",
	arms: [{ key: "a" }, { key: "b" }],
	context: {
		features: [
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "tv"],
			},
			{ name: "loyalty", from: "profile", kind: "number" },
		],
	},
	policy: { kind: "linucb" },
	reward: {
		window: "30m",
		range: [0, 1],
		outcomes: [
			{ type: "play", value: 0.5 },
			{ type: "save", value: 1 },
		],
	},
	segments: ["device"],
	covariate: "loyalty",
	metrics: {
		define: [
			{ name: "likes", event: "like", per: "unit", count: "each", cap: 2 },
		],
	},
});

let booking: BookingOfTest;
let ledger: LedgerOfTest;
beforeAll(async () => {
	booking = await BookingOfTest.open();
	ledger = booking.ledger;
});
afterAll(() => booking?.close());

/** Of its own process, so that claims of one do not hold up another's. */
const bookings = () => booking.log();
const freeClaims = () => booking.freeClaims();

let made = 0;
function decisionsOf(
	definition: Definition,
	count: number,
	fields: (i: number) => Partial<DecisionRow> = () => ({}),
	at = START,
): DecisionRow[] {
	return Array.from({ length: count }, (_, i) => {
		made += 1;
		return aDecision(definition, {
			id: idAt(at + i * 30_000, made),
			arm: i % 3 === 0 ? "a" : "b",
			unit: `unit-${i % 7}`,
			group: i % 7 < 2 ? "control" : i % 7 === 6 ? "outside" : "policy",
			session: i % 2 === 0 ? `session-${i % 14}` : null,
			context:
				i % 5 === 0
					? {}
					: { device: i % 2 === 0 ? "phone" : "tv", loyalty: (i % 9) - 4 },
			propensities: Float64Array.of(0.3, 0.7),
			means: Float64Array.of(0.25, (i % 4) / 4),
			degraded: i % 11 === 3 ? ["profile", "posterior"] : [],
			...fields(i),
		});
	});
}

const TYPES = ["play", "save", "like", "skip", "complete"];
function eventsOf(rows: readonly DecisionRow[]): Event[] {
	return rows.flatMap((row, i) =>
		TYPES.filter((_, k) => (i + k) % 3 === 0).map((type, k) =>
			anEvent(row, type, { at: row.decidedAt + 1_000 * (k + 1) }),
		),
	);
}

async function learned(
	rows: readonly DecisionRow[],
	events: readonly Event[],
): Promise<void> {
	for (let i = 0; i < rows.length; i += 40)
		await booking.learn.execute([ledger.decided(...rows.slice(i, i + 40))]);
	for (let i = 0; i < events.length; i += 100)
		await booking.learn.execute(
			events.slice(i, i + 100).map((event) => ledger.happened(event)),
		);
}

const LATER = START + 5 * HOUR;
const book = (clock = LATER, log = bookings(), pageSize = 17) =>
	booking.book(clock, log, pageSize);

async function stateOf(key: string): Promise<BookingState> {
	await freeClaims();
	const state = await bookings().claim(key);
	await freeClaims();
	return state as BookingState;
}

/** All that is booked, as it is counted. */
async function booked(state: BookingState): Promise<readonly Bookable[]> {
	return bookings().page(
		{ ...state, cursor: uuidAtTime(0) },
		state.cursor,
		100_000,
	);
}

async function expectRecounted({
	experiment: { key },
}: Definition): Promise<readonly Bookable[]> {
	const state = await stateOf(key);
	const all = await booked(state);
	const { database } = ledger;
	const rowIds = new Map(
		(
			await database.query<{ key: string; id: number }>(
				`select u.version || ' ' || u.run || ' ' || u.epoch || ' ' || u.unit as key, u.id from booking_units u where u.experiment = $1`,
				[key],
			)
		).map((row) => [row.key, row.id]),
	);
	const plain = plainSums(
		all,
		state.closings,
		(epoch, unit) => rowIds.get(`${epoch} ${unit}`) as number,
	);
	const stored = await database.query<{
		key: string;
		units: number;
		moments: string[];
		covariate: string[];
	}>(
		`select s.version || ' ' || s.run || ' ' || s.epoch || ' ' || s.side || ' ' || s.slice as key, s.units,
			s.moments::text[] as moments, s.covariate::text[] as covariate
		from booking_sums s where s.experiment = $1`,
		[key],
	);
	const trimmed = (values: readonly (string | bigint)[]) => {
		const list = values.map(String);
		while (list.at(-1) === "0") list.pop();
		return list;
	};
	const comparable = (
		rows: readonly (readonly [
			string,
			{
				units: number | bigint;
				moments: readonly (string | bigint)[];
				covariate: readonly (string | bigint)[];
			},
		])[],
	) =>
		Object.fromEntries(
			rows
				.map(
					([name, { units, moments, covariate }]) =>
						[
							name,
							[Number(units), trimmed(moments), trimmed(covariate)],
						] as const,
				)
				.filter(([, [units, moments]]) => units !== 0 || moments.length > 0),
		);
	expect(
		comparable(stored.map(({ key: name, ...row }) => [name, row])),
	).toEqual(comparable([...plain]));
	const hours = await database.query<{ key: string; counts: number[] }>(
		`select h.version || ' ' || h.run || ' ' || h.epoch || ' ' || (extract(epoch from h.hour) / 3600)::int || ' ' || h."group" || ' ' || h.arm as key,
			array[h.decisions, h.shown, h.learned, h.reward]::float8[] as counts
		from booking_hours h where h.experiment = $1 and h.decisions <> 0`,
		[key],
	);
	expect(Object.fromEntries(hours.map((row) => [row.key, row.counts]))).toEqual(
		Object.fromEntries(plainHours(all)),
	);
	const degraded = await database.query<{ key: string; counts: number[] }>(
		`select d.version || ' ' || d.run || ' ' || d.part as key, array[d.decisions]::float8[] as counts
		from booking_degraded d where d.experiment = $1 and d.decisions <> 0`,
		[key],
	);
	expect(
		Object.fromEntries(degraded.map((row) => [row.key, row.counts])),
	).toEqual(Object.fromEntries(plainDegraded(all)));
	await expectScored(key, all);
	return all;
}

async function expectScored(
	key: string,
	all: readonly Bookable[],
): Promise<void> {
	const unbooked = new Set(
		(
			await ledger.database.query<{ id: string }>(
				"select b.decision_id as id from booking_unbooked b where b.experiment = $1",
				[key],
			)
		).map(({ id }) => id),
	);
	const blocks = await ledger.database.query<{
		side: string;
		first_id: string;
		weights: [string, number][];
	}>(
		"select b.side, b.first_id, b.weights from booking_blocks b where b.experiment = $1 order by b.first_id desc",
		[key],
	);
	const plain = plainScores(
		all.filter(({ row }) => !unbooked.has(row.id)),
		({ row }) =>
			new Map(
				blocks.find(
					({ side, first_id }) => side === row.group && first_id <= row.id,
				)?.weights,
			),
	);
	const [run] = await bookings().runs(key, [{ version: 1, run: 1 }]);
	for (const [arm, sums] of run?.scores.arms ?? [])
		for (const [name, value] of Object.entries(sums)) {
			const want =
				Object.entries(plain.get(`1 1 ${arm}`) ?? {}).find(
					([one]) => one === name,
				)?.[1] ?? 0;
			expect(Math.abs(value - want), `${arm} ${name}`).toBeLessThanOrEqual(
				1e-9 * Math.max(1, Math.abs(want)),
			);
		}
}

test("what was learned is booked once its window is closed, and the rollups are those of a plain recount", async () => {
	const definition = await ledger.define(experiment);
	const rows = decisionsOf(definition, 120);
	await learned(rows, eventsOf(rows));
	expect(await book(START + 20 * 60_000)).toBe(0);
	await freeClaims();
	// Half of them were decided more than 35 minutes before.
	await book(START + 35 * 60_000 + 60 * 30_000);
	expect(await expectRecounted(definition)).toHaveLength(60);
	await book();
	expect(await expectRecounted(definition)).toHaveLength(120);
	const { key } = definition.experiment;
	const counts = await booking.reads.counts(key, 1, 1);
	expect(counts.freshness).toMatchObject({
		decisions: 120,
		waiting: 0,
		unbooked: 0,
	});
	expect(counts.epochs[0]?.firstIn).toEqual({ policy: 4, control: 2 });
	expect(counts.metrics.at(-1)?.name).toBe("likes");
	expect(counts.hours.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(
		120,
	);
	expect(counts.looks.length).toBeGreaterThan(0);
	// Every eleventh but those of unit-6, which is outside.
	const { decisions, parts } = counts.degraded;
	expect(decisions).toBe(
		rows.filter(({ group, degraded: [part] }) => part && group !== "outside")
			.length,
	);
	expect(parts).toEqual({ profile: decisions, posterior: decisions });
});

test("what comes or changes later is counted, and left out of the scores", async () => {
	const definition = await ledger.define(experiment);
	const { key } = definition.experiment;
	const rows = decisionsOf(definition, 100);
	const events = eventsOf(rows);
	await learned(rows, events);
	await book();
	await freeClaims();
	const late = decisionsOf(
		definition,
		20,
		(i) => ({ unit: `late-${i % 3}`, group: "policy" }),
		START + 15_000,
	);
	const earlier = decisionsOf(
		definition,
		3,
		(i) => ({ unit: `unit-${2 + i}`, group: "policy" }),
		START - 2 * HOUR,
	);
	const back = events.slice(0, 9).map((event) => ({
		...event,
		id: `back-${event.id}`,
		type: "retract",
		retracts: event.id,
	}));
	await learned([...late, ...earlier], [...eventsOf(late), ...back]);
	await book();
	expect(await expectRecounted(definition)).toHaveLength(123);
	const { unbooked } = await booking.reads.freshness(key);
	expect(unbooked).toBeGreaterThanOrEqual(23);
	// It changes again: nothing is taken out twice.
	await learned(
		[],
		late.map((row) => anEvent(row, "click", { at: row.decidedAt + 5_000 })),
	);
	await book();
	await expectRecounted(definition);
	expect((await booking.reads.freshness(key)).unbooked).toBe(unbooked);
});

test("an erased unit is in no rollup any more, in the transaction that erases it", async () => {
	const definition = await ledger.define(experiment);
	const rows = decisionsOf(definition, 90);
	await learned(rows, eventsOf(rows));
	await book();
	const erasure = new PostgresErasure(ledger.database, 5);
	for (const unit of ["unit-0", "unit-3"]) {
		await erasure.erase([unit], 10_000);
		const left = await expectRecounted(definition);
		expect(left.some(({ row }) => row.unit === unit)).toBe(false);
	}
	await learned(
		decisionsOf(definition, 10, () => ({ unit: "unit-new" })),
		[],
	);
	await book();
	await expectRecounted(definition);
	const [found] = await ledger.database.query<{ n: number }>(
		"select count(*)::int as n from booking_units u where u.unit = any ($1) and u.experiment = $2",
		[["unit-0", "unit-3"], definition.experiment.key],
	);
	expect(found?.n).toBe(0);
});

test("beside learners, an eraser and another at the same, with kills between reading and storing, nothing is counted twice or left out", async () => {
	const definition = await ledger.define(experiment);
	const rows = decisionsOf(definition, 160);
	const events = eventsOf(rows);
	let isOver = false;
	// One at a time: on a slow machine they would take all connections.
	const freeing = (async () => {
		while (!isOver) {
			await freeClaims().catch(() => {});
			await new Promise((resolve) => setTimeout(resolve, 15));
		}
	})();
	const learning = (async () => {
		for (let i = 0; i < rows.length; i += 20) {
			const some = new Set(rows.slice(i, i + 20).map(({ id }) => id));
			await learned(rows.slice(i, i + 20), []);
			// Half of the events come with the next batch, below the cursor of who books meanwhile.
			await learned(
				[],
				events.filter(
					({ decisionId, type }) =>
						some.has(decisionId as string) && type !== "save",
				),
			);
			await learned(
				[],
				events.filter(
					({ decisionId, type }) =>
						some.has(decisionId as string) && type === "save",
				),
			);
		}
		isOver = true;
	})();
	const erasing = (async () => {
		const erasure = new PostgresErasure(ledger.database, 9);
		for (const unit of ["unit-1", "unit-4"]) {
			await new Promise((resolve) => setTimeout(resolve, 400));
			await erasure.erase([unit], 20_000);
		}
	})();
	let killed = 0;
	const holder = async () => {
		while (!isOver) {
			const log = bookings();
			const commit = log.commit.bind(log);
			let steps = 0;
			log.commit = (...step) => {
				steps += 1;
				if (steps % 5 !== 0) return commit(...step);
				killed += 1;
				throw new Error("killed between reading and storing");
			};
			await book(LATER, log, 7).catch(() => {});
		}
	};
	await Promise.all([learning, erasing, freeing, holder(), holder()]);
	expect(killed).toBeGreaterThan(0);
	await book();
	const left = await expectRecounted(definition);
	expect(left.length).toBe(
		(
			await ledger.database.query<{ n: number }>(
				"select count(*)::int as n from decisions d where d.experiment = $1",
				[definition.experiment.key],
			)
		)[0]?.n,
	);
	const { decisions } = await booking.reads.freshness(
		definition.experiment.key,
	);
	expect(decisions).toBe(left.length);
});

test("a step that was read before another was stored, or before an erasure, is not stored", async () => {
	const definition = await ledger.define(experiment);
	const { key } = definition.experiment;
	const rows = decisionsOf(definition, 30, (i) => ({ unit: `race-${i % 3}` }));
	await learned(rows, []);
	await book(START + 20 * 60_000);
	const nothing = {
		units: [],
		sums: [],
		hours: [],
		draws: [],
		degraded: [],
		runs: [],
		blocks: [],
		unbooked: [],
		decisions: 0,
	};
	const early = await stateOf(key);
	await book();
	const now = await stateOf(key);
	expect(now.cursor > early.cursor).toBe(true);
	const commit = (state: BookingState) =>
		bookings().commit(state, { ...state, look: null }, nothing);
	expect(await commit({ ...now, cursor: early.cursor })).toBe(false);
	expect(await commit({ ...now, revision: now.revision - 1 })).toBe(false);
	expect(
		await commit({ ...now, closings: { ...now.closings, after: 1 } }),
	).toBe(false);
	expect(await commit(now)).toBe(true);
	await freeClaims();
	await new PostgresErasure(ledger.database).erase(["race-1"], 10_000);
	expect(await commit(now)).toBe(false);
	await freeClaims();
	await expectRecounted(definition);
});

test("who is erased between the reading of a first decision and its storing does not come back", async () => {
	// By one transaction of the erasure, and by several of which the last finds nothing of the experiment any more.
	for (const mostAtOnce of [100, 2]) {
		const definition = await ledger.define(experiment);
		const elsewhere = await ledger.define(experiment);
		const { key } = definition.experiment;
		const gone = `gone-${mostAtOnce}`;
		await learned(
			decisionsOf(definition, 4, (i) => ({
				unit: i % 2 === 0 ? gone : "stays",
				group: "policy",
			})),
			[],
		);
		await learned(
			decisionsOf(elsewhere, 8, () => ({ unit: gone }), START + 4 * HOUR),
			[],
		);
		await freeClaims();
		const log = bookings();
		const commit = log.commit.bind(log);
		let erased = 0;
		log.commit = async (state, next, changes) => {
			if (erased === 0 && changes.units.some(({ unit }) => unit === gone)) {
				const erasure = new PostgresErasure(ledger.database, mostAtOnce);
				erased = (await erasure.erase([gone], 10_000)).removed.decisions;
			}
			return commit(state, next, changes);
		};
		await book(START + 2 * HOUR, log);
		expect(erased).toBe(10);
		await freeClaims();
		expect(await expectRecounted(definition)).toHaveLength(2);
		const units = await ledger.database.query(
			"select u.unit from booking_units u where u.experiment = $1",
			[key],
		);
		expect(units).toEqual([{ unit: "stays" }]);
	}
});

test("a recount finds the rollups equal after all that happened, and each number that somebody changed", async () => {
	const definition = await ledger.define(experiment);
	const { key } = definition.experiment;
	const rows = decisionsOf(definition, 80, (i) => ({ unit: `own-${i % 7}` }));
	await learned(rows, eventsOf(rows));
	await book();
	const late = decisionsOf(
		definition,
		9,
		(i) => ({ unit: `own-late-${i % 2}`, group: "control" }),
		START - HOUR,
	);
	await learned(late, eventsOf(late));
	await book();
	await new PostgresErasure(ledger.database).erase(["own-5"], 10_000);
	const recount = () => booking.recount(key);
	const { experiments, equal } = await recount();
	expect(experiments).toEqual([
		{
			experiment: key,
			decisions: 78,
			units: 7,
			partial: null,
			differences: [],
		},
	]);
	expect(equal).toBe(true);
	for (const [change, back, names] of [
		[
			"update booking_sums s set moments[2] = moments[2] + 1 where s.slice = 'all'",
			"update booking_sums s set moments[2] = moments[2] - 1 where s.slice = 'all'",
			/ policy all: Σn of reward: \d+ is stored, \d+ counted$/,
		],
		[
			"update booking_hours set shown = shown + 1",
			"update booking_hours set shown = shown - 1",
			/^hour 1 1 1 \d+ policy a: shown: \d+ is stored, \d+ counted$/,
		],
		[
			"update booking_days set learned = learned + 1",
			"update booking_days set learned = learned - 1",
			/^day .*: learned: \d+ is stored, \d+ counted$/,
		],
		[
			"update booking_draws set expected = expected + 1",
			"update booking_draws set expected = expected - 1",
			/^draws .*: expected: \d+ is stored, \d+ counted$/,
		],
		[
			"update booking_degraded set decisions = decisions + 1",
			"update booking_degraded set decisions = decisions - 1",
			/^degraded 1 1 : decisions: \d+ is stored, \d+ counted$/,
		],
		// 4096 and 4608, as they are packed.
		[
			"update booking_units set entry = replace(entry, 'ggI', 'ggJ')",
			"update booking_units set entry = replace(entry, 'ggJ', 'ggI')",
			/^a unit of .* 1 1 1: (policy|control) slice \S+: C of \w+: 4608 is stored, 4096 counted$/,
		],
		[
			"update booking_runs set scores = replace(scores::text, '\"hs\":', '\"hs\":1')::json",
			"select 1",
			/^score hs of arm ., .*: \S+ is stored, \S+ counted$/,
		],
	] as const) {
		const own = change.includes(" where ")
			? `${change} and`
			: `${change} where`;
		await ledger.database.query(`${own} experiment = $1`, [key]);
		const found = await recount();
		expect(found.equal, change).toBe(false);
		expect(
			found.experiments[0]?.differences.some((one) => names.test(one)),
			found.experiments[0]?.differences.join("\n"),
		).toBe(true);
		const undo = back.includes(" where ") ? `${back} and` : `${back} where`;
		if (back !== "select 1")
			await ledger.database.query(`${undo} experiment = $1`, [key]);
	}
});

test("a recount lets booking go on at once, whether it came to its end or was stopped, and takes nobody's claim away", async () => {
	const definition = await ledger.define(experiment);
	const { key } = definition.experiment;
	await learned(decisionsOf(definition, 20), []);
	await book();
	await freeClaims();
	const log = new PostgresBookedLog(ledger.database, ledger.store);
	const recount = (signal?: AbortSignal) =>
		new RecountBookings(log).execute(key, signal);
	const isFree = async () => {
		const state = await bookings().claim(key);
		if (state !== null) await freeClaims();
		return state !== null;
	};
	expect((await recount()).equal).toBe(true);
	expect(await isFree()).toBe(true);
	const stopping = new AbortController();
	const page = log.page.bind(log);
	log.page = (...asked) => {
		stopping.abort(new Error("stopped in between"));
		return page(...asked);
	};
	await expect(recount(stopping.signal)).rejects.toThrow("stopped in between");
	expect(await isFree()).toBe(true);
	// Stopped while it waits for one who is at it.
	await bookings().claim(key);
	await expect(
		recount(AbortSignal.abort(new Error("stopped at once"))),
	).rejects.toThrow("stopped at once");
	expect(await isFree()).toBe(false);
});
