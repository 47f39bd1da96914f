import type pg from "pg";
import { BookingStep } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { BookingState } from "#usecases/booking";
import {
	type RunRecord,
	toStoredRun,
	toStoredUnit,
	type UnitRecord,
	unitColumns,
} from "./book-records.js";
import {
	type BookedRecord,
	bookedColumns,
	newerBatches,
	type Read,
	readBookables,
	readBooked,
	readBy,
} from "./book-rows.js";
import {
	readTurns,
	type StateRecord,
	stateColumns,
	toState,
} from "./book-state.js";
import { storeChanges } from "./book-store.js";
import { BookedDefinitions } from "./booked-definitions.js";
import { readDefinitions } from "./definition-store.js";

/**
 * Takes units out of the rollups, before their rows go: of decisions before the bound what they were counted for by hour, arm and score,
 * and with the last of them (no bound) all that is kept of the units. Booking stands still meanwhile, and does its step again after.
 */
export async function unbookUnits(
	client: pg.ClientBase,
	units: readonly string[],
	bound: string | null,
	known: ReadonlyMap<number, Definition>,
): Promise<void> {
	const read = readBy(client);
	const states = await lockBookings(read, units);
	const definitions = new BookedDefinitions(async (ids) => {
		const there = ids.flatMap((id) => known.get(id) ?? []);
		const others = ids.filter((id) => !known.has(id));
		return others.length === 0
			? there
			: [...there, ...(await readDefinitions(client, others))];
	}, known.values());
	for (const state of states)
		await unbook(client, state, { units, bound, definitions });
}

/**
 * Those of experiments that the units have to do with. In the order of their keys, so that erasures cannot deadlock here. Of each it is
 * noted that it was erased from, be it booked or not: a step may have read what goes now.
 */
async function lockBookings(
	read: Read,
	units: readonly string[],
): Promise<readonly BookingState[]> {
	const records = await read<StateRecord>(
		`with locked as (
			select k.experiment from bookings k where k.revision > 0 and k.experiment in (
				select d.experiment from decisions d where d.unit = any ($1::text[])
				union select u.experiment from booking_units u where u.unit = any ($1::text[])
			) order by k.experiment for update
		)
		update bookings b set erasures = b.erasures + 1 from locked l where b.experiment = l.experiment
		returning ${stateColumns}`,
		[units],
		"segue-lock-bookings",
	);
	const states: BookingState[] = [];
	for (const record of records)
		states.push(toState(record, await readTurns(read, record.experiment)));
	return states;
}

async function unbook(
	client: pg.ClientBase,
	state: BookingState,
	{
		units,
		bound,
		definitions,
	}: {
		readonly units: readonly string[];
		readonly bound: string | null;
		readonly definitions: BookedDefinitions;
	},
): Promise<void> {
	const read = readBy(client);
	const { experiment, cursor, revision } = state;
	const booked = await readBookables(
		read,
		experiment,
		revision,
		definitions,
		(names) =>
			read<BookedRecord>(
				`select ${bookedColumns("$6")} from decisions d
				where d.unit = any ($2::text[]) and d.experiment = $1 and d.id <= $3::uuid and ($5::uuid is null or d.id < $5)
				and not d.batch = any (${newerBatches("$1", "$4")}) order by d.id`,
				[experiment, units, cursor, revision, bound, names],
			),
	);
	const stored =
		bound === null
			? await read<UnitRecord>(
					`select ${unitColumns} from booking_units u where u.unit = any ($2::text[]) and u.experiment = $1`,
					[experiment, units],
				)
			: [];
	if (booked.length + stored.length === 0) return;
	const runs = await read<RunRecord>(
		"select b.version, b.run, b.metrics, b.scores from booking_runs b where b.experiment = $1",
		[experiment],
	);
	const { unbooked, blocks } = await readBooked(read, experiment, booked);
	const step = new BookingStep(
		stored.map(toStoredUnit),
		runs.map(toStoredRun),
		state.closings,
	);
	for (const bookable of booked) {
		const { id } = bookable.row;
		const isUnbooked = unbooked.has(id);
		step.forget({ bookable, isUnbooked, block: blocks.get(id) ?? null });
	}
	step.forgetUnits();
	const changes = step.changes();
	await client.query(
		"update bookings b set decisions = b.decisions + $2, unbooked = b.unbooked - $3 where b.experiment = $1",
		[experiment, changes.decisions, unbooked.size],
	);
	await storeChanges(client, experiment, changes);
	if (unbooked.size > 0)
		await client.query(
			"delete from booking_unbooked b where b.decision_id = any ($1::uuid[])",
			[[...unbooked]],
		);
}
