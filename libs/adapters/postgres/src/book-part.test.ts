import { afterAll, beforeAll, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import type { BookingState } from "#usecases/booking";
import { BookingOfTest } from "../../../../test/support/booking.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { readPart } from "./book-part.js";
import type { Read } from "./book-rows.js";
import { BookedDefinitions } from "./booked-definitions.js";
import { ensurePartitions } from "./index.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Math.floor((Date.now() - 6 * HOUR) / HOUR) * HOUR;
const experiment = anExperiment({
	key: "parted",
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "uniform" },
	reward: { window: "10m", outcomes: [{ type: "play", value: 1 }] },
});

let booking: BookingOfTest;
let definition: Definition;
beforeAll(async () => {
	booking = await BookingOfTest.open();
	const { database } = booking.ledger;
	await database.query(
		"update installation set horizon = segue_id_floor(now() - interval '20 days')",
	);
	await ensurePartitions(
		(text, values) => database.query(text, values),
		Date.now(),
	);
	definition = await booking.ledger.define(experiment);
});
afterAll(() => booking?.close());

const dayOf = (ms: number) =>
	new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");

/** Decisions one after the other from an instant on, learned before anything is booked of them. */
async function decided(at: number, tail: number) {
	const rows = Array.from({ length: 10 }, (_, i) =>
		aDecision(definition, {
			id: idAt(at + 1_000 * i, tail + i),
			arm: "a",
			unit: `unit-${i}`,
		}),
	);
	await booking.learn.execute([booking.ledger.decided(...rows)]);
	return rows;
}

/** The ids that the next part corrects, and in which days' outcomes, by which indexes, it looks for what happened. */
async function lookedAt() {
	const { database, store } = booking.ledger;
	const plans: string[] = [];
	const read: Read = async (text, values, name) => {
		if (text.includes("outcomes o where o.batch")) {
			const lines = await database.query<{ "QUERY PLAN": string }>(
				`explain (costs off) ${text}`,
				[...values],
			);
			plans.push(...lines.map((line) => line["QUERY PLAN"]));
		}
		return database.query(text, [...values], name);
	};
	await booking.freeClaims();
	const state = await booking.log().claim(definition.experiment.key);
	const part = await readPart(
		read,
		state as BookingState,
		new BookedDefinitions((ids) => store.byIds(ids)),
	);
	const plan = plans.join("\n");
	return {
		corrected: part?.corrections.map(({ after }) => after.row.id),
		days: [...new Set(plan.match(/(?<= on outcomes_)\d{8}/g))].sort(),
		indexes: plan.match(/outcomes_\w+_idx|outcomes_\w+_pkey/g) ?? [],
	};
}

test("what happened to booked decisions is looked for in no day before the first of them, and found in that", async () => {
	const rows = await decided(START, 1);
	await booking.book(START + HOUR);
	const play = (row = rows[3]) =>
		anEvent(row as (typeof rows)[0], "play", { id: `late-${row?.id}` });
	await booking.learn.execute([booking.ledger.happened(play())]);
	const first = await lookedAt();
	expect(first.corrected).toEqual([rows[3]?.id]);
	expect(first.days[0]).toBe(dayOf(START));
	expect(first.indexes.length).toBeGreaterThan(0);
	for (const index of first.indexes) expect(index).toMatch(/_batch_idx/);
	// From a spool that drained late: below all that was booked, and below its day.
	const earlier = await decided(START - 5 * DAY, 100);
	await booking.book(START + 2 * HOUR);
	await booking.learn.execute([booking.ledger.happened(play(earlier[0]))]);
	const second = await lookedAt();
	expect(second.corrected).toEqual([earlier[0]?.id]);
	expect(second.days[0]).toBe(dayOf(START - 5 * DAY));
	await booking.book(START + 3 * HOUR);
	expect(await booking.differences(definition)).toEqual([]);
});
