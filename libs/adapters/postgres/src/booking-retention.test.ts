import { afterAll, beforeAll, expect, test } from "vitest";
import { uuidAtTime } from "#core/log";
import { BookDecisions, RecountBookings } from "#usecases/booking";
import {
	DaysOfLog,
	dayOf,
	today,
} from "../../../../test/support/days-of-log.js";
import {
	PostgresBookedLog,
	PostgresBookedReads,
	PostgresBookingLog,
} from "./index.js";

const HOUR = 3_600_000;

let log: DaysOfLog;
beforeAll(async () => {
	log = await DaysOfLog.learn(3);
});
afterAll(() => log?.close());

async function book(clock: number): Promise<void> {
	const { database, store } = log.ledger;
	await database.query("update bookings set claimed_until = '-infinity'");
	await new BookDecisions(new PostgresBookingLog(database, store)).execute(
		clock,
	);
	await database.query("update bookings set claimed_until = '-infinity'");
}

async function recount() {
	const { database, store } = log.ledger;
	const { experiments } = await new RecountBookings(
		new PostgresBookedLog(database, store),
	).execute();
	await log.ledger.database.query(
		"update bookings set claimed_until = '-infinity'",
	);
	return experiments;
}

/** Of all groups, from which decisions on scores have which weights. */
const blocks = () =>
	log.ledger.database.query<{ side: string; id: string }>(
		"select b.side, b.first_id as id from booking_blocks b order by b.side, b.first_id",
	);

test("a day of the log goes once it is booked; its part of the rollups stays, and units of which nothing is left are forgotten", async () => {
	const [first, second] = log.days as [number, number];
	const { run } = log.retention();
	// Its first decisions are, those after the first half hour are not.
	await book(first + HOUR);
	const early = await run.execute(dayOf(second));
	expect(early.kept).toEqual([
		{
			day: dayOf(first),
			why: `its decisions of ${log.key} are not booked yet; it is tried again`,
			differences: [],
		},
	]);

	await book(today() + 3 * HOUR);
	const reads = new PostgresBookedReads(log.ledger.database);
	const before = await reads.counts(log.key, 1, 1);
	expect(before.freshness.decisions).toBe(120);
	expect(await recount()).toMatchObject([
		{ decisions: 120, units: 7, partial: null, differences: [] },
	]);

	const known = await blocks();
	expect((await run.execute(dayOf(second))).kept).toEqual([]);
	// What the weights of decisions were that are gone, nobody asks any more.
	const kept = known.filter(
		({ side }, i) =>
			known[i + 1]?.side !== side ||
			(known[i + 1]?.id as string) >= uuidAtTime(second),
	);
	expect(kept.length).toBeLessThan(known.length);
	expect(await blocks()).toEqual(kept);
	const sums = async () => (await reads.counts(log.key, 1, 1)).epochs;
	expect(await sums()).toEqual(before.epochs);
	const [cut] = await recount();
	expect(cut).toMatchObject({ decisions: 80, units: 0, differences: [] });
	expect(cut?.partial).toContain("days of its log were dropped");

	await book(today() + 4 * HOUR);
	expect((await run.execute(dayOf(today() + 24 * HOUR))).kept).toEqual([]);
	expect(await sums()).toEqual(before.epochs);
	expect(await blocks()).toHaveLength(
		new Set(known.map((one) => one.side)).size,
	);
	const left = await log.ledger.database.query(
		"select u.unit from booking_units u",
	);
	expect(left).toEqual([]);
	expect(await recount()).toMatchObject([{ units: 0, differences: [] }]);
});
