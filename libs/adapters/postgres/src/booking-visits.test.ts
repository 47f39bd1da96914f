import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Definition, visitOf } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { BookingOfTest } from "../../../../test/support/booking.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { PostgresErasure, PostgresLedgerReads } from "./index.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Math.floor((Date.now() - 6 * HOUR) / HOUR) * HOUR;
const experiment = anExperiment({
	key: "visited",
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "uniform" },
	context: { features: [{ name: "loyalty", from: "profile", kind: "number" }] },
	covariate: "loyalty",
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.5 },
	sticky: "unit",
});

let booking: BookingOfTest;
let definition: Definition;
beforeAll(async () => {
	// So that what happens in a month has happened.
	booking = await BookingOfTest.open(() => START + 40 * DAY);
});
beforeEach(async () => {
	definition = await booking.ledger.define(experiment);
});
afterAll(() => booking?.close());

let made = 0;
/** A decision each of eight listeners: in turn arm a and b, of policy the first four. */
async function decided(): Promise<readonly DecisionRow[]> {
	const rows = Array.from({ length: 8 }, (_, i) => {
		made += 1;
		return aDecision(definition, {
			id: idAt(START + 1_000 * i, made),
			arm: i % 2 === 0 ? "a" : "b",
			unit: `unit-${i}`,
			group: i < 4 ? "policy" : "control",
			context: { loyalty: i },
		});
	});
	await booking.learn.execute([booking.ledger.decided(...rows)]);
	return rows;
}

const visit = (row: DecisionRow | undefined, hours: number) =>
	visitOf(row as DecisionRow, START + hours * HOUR);
const told = (...events: Parameters<BookingOfTest["ledger"]["told"]>) =>
	booking.learn.execute([booking.ledger.told(...events)]);

/** Of a slice, the units whose time is over and how many came back, by metric. */
async function returned(slice = "all") {
	const { key } = definition.experiment;
	const { epochs, metrics } = await booking.reads.counts(key, 1, 1);
	const of = (group: string, metric: string) => {
		const place = metrics.findIndex(({ name }) => name === metric);
		const { n, c } = epochs[0]?.slices.find(
			(one) => one.slice === slice && one.group === group,
		)?.moments[place] ?? { n: 0, c: 0 };
		return `${c} of ${n}`;
	};
	return Object.fromEntries(
		["policy", "control"].map((group) => [
			group,
			["return_1d", "return_7d", "return_28d"].map((name) => of(group, name)),
		]),
	);
}

test("who is given the decision that stands came back by asking, told by group and by arm, and a recount agrees", async () => {
	const rows = await decided();
	await told(
		visit(rows[0], 5),
		visit(rows[1], 70),
		visit(rows[4], 200),
		// The same hour again, as another process tells of it.
		visit(rows[4], 200),
	);
	await booking.book(START + 3 * DAY);
	expect(await returned()).toEqual({
		policy: ["1 of 4", "0 of 0", "0 of 0"],
		control: ["0 of 4", "0 of 0", "0 of 0"],
	});
	await booking.book(START + 30 * DAY);
	expect(await returned()).toEqual({
		policy: ["1 of 4", "2 of 4", "2 of 4"],
		control: ["0 of 4", "0 of 4", "1 of 4"],
	});
	expect(await returned("arm:a")).toEqual({
		policy: ["1 of 2", "1 of 2", "1 of 2"],
		control: ["0 of 2", "0 of 2", "1 of 2"],
	});
	expect(await returned("arm:b")).toMatchObject({
		policy: ["0 of 2", "1 of 2", "1 of 2"],
	});
	expect(await booking.differences(definition)).toEqual([]);
	const counts = await new PostgresLedgerReads(booking.ledger.database).counts(
		definition.experiment.key,
	);
	expect(counts.map(({ verdict, count }) => [verdict, count])).toEqual(
		expect.arrayContaining([
			["logged", 8],
			["visit", 3],
			["duplicate", 1],
		]),
	);
	expect(counts.some(({ verdict }) => verdict === "late")).toBe(false);
});

test("in whatever order visits, events and retracts are learned and booked, the sums are the same, and those of a recount", async () => {
	const play = (row: DecisionRow | undefined, hours: number) =>
		anEvent(row as DecisionRow, "play", { at: START + hours * HOUR });
	const sums = () =>
		booking.ledger.database.query<{ slice: string }>(
			`select s.side, s.slice, s.units, s.moments::text[], s.covariate::text[] from booking_sums s
			where s.experiment = $1 order by s.side, s.slice`,
			[definition.experiment.key],
		);
	const results: unknown[] = [];
	for (const order of ["as it happened", "backwards", "late"]) {
		definition = await booking.ledger.define(experiment);
		const rows = await decided();
		const taken = play(rows[2], 48);
		const retract = {
			...anEvent(rows[2] as DecisionRow, "retract"),
			at: START + 90 * HOUR,
			retracts: taken.id,
		};
		const happened = [
			play(rows[0], 0.1),
			visit(rows[1], 30),
			taken,
			play(rows[5], 72),
			retract,
			visit(rows[6], 300),
		];
		if (order === "late") await booking.book(START + 30 * DAY);
		for (const event of order === "backwards"
			? happened.toReversed()
			: happened) {
			await told(event);
			if (order !== "as it happened") await booking.book(START + 9 * DAY);
		}
		await booking.book(START + 30 * DAY);
		expect(await returned()).toEqual({
			policy: ["0 of 4", "1 of 4", "1 of 4"],
			control: ["0 of 4", "1 of 4", "2 of 4"],
		});
		expect(await booking.differences(definition)).toEqual([]);
		results.push(await sums());
	}
	expect(results[1]).toEqual(results[0]);
	expect(results[2]).toEqual(results[0]);
});

test("an erased listener takes the visits along: out of the log, the rows and the sums", async () => {
	const rows = await decided();
	await told(visit(rows[0], 30), visit(rows[1], 50));
	await booking.book(START + 30 * DAY);
	const { database } = booking.ledger;
	await new PostgresErasure(database).erase(["unit-1"], 10_000);
	expect(await returned()).toMatchObject({
		policy: ["0 of 3", "1 of 3", "1 of 3"],
	});
	expect(
		await database.query(
			"select o.decision_id from outcomes o where o.unit = 'unit-1' and o.decision_id = $1",
			[rows[1]?.id],
		),
	).toEqual([]);
	// A process that has not heard of it goes on telling.
	await told(visit(rows[1], 60));
	await booking.book(START + 30 * DAY);
	expect(await returned()).toMatchObject({
		policy: ["0 of 3", "1 of 3", "1 of 3"],
	});
	expect(await booking.differences(definition)).toEqual([]);
});

test("rollups that are made again leave out whom nobody noted the visits of, and later events find their decisions though an older learner began to book", async () => {
	const { database } = booking.ledger;
	const { key } = definition.experiment;
	const rows = await decided();
	await database.query(
		"update installation set visits_since = $1 where (select true)",
		[rows[5]?.id],
	);
	try {
		await booking.book(START + 30 * DAY);
		expect(await returned()).toMatchObject({
			policy: ["0 of 0", "0 of 0", "0 of 0"],
			control: ["0 of 2", "0 of 2", "0 of 2"],
		});
		// As a learner leaves it that does not know the column.
		await database.query(
			"update bookings set first_hour = null where experiment = $1",
			[key],
		);
		await told(anEvent(rows[0] as DecisionRow, "play"));
		await booking.book(START + 30 * DAY);
		expect(await booking.differences(definition)).toEqual([]);
	} finally {
		await database.query(
			"update installation set visits_since = '00000000-0000-0000-0000-000000000000' where (select true)",
		);
	}
});

test("a visit moves nothing that is learned", async () => {
	const rows = await decided();
	await booking.learn.execute([
		booking.ledger.happened(anEvent(rows[0] as DecisionRow, "play")),
	]);
	const before = await booking.ledger.sums(definition);
	await told(...rows.map((row) => visit(row, 30)));
	expect(await booking.ledger.sums(definition)).toEqual(before);
	expect((await booking.ledger.verify(definition)).equal).toBe(true);
});

test("the migration takes what was counted without visits out of the returns, and what comes later is counted", async () => {
	const { database } = booking.ledger;
	const { key } = definition.experiment;
	const [old] = await decided();
	// As before: neither visits nor arms in the rows, and everybody counted as having stayed away.
	const booked = await booking.book(START);
	expect(booked).toBe(0);
	await database.query(
		"update bookings set visits_since = segue_id_floor(clock_timestamp() + interval '1 day') where experiment = $1",
		[key],
	);
	await booking.book(START + 30 * DAY);
	await database.query(
		`update booking_units set entry = regexp_replace(entry, ',"arm":"[ab]"', '', 'g') where experiment = $1`,
		[key],
	);
	expect(await booking.differences(definition)).toEqual([]);
	for (const place of [55, 56, 58, 61, 62, 64, 67, 68, 70])
		await database.query(
			`update booking_sums set moments[${place}] = moments[${place}] + 4 where experiment = $1 and slice in ('all', 'arm:a')`,
			[key],
		);
	for (const place of [40, 42, 44, 46, 48, 50])
		await database.query(
			`update booking_sums set covariate[${place}] = covariate[${place}] + 4 where experiment = $1 and slice = 'all'`,
			[key],
		);
	expect(await booking.differences(definition)).not.toEqual([]);
	const migration = readFileSync(
		new URL("../../../../migrations/0025_visits.sql", import.meta.url),
		"utf8",
	);
	const changes = migration.match(/^update [^;]*;/gm) ?? [];
	expect(changes).toHaveLength(4);
	for (const change of changes) await database.query(change);
	expect(await booking.differences(definition)).toEqual([]);
	expect(await returned()).toMatchObject({
		policy: ["0 of 0", "0 of 0", "0 of 0"],
	});
	const later = aDecision(definition, {
		id: idAt(Date.now() + 60_000, 1),
		arm: "a",
		unit: "new",
	});
	await booking.learn.execute([booking.ledger.decided(later)]);
	await told(visitOf(later, later.decidedAt + 50 * HOUR), visit(old, 50));
	await booking.book(START + 32 * DAY);
	expect(await returned()).toMatchObject({
		policy: ["0 of 1", "1 of 1", "1 of 1"],
	});
	expect(await booking.differences(definition)).toEqual([]);
});
