import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import type { StoredDefinition } from "#usecases/defining";
import { BookingOfTest } from "../../../../test/support/booking.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import type { LedgerOfTest } from "../../../../test/support/ledger.js";
import { PostgresReportReads } from "./index.js";

const HOUR = 3_600_000;
const START = Math.floor((Date.now() - 6 * HOUR) / HOUR) * HOUR;
const experiment = anExperiment({
	key: "paused",
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
});

let booking: BookingOfTest;
let ledger: LedgerOfTest;
let definition: Definition;

beforeAll(async () => {
	booking = await BookingOfTest.open();
	ledger = booking.ledger;
});
beforeEach(async () => {
	definition = await ledger.define(experiment);
});
afterAll(() => booking?.close());

let made = 0;
/** Every half minute one, of seven listeners in turn: two are control, one is outside. */
function decisionsOf(
	of: Definition,
	count: number,
	at = START,
	fields: (i: number) => Partial<DecisionRow> = () => ({}),
): DecisionRow[] {
	return Array.from({ length: count }, (_, i) => {
		made += 1;
		return aDecision(of, {
			id: idAt(at + i * 30_000, made),
			arm: i % 3 === 0 ? "a" : "b",
			unit: `unit-${i % 7}`,
			group: i % 7 < 2 ? "control" : i % 7 === 6 ? "outside" : "policy",
			propensities: Float64Array.of(0.3, 0.7),
			means: Float64Array.of(0.25, 0.5),
			degraded: i % 11 === 3 ? ["profile", "posterior"] : [],
			...fields(i),
		});
	});
}

async function learned(rows: readonly DecisionRow[]): Promise<void> {
	await booking.learn.execute([ledger.decided(...rows)]);
	await booking.learn.execute(
		rows
			.filter((_, i) => i % 2 === 0)
			.map((row) =>
				ledger.happened(anEvent(row, "play", { at: row.decidedAt + 1_000 })),
			),
	);
}

const book = (clock = START + 5 * HOUR) => booking.book(clock);
const differences = () => booking.differences(definition);

const turn = async (change: Partial<StoredDefinition>) =>
	(await ledger.store.change(definition.experiment.key, (current) => ({
		...(current as StoredDefinition),
		...change,
	}))) as StoredDefinition;

test("over a pause a listener stays one row of one epoch, what is still open is counted from both sides of it, and a new start begins anew", async () => {
	const { key } = definition.experiment;
	await learned(decisionsOf(definition, 40));
	await turn({ state: "paused", action: "pause" });
	const resumed = await turn({ state: "running", run: 2, action: "resume" });
	expect(resumed).toMatchObject({ run: 2, bookedRun: 1 });
	await learned(decisionsOf(resumed, 40, START + HOUR));
	const { reads } = booking;
	const { arms } = await new PostgresReportReads(ledger.database, reads).open(
		{ experiment: key, version: 1, run: 1 },
		await reads.freshness(key),
	);
	expect(arms?.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(80);
	// Where they are too many to count, the last is told all the same.
	const last = decisionsOf(resumed, 40, START + HOUR).at(-1) as DecisionRow;
	expect(
		await new PostgresReportReads(ledger.database, reads, 79).open(
			{ experiment: key, version: 1, run: 1 },
			await reads.freshness(key),
		),
	).toEqual({ arms: null, firstAt: null, lastAt: last.decidedAt });
	const anew = await turn({ run: 3, bookedRun: 3, analysis: 2 });
	await learned(decisionsOf(anew, 10, START + 2 * HOUR));
	await book();
	const runs = await ledger.database.query(
		"select u.run, count(*)::int as units from booking_units u where u.experiment = $1 group by u.run order by u.run",
		[key],
	);
	expect(runs).toEqual([
		{ run: 1, units: 6 },
		{ run: 3, units: 6 },
	]);
	const { epochs } = await reads.counts(key, 1, 1);
	expect(epochs).toHaveLength(1);
	expect(await differences()).toEqual([]);
});

test("who came too late to come back before a stop is counted in no return; while it runs everybody is", async () => {
	const { reads } = booking;
	const closed = async () => {
		await learned(decisionsOf(definition, 40));
		await book(START + 3 * 24 * HOUR);
		expect(await differences()).toEqual([]);
		const { epochs, metrics } = await reads.counts(
			definition.experiment.key,
			1,
			1,
		);
		const place = metrics.findIndex(({ name }) => name === "return_1d");
		const all = epochs[0]?.slices.filter(({ slice }) => slice === "all") ?? [];
		return all.map(({ group, units, moments }) => [
			group,
			units,
			moments[place]?.units,
		]);
	};
	expect(await closed()).toEqual([
		["control", 2, 2],
		["policy", 4, 4],
	]);
	definition = await ledger.define(experiment);
	await turn({ state: "stopped", action: "stop" });
	expect(await closed()).toEqual([
		["control", 2, 0],
		["policy", 4, 0],
	]);
});

test("the migration counts as degraded what was booked before, and nothing that booking has not come to", async () => {
	await learned(decisionsOf(definition, 60));
	await book(START + 35 * 60_000 + 40 * 30_000);
	// Below the cursor, and booked only with the next step.
	await learned(
		decisionsOf(definition, 8, START - HOUR, (i) => ({
			unit: `late-${i}`,
			group: "policy",
			degraded: ["live"],
		})),
	);
	const migration = readFileSync(
		new URL("../../../../migrations/0022_degraded.sql", import.meta.url),
		"utf8",
	);
	const [counting] = /insert into booking_degraded[^;]*;/.exec(migration) ?? [];
	const stored = () =>
		ledger.database.query(
			"select d.* from booking_degraded d order by d.experiment, d.run, d.part",
		);
	const before = await stored();
	await ledger.database.query("truncate booking_degraded");
	await ledger.database.query(counting as string);
	expect(await stored()).toEqual(before);
	expect(await differences()).toEqual([]);
	await book();
	expect(await differences()).toEqual([]);
	expect(await stored()).not.toEqual(before);
});
