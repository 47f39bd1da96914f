import pg from "pg";
import type { Definition } from "#core/experiment";
import { GRID } from "#core/linalg";
import { addObservation, emptySums } from "#core/policy";
import { bucketOf, type SumsDelta } from "#usecases/learning";
import { readBinary } from "./binary-rows.js";
import type { Taken } from "./erasure-taken.js";
import { addShard, CHUNK_LENGTH } from "./sums-chunks.js";

const DOUBLE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** What the decisions had given to the sums, negated: E and R as they stood, which is what was added. */
export function shareOfSums(
	{ decisions, states }: Taken,
	definitions: ReadonlyMap<number, Definition>,
): readonly SumsDelta[] {
	const rewardOf = new Map<string, number>();
	for (const { exposed, reward, ids } of states)
		if (exposed === 1) for (const id of ids) rewardOf.set(id, reward);
	const deltas = new Map<string, SumsDelta>();
	for (const { definitionId, arm, ids, x } of decisions) {
		const definition = definitions.get(definitionId) as Definition;
		const d = x.length / ids.length;
		// Each into the same one: a thousand of them, each with memory of its own, cost 10 ms of garbage collection.
		const vector = new Float64Array(d);
		for (const [at, id] of ids.entries()) {
			const reward = rewardOf.get(id);
			if (reward === undefined) continue;
			for (let i = 0; i < d; i++) vector[i] = (x[at * d + i] as number) * GRID;
			const { delta } = entryOf(deltas, definition, arm, id, d);
			addObservation(delta, d, vector, -1, -reward);
		}
	}
	return [...deltas.values()];
}

function entryOf(
	deltas: Map<string, SumsDelta>,
	{ experiment, version, bucketMs }: Definition,
	arm: string,
	id: string,
	d: number,
): SumsDelta {
	const bucket = bucketOf(id, bucketMs);
	const key = `${experiment.key} ${version} ${arm} ${bucket}`;
	const known = deltas.get(key);
	if (known !== undefined) return known;
	const entry = {
		experiment: experiment.key,
		version,
		arm,
		bucket,
		delta: emptySums(d),
	};
	deltas.set(key, entry);
	return entry;
}

/** Adds what a shard has stored already. Nobody else writes it meanwhile: learners (see sums-sql.ts) need rows to lock first. */
export async function addStored(
	client: pg.ClientBase,
	shard: number,
	deltas: readonly SumsDelta[],
): Promise<void> {
	const keys = JSON.stringify(
		deltas.map(({ experiment, version, arm, bucket }, place) => ({
			place,
			experiment,
			version,
			arm,
			bucket,
		})),
	);
	await readBinary(
		client,
		`select r.place, s.data
		from json_to_recordset(${pg.escapeLiteral(keys)}) as r (place int, experiment text, version int, arm text, bucket bigint)
		cross join lateral (
			select string_agg(o.data, '' order by o.chunk) as data from sums o
			where o.experiment = r.experiment and o.version = r.version and o.arm = r.arm and o.bucket = r.bucket and o.shard = ${shard}
		) s
		where s.data is not null`,
		([place, data]) => {
			const { delta, experiment } = deltas[
				(place as Buffer).readInt32BE()
			] as SumsDelta;
			const stored = data as Buffer;
			if (stored.length !== delta.byteLength)
				throw new Error(
					`Sums of ${experiment} have another length than its decisions say.`,
				);
			addShard(delta, stored);
		},
	);
}

/**
 * Writes a shard's sums, what was stored added. They go as one value that the statement cuts up: a list of bytes would go as
 * hex, which took three times as long for the 300 rows of a thousand decisions.
 */
export async function writeAlone(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	deltas: readonly SumsDelta[],
): Promise<void> {
	let end = 0;
	const starts = deltas.map(({ delta }) => {
		end += delta.byteLength;
		return end - delta.byteLength;
	});
	await client.query({
		name: "segue-write-erased-sums",
		text: `insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select r.experiment, r.version, r.arm, r.bucket, $1, c.chunk, $2,
			substr($3::bytea, 1 + r.start + c.chunk * $4::int, least($4::int, r.length - c.chunk * $4::int))
		from unnest($5::text[], $6::int[], $7::text[], $8::bigint[], $9::int[], $10::int[])
			as r (experiment, version, arm, bucket, start, length)
		cross join lateral generate_series(0, (r.length - 1) / $4::int) as c (chunk)
		on conflict (experiment, version, arm, bucket, shard, chunk) do update set data = excluded.data, batch = excluded.batch`,
		values: [
			shard,
			batch,
			Buffer.concat(deltas.map(({ delta }) => bytesOf(delta))),
			CHUNK_LENGTH * DOUBLE_BYTES,
			deltas.map(({ experiment }) => experiment),
			deltas.map(({ version }) => version),
			deltas.map(({ arm }) => arm),
			deltas.map(({ bucket }) => bucket),
			starts,
			deltas.map(({ delta }) => delta.byteLength),
		],
	});
}

/** Little endian, as the row has it and every machine that Segue runs on. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array) =>
	Buffer.from(buffer, byteOffset, byteLength);
