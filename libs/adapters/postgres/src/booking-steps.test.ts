import { afterAll, beforeAll, expect, test } from "vitest";
import { unpack } from "#core/booking";
import type { Definition, Experiment } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { BookingOfTest } from "../../../../test/support/booking.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import type { LedgerOfTest } from "../../../../test/support/ledger.js";
import { PostgresErasure } from "./index.js";

const HOUR = 3_600_000;
const START = Math.floor((Date.now() - 6 * HOUR) / HOUR) * HOUR;
const plain = anExperiment({
	key: "stepped",
	arms: [{ key: "a" }, { key: "b" }],
	context: {
		features: [
			{ name: "headphones", from: "request", kind: "boolean" },
			{ name: "loyalty", from: "profile", kind: "number" },
		],
	},
	policy: { kind: "uniform" },
	reward: { window: "10m", outcomes: [{ type: "play", value: 1 }] },
});

let booking: BookingOfTest;
let ledger: LedgerOfTest;
beforeAll(async () => {
	booking = await BookingOfTest.open();
	ledger = booking.ledger;
});
afterAll(() => booking?.close());

let made = 0;
async function learned(
	definition: Definition,
	at: number,
	count = 20,
): Promise<readonly DecisionRow[]> {
	const rows = Array.from({ length: count }, (_, i) => {
		made += 1;
		return aDecision(definition, {
			id: idAt(at + 1_000 * i, made),
			arm: i % 2 === 0 ? "a" : "b",
			unit: `unit-${i % 5}`,
			session: `session-${i % 10}`,
			context: { headphones: i % 3 === 0, loyalty: i },
		});
	});
	await booking.learn.execute([ledger.decided(...rows)]);
	await booking.learn.execute(
		rows.map((row) =>
			ledger.happened(
				anEvent(row, "play", { at: row.decidedAt + 57, session: "s" }),
			),
		),
	);
	return rows;
}

test("segments and a covariate that a later definition declares are read of its decisions, by a process that knew none", async () => {
	const before = await ledger.define(plain);
	const { key } = before.experiment;
	const log = booking.log();
	await learned(before, START);
	await booking.book(START + HOUR, log, 7);
	const declared: Experiment = {
		...plain,
		segments: ["headphones"],
		covariate: "loyalty",
	};
	const after = await ledger.define(declared, key, 2);
	await learned(before, START + HOUR);
	await learned(after, START + HOUR + 30_000);
	await booking.book(START + 3 * HOUR, log, 7);
	const sums = await ledger.database.query<{ slice: string; x: number }>(
		`select s.slice, coalesce(s.covariate[2], 0)::float8 / 4096 as x from booking_sums s
		where s.experiment = $1 and s.version = 2 and s.side = 'policy' and s.slice not like 'arm:%' order by s.slice`,
		[key],
	);
	// Of five units, whose first decisions had a loyalty of 0 to 4.
	expect(sums).toEqual([
		{ slice: "all", x: 0 + 1 + 2 + 3 + 4 },
		{ slice: "first", x: 0 },
		{ slice: "segment:headphones=false", x: 0 },
		{ slice: "segment:headphones=true", x: 0 },
	]);
	expect(await booking.differences(after)).toEqual([]);
});

test("a unit whose row was forgotten after it was read is stored again, whole", async () => {
	const definition = await ledger.define(plain);
	const { key } = definition.experiment;
	await learned(definition, START);
	await booking.book(START + HOUR);
	await learned(definition, START + HOUR);
	const log = booking.log();
	const commit = log.commit.bind(log);
	let forgotten = 0;
	log.commit = async (state, next, changes) => {
		if (changes.units.length > 0) {
			const gone = await ledger.database.query(
				"delete from booking_units u where u.experiment = $1 and u.unit = 'unit-3' returning u.unit",
				[key],
			);
			forgotten += gone.length;
		}
		return commit(state, next, changes);
	};
	await booking.book(START + 3 * HOUR, log);
	expect(forgotten).toBe(1);
	const rows = await ledger.database.query(
		"select u.unit from booking_units u where u.experiment = $1 order by u.unit",
		[key],
	);
	expect(rows).toHaveLength(5);
	expect(await booking.differences(definition)).toEqual([]);
});

test("rows of units that were written before their lists were packed are read, and written packed", async () => {
	const definition = await ledger.define(plain);
	const { key } = definition.experiment;
	await learned(definition, START, 60);
	await booking.book(START + HOUR);
	const units = () =>
		ledger.database.query<{ unit: string; entry: string }>(
			"select u.unit, u.entry from booking_units u where u.experiment = $1 order by u.unit",
			[key],
		);
	const packed = await units();
	for (const { unit, entry } of packed) {
		const { policy } = JSON.parse(entry);
		const pairs = (list: readonly string[]): [string, string][] =>
			list.flatMap((name, i) =>
				i % 2 === 0 ? [[name, list[i + 1] ?? ""]] : [],
			);
		const old = {
			...policy,
			hours: { [String(unpack(policy.hours)[0])]: unpack(policy.hours)[1] },
			slices: Object.fromEntries(
				pairs(policy.slices).map(([name, columns]) => [name, unpack(columns)]),
			),
			sessions: pairs(policy.sessions).map(([name, span]) => {
				const [from = 0, length = 0] = unpack(span);
				return [name, from, from + length];
			}),
		};
		await ledger.database.query(
			"update booking_units u set entry = $3 where u.experiment = $1 and u.unit = $2",
			[key, unit, JSON.stringify({ policy: old })],
		);
	}
	expect(await units()).not.toEqual(packed);
	expect(await booking.differences(definition)).toEqual([]);
	await learned(definition, START + HOUR);
	await booking.book(START + 3 * HOUR);
	expect(await booking.differences(definition)).toEqual([]);
	for (const { entry } of await units())
		expect(typeof JSON.parse(entry).policy.hours).toBe("string");
});

test("a step that has read decisions which are erased before it is stored is not stored, though nothing of them was booked", async () => {
	const definition = await ledger.define(plain);
	const { key } = definition.experiment;
	await learned(definition, START);
	const log = booking.log();
	const commit = log.commit.bind(log);
	const stored: boolean[] = [];
	log.commit = async (state, next, changes) => {
		if (changes.decisions === 0) return commit(state, next, changes);
		if (stored.length === 0)
			await new PostgresErasure(ledger.database).erase(["unit-3"], 10_000);
		const isStored = await commit(state, next, changes);
		stored.push(isStored);
		return isStored;
	};
	await booking.book(START + HOUR, log);
	expect(stored).toEqual([false, true]);
	const [counted] = await ledger.database.query(
		"select sum(h.decisions)::int as n from booking_hours h where h.experiment = $1",
		[key],
	);
	expect(counted).toEqual({ n: 16 });
	expect(await booking.differences(definition)).toEqual([]);
});
