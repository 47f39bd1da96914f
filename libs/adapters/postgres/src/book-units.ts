import type pg from "pg";
import {
	type BookingChanges,
	firstHourOf,
	type StoredUnit,
} from "#core/booking";
import { int4Array, textArray, uuidArray } from "./binary-array.js";

/** Where rollups lie. */
export interface Epoch {
	readonly version: number;
	readonly run: number;
	readonly epoch: number;
}

/** A column each. */
export const epochsOf = (rows: readonly Epoch[]) => [
	rows.map(({ version }) => version),
	rows.map(({ run }) => run),
	rows.map(({ epoch }) => epoch),
];

const isGone = ({ entry }: StoredUnit): boolean =>
	Object.keys(entry).length === 0;

/** What units did, in the place of what they had done before; a unit that did nothing any more has no row. */
export async function putUnits(
	client: pg.ClientBase,
	experiment: string,
	units: BookingChanges["units"],
): Promise<void> {
	const gone = units.filter((unit) => isGone(unit) && unit.id !== null);
	if (gone.length > 0)
		await client.query({
			name: "segue-book-drop-units",
			text: `delete from booking_units u using unnest($2::text[], $3::int[], $4::int[], $5::int[]) as r (unit, version, run, epoch)
				where u.unit = r.unit and u.experiment = $1 and u.version = r.version and u.run = r.run and u.epoch = r.epoch`,
			values: [experiment, gone.map(({ unit }) => unit), ...epochsOf(gone)],
		});
	const there = units.filter((unit) => !isGone(unit));
	const known = there.filter(({ id }) => id !== null);
	const changed = await changeUnits(client, experiment, known);
	// Retention may have forgotten one since it was read.
	await makeUnits(
		client,
		experiment,
		changed === known.length ? there.filter(({ id }) => id === null) : there,
	);
}

/** Rows that are there, which costs half of what it costs to make them or change them. Returns how many were. */
async function changeUnits(
	client: pg.ClientBase,
	experiment: string,
	units: readonly StoredUnit[],
): Promise<number> {
	if (units.length === 0) return 0;
	const { rowCount } = await client.query({
		name: "segue-book-change-units",
		text: `update booking_units u set first_hour = r.first_hour, last_id = r.last_id, entry = r.entry
			from unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::uuid[], $8::text[])
				as r (unit, version, run, epoch, first_hour, last_id, entry)
			where u.unit = r.unit and u.experiment = $1 and u.version = r.version and u.run = r.run and u.epoch = r.epoch`,
		values: [experiment, ...unitArrays(units)],
	});
	return rowCount ?? 0;
}

async function makeUnits(
	client: pg.ClientBase,
	experiment: string,
	units: readonly StoredUnit[],
): Promise<void> {
	if (units.length === 0) return;
	await client.query({
		name: "segue-book-make-units",
		text: `insert into booking_units as u (experiment, unit, version, run, epoch, first_hour, last_id, entry)
			select $1, r.unit, r.version, r.run, r.epoch, r.first_hour, r.last_id, r.entry
			from unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::uuid[], $8::text[])
				as r (unit, version, run, epoch, first_hour, last_id, entry)
			on conflict (unit, experiment, version, run, epoch) do update
			set first_hour = excluded.first_hour, last_id = excluded.last_id, entry = excluded.entry`,
		values: [experiment, ...unitArrays(units)],
	});
}

const unitArrays = (units: readonly StoredUnit[]): Buffer[] => [
	textArray(units.map(({ unit }) => unit)),
	...epochsOf(units).map(int4Array),
	int4Array(units.map(({ entry }) => firstHourOf(entry))),
	uuidArray(units.map(({ entry }) => latestOf(entry))),
	textArray(units.map(({ entry }) => JSON.stringify(entry))),
];

function latestOf(entry: StoredUnit["entry"]): string {
	return Object.values(entry)
		.map(({ last }) => last)
		.sort()
		.at(-1) as string;
}
