import type pg from "pg";
import type { Definition } from "#core/experiment";
import { GRID } from "#core/linalg";
import { addInto, addObservation, emptySums } from "#core/policy";
import { bucketOf, type SumsDelta } from "#usecases/learning";
import type { DeletedState, TakenDecision } from "./erasure-sql.js";
import { chunkCount, chunkOf } from "./sums-chunks.js";

/** Of a coordinate as the log has it. */
const GRID_BYTES = 4;

/** What the decisions had given to the sums, negated: E and R as they stood, which is what was added. */
export function shareOfSums(
	decisions: readonly TakenDecision[],
	states: readonly DeletedState[],
	definitions: ReadonlyMap<number, Definition>,
): readonly SumsDelta[] {
	const rewardOf = new Map<string, number>();
	for (const { id, exposed, reward } of states)
		if (exposed === 1) rewardOf.set(id, reward);
	const deltas = new Map<string, SumsDelta>();
	let vector = new Float64Array(0);
	for (const { id, definitionId, arm, x } of decisions) {
		const reward = rewardOf.get(id);
		if (reward === undefined) continue;
		const { experiment, version, bucketMs } = definitions.get(
			definitionId,
		) as Definition;
		const bucket = bucketOf(id, bucketMs);
		const key = `${experiment.key} ${version} ${arm} ${bucket}`;
		let entry = deltas.get(key);
		const d = x.length / GRID_BYTES;
		if (entry === undefined) {
			entry = {
				experiment: experiment.key,
				version,
				arm,
				bucket,
				delta: emptySums(d),
			};
			deltas.set(key, entry);
		}
		if (vector.length !== d) vector = new Float64Array(d);
		readGrid(x, vector);
		addObservation(entry.delta, d, vector, -1, -reward);
	}
	return [...deltas.values()];
}

/** Into the same vector each time: a thousand of them, each with memory of its own, cost 10 ms of garbage collection. */
function readGrid(bytes: Buffer, into: Float64Array): void {
	for (let i = 0; i < into.length; i++)
		into[i] = bytes.readInt32LE(GRID_BYTES * i) * GRID;
}

/** A row of sums, by its key and what is to be added. */
export interface AddedChunk extends Omit<SumsDelta, "delta"> {
	readonly chunk: number;
	readonly entries: Float64Array;
}

export function chunksOf(deltas: readonly SumsDelta[]): readonly AddedChunk[] {
	return deltas.flatMap(({ delta, ...key }) =>
		Array.from({ length: chunkCount(delta.length) }, (_, chunk) => ({
			...key,
			chunk,
			entries: chunkOf(delta, chunk),
		})),
	);
}

/** A row of the shard that is there already, and which of the chunks is its, from 1 on. */
export interface StoredChunk {
	readonly place: number;
	readonly data: Buffer;
}

const keyColumns = (chunks: readonly AddedChunk[]): unknown[] => [
	chunks.map(({ experiment }) => experiment),
	chunks.map(({ version }) => version),
	chunks.map(({ arm }) => arm),
	chunks.map(({ bucket }) => bucket),
	chunks.map(({ chunk }) => chunk),
];

/** Of a shard that nobody else writes meanwhile: learners (see sums-sql.ts) need rows to lock first. */
export async function readAlone(
	client: pg.ClientBase,
	shard: number,
	chunks: readonly AddedChunk[],
): Promise<readonly StoredChunk[]> {
	const { rows } = await client.query<StoredChunk>(
		`select r.place, s.data
		from unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::smallint[])
			with ordinality as r (experiment, version, arm, bucket, chunk, place)
		cross join lateral (
			select o.data from sums o where o.experiment = r.experiment and o.version = r.version and o.arm = r.arm
			and o.bucket = r.bucket and o.shard = $1 and o.chunk = r.chunk limit 1
		) s`,
		[shard, ...keyColumns(chunks)],
	);
	return rows;
}

/**
 * Writes the sums of what was stored and what is added. They go as one value that the statement cuts up: a list of bytes would go as
 * hex, which took three times as long for the 300 rows of a thousand decisions.
 */
export async function writeAlone(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	chunks: readonly AddedChunk[],
	stored: readonly StoredChunk[],
): Promise<void> {
	for (const { place, data } of stored)
		addStored((chunks[place - 1] as AddedChunk).entries, data);
	let end = 0;
	const starts = chunks.map(({ entries }) => {
		end += entries.byteLength;
		return end - entries.byteLength + 1;
	});
	await client.query(
		`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select r.experiment, r.version, r.arm, r.bucket, $1, r.chunk, $2, substr($8::bytea, r.start, r.length)
		from unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::smallint[], $9::int[], $10::int[])
			as r (experiment, version, arm, bucket, chunk, start, length)
		on conflict (experiment, version, arm, bucket, shard, chunk) do update set data = excluded.data, batch = excluded.batch`,
		[
			shard,
			batch,
			...keyColumns(chunks),
			Buffer.concat(chunks.map(({ entries }) => bytesOf(entries))),
			starts,
			chunks.map(({ entries }) => entries.byteLength),
		],
	);
}

/** Little endian, as the row has it and every machine that Segue runs on. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array) =>
	Buffer.from(buffer, byteOffset, byteLength);

function addStored(entries: Float64Array, stored: Buffer): void {
	// Copied, since what came from the database may begin anywhere in its memory.
	const aligned = new Float64Array(entries.length);
	new Uint8Array(aligned.buffer).set(stored);
	addInto(entries, aligned);
}
