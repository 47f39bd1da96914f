import type pg from "pg";
import type { BookingChanges } from "#core/booking";
import { addHours } from "./book-hours.js";
import { scoresJson, weightsJson } from "./book-records.js";
import { type Epoch, epochsOf, putUnits } from "./book-units.js";

/** Writes of rollups, one action a function. Whoever calls them has changed the experiment's row of `bookings` first, and so is alone. */

export async function storeChanges(
	client: pg.ClientBase,
	experiment: string,
	changes: BookingChanges,
): Promise<void> {
	await putUnits(client, experiment, changes.units);
	await addSums(client, experiment, changes.sums);
	await addHours(client, experiment, changes.hours);
	await addDraws(client, experiment, changes.draws);
	await addDegraded(client, experiment, changes.degraded);
	await putRuns(client, experiment, changes.runs);
	await putBlocks(client, experiment, changes.blocks);
	await noteUnbooked(client, experiment, changes.unbooked);
}

const numerics = (values: readonly bigint[]): string => `{${values.join(",")}}`;

export async function addSums(
	client: pg.ClientBase,
	experiment: string,
	sums: BookingChanges["sums"],
): Promise<void> {
	if (sums.length === 0) return;
	await client.query({
		name: "segue-book-add-sums",
		text: `insert into booking_sums as s (experiment, version, run, epoch, slice, side, units, moments, covariate)
			select $1, r.version, r.run, r.epoch, r.slice, r.side, r.units, r.moments::numeric[], r.covariate::numeric[]
			from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[])
				as r (version, run, epoch, slice, side, units, moments, covariate)
			on conflict (experiment, version, run, epoch, slice, side) do update set units = s.units + excluded.units,
				moments = segue_add_numeric(s.moments, excluded.moments), covariate = segue_add_numeric(s.covariate, excluded.covariate)`,
		values: [
			experiment,
			...epochsOf(sums),
			sums.map(({ slice }) => slice),
			sums.map(({ side }) => side),
			sums.map(({ units }) => units),
			sums.map(({ moments }) => numerics(moments)),
			sums.map(({ covariate }) => numerics(covariate)),
		],
	});
}

async function addDraws(
	client: pg.ClientBase,
	experiment: string,
	draws: BookingChanges["draws"],
): Promise<void> {
	if (draws.length === 0) return;
	await client.query({
		name: "segue-book-add-draws",
		text: `insert into booking_draws as d (experiment, version, run, epoch, side, arm, eligible, drawn, expected, variance)
			select $1, r.version, r.run, r.epoch, r.side, r.arm, r.eligible, r.drawn, r.expected, r.variance
			from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::numeric[], $10::numeric[])
				as r (version, run, epoch, side, arm, eligible, drawn, expected, variance)
			on conflict (experiment, version, run, epoch, side, arm) do update set eligible = d.eligible + excluded.eligible,
				drawn = d.drawn + excluded.drawn, expected = d.expected + excluded.expected, variance = d.variance + excluded.variance`,
		values: [
			experiment,
			...epochsOf(draws),
			draws.map(({ group }) => group),
			draws.map(({ arm }) => arm),
			draws.map(({ eligible }) => eligible),
			draws.map(({ drawn }) => drawn),
			draws.map(({ expected }) => expected),
			draws.map(({ variance }) => variance),
		],
	});
}

async function addDegraded(
	client: pg.ClientBase,
	experiment: string,
	degraded: BookingChanges["degraded"],
): Promise<void> {
	if (degraded.length === 0) return;
	await client.query({
		name: "segue-book-add-degraded",
		text: `insert into booking_degraded as d (experiment, version, run, part, decisions)
			select $1, r.version, r.run, r.part, r.decisions
			from unnest($2::int[], $3::int[], $4::text[], $5::bigint[]) as r (version, run, part, decisions)
			on conflict (experiment, version, run, part) do update set decisions = d.decisions + excluded.decisions`,
		values: [
			experiment,
			degraded.map(({ version }) => version),
			degraded.map(({ run }) => run),
			degraded.map(({ part }) => part),
			degraded.map(({ decisions }) => decisions),
		],
	});
}

async function putRuns(
	client: pg.ClientBase,
	experiment: string,
	runs: BookingChanges["runs"],
): Promise<void> {
	for (const { version, run, metrics, scores } of runs)
		await client.query({
			name: "segue-book-put-run",
			text: `insert into booking_runs (experiment, version, run, metrics, scores) values ($1, $2, $3, $4, $5)
				on conflict (experiment, version, run) do update set metrics = excluded.metrics, scores = excluded.scores`,
			values: [
				experiment,
				version,
				run,
				JSON.stringify(metrics),
				scoresJson(scores),
			],
		});
}

async function putBlocks(
	client: pg.ClientBase,
	experiment: string,
	blocks: BookingChanges["blocks"],
): Promise<void> {
	if (blocks.length === 0) return;
	await client.query({
		name: "segue-book-put-blocks",
		text: `insert into booking_blocks (experiment, version, run, side, first_id, number, weights)
			select $1, r.version, r.run, r.side, r.first_id, r.number, r.weights::json
			from unnest($2::int[], $3::int[], $4::text[], $5::uuid[], $6::int[], $7::text[])
				as r (version, run, side, first_id, number, weights)`,
		values: [
			experiment,
			blocks.map(({ version }) => version),
			blocks.map(({ run }) => run),
			blocks.map(({ side }) => side),
			blocks.map(({ firstId }) => firstId),
			blocks.map(({ number }) => number),
			blocks.map(weightsJson),
		],
	});
}

async function noteUnbooked(
	client: pg.ClientBase,
	experiment: string,
	ids: readonly string[],
): Promise<void> {
	if (ids.length === 0) return;
	await client.query({
		name: "segue-book-note-unbooked",
		text: "insert into booking_unbooked (decision_id, experiment) select i.id, $1 from unnest($2::uuid[]) as i (id) on conflict do nothing",
		values: [experiment, ids],
	});
}

/** Keeps the sums over all units of the epochs that were booked in as they are now. */
export async function keepLook(
	client: pg.ClientBase,
	experiment: string,
	at: number,
	epochs: readonly Epoch[],
): Promise<void> {
	const distinct = [
		...new Map(
			epochs.map((one) => [`${one.version} ${one.run} ${one.epoch}`, one]),
		).values(),
	];
	if (distinct.length === 0) return;
	await client.query({
		name: "segue-book-keep-look",
		text: `insert into booking_looks (experiment, version, run, epoch, at, side, units, first_in, moments)
			select s.experiment, s.version, s.run, s.epoch, $5, s.side, s.units, coalesce(f.units, 0), s.moments
			from unnest($2::int[], $3::int[], $4::int[]) as r (version, run, epoch)
			join booking_sums s on s.experiment = $1 and s.version = r.version and s.run = r.run and s.epoch = r.epoch and s.slice = 'all'
			left join booking_sums f on f.experiment = $1 and f.version = r.version and f.run = r.run and f.epoch = r.epoch
				and f.slice = 'first' and f.side = s.side
			on conflict do nothing`,
		values: [experiment, ...epochsOf(distinct), new Date(at)],
	});
}
