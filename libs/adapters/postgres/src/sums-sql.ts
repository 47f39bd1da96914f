import type pg from "pg";
import type { SumsDelta } from "#usecases/learning";
import { bytesArray } from "./binary-array.js";
import {
	ALARM,
	addedBytes,
	CHUNK_LENGTH,
	chunkCount,
	chunkOf,
} from "./sums-chunks.js";

interface SumsKey {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	readonly chunk: number;
}

interface ChunkDelta extends SumsKey {
	readonly delta: Float64Array;
}

/**
 * Adds a batch's deltas to the rows of this learner's shard.
 * Missing rows are made first, then all are locked in key order, then written: adding is read, add, write under the row lock.
 * `known` remembers rows that exist, so that steady batches skip the insert.
 * Returns the rows that came near the end of exactness, in words.
 */
export async function addToSums(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	deltas: readonly SumsDelta[],
	known: Set<string>,
): Promise<readonly string[]> {
	const all = deltas.flatMap(toChunks).sort(byKey);
	await insertZeros(
		client,
		shard,
		batch,
		all.filter((chunk) => !known.has(keyOf(shard, chunk))),
	);
	const moving = all.filter((chunk) =>
		chunk.delta.some((entry) => entry !== 0),
	);
	if (moving.length === 0) return [];
	let stored = await lockRows(client, shard, moving);
	if (stored.size < moving.length) {
		known.clear();
		await insertZeros(client, shard, batch, all);
		stored = await lockRows(client, shard, moving);
	}
	const alarms = await writeRows(client, shard, batch, moving, stored);
	for (const chunk of all) known.add(keyOf(shard, chunk));
	return alarms;
}

function toChunks({ delta, ...key }: SumsDelta): ChunkDelta[] {
	return Array.from({ length: chunkCount(delta.length) }, (_, chunk) => ({
		...key,
		chunk,
		delta: chunkOf(delta, chunk),
	}));
}

const compare = (a: string | number, b: string | number): number =>
	a < b ? -1 : a > b ? 1 : 0;

function byKey(a: SumsKey, b: SumsKey): number {
	return (
		compare(a.experiment, b.experiment) ||
		compare(a.version, b.version) ||
		compare(a.arm, b.arm) ||
		compare(a.bucket, b.bucket) ||
		compare(a.chunk, b.chunk)
	);
}

const keyOf = (shard: number, key: SumsKey): string =>
	`${key.experiment} ${key.version} ${key.arm} ${key.bucket} ${shard} ${key.chunk}`;

function keyColumns(keys: readonly SumsKey[]): unknown[] {
	return [
		keys.map((key) => key.experiment),
		keys.map((key) => key.version),
		keys.map((key) => key.arm),
		keys.map((key) => key.bucket),
		keys.map((key) => key.chunk),
	];
}

async function insertZeros(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	chunks: readonly ChunkDelta[],
): Promise<void> {
	if (chunks.length === 0) return;
	await client.query(
		`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select r.experiment, r.version, r.arm, r.bucket, $1, r.chunk, $2, r.data
		from unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::smallint[], $8::bytea[])
			with ordinality as r (experiment, version, arm, bucket, chunk, data, place)
		order by r.place
		on conflict do nothing`,
		[
			shard,
			batch,
			...keyColumns(chunks),
			bytesArray(chunks.map((chunk) => Buffer.alloc(chunk.delta.length * 8))),
		],
	);
}

async function lockRows(
	client: pg.ClientBase,
	shard: number,
	chunks: readonly SumsKey[],
): Promise<ReadonlyMap<string, Buffer>> {
	const { rows } = await client.query<SumsKey & { data: Buffer }>({
		name: "segue-lock-sums",
		text: `select s.experiment, s.version, s.arm, s.bucket, s.chunk, s.data
			from unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::smallint[]) as r (experiment, version, arm, bucket, chunk)
			join sums s on s.experiment = r.experiment and s.version = r.version and s.arm = r.arm and s.bucket = r.bucket
				and s.shard = $1 and s.chunk = r.chunk
			order by s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk
			for update of s`,
		values: [shard, ...keyColumns(chunks)],
	});
	return new Map(rows.map((row) => [keyOf(shard, row), row.data]));
}

async function writeRows(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	chunks: readonly ChunkDelta[],
	stored: ReadonlyMap<string, Buffer>,
): Promise<readonly string[]> {
	const data = chunks.map((chunk) => {
		const bytes = stored.get(keyOf(shard, chunk));
		if (!bytes)
			throw new Error(
				`A sums row of ${chunk.experiment} vanished under the gate.`,
			);
		if (
			bytes.length !== chunk.delta.length * 8 ||
			chunk.delta.length > CHUNK_LENGTH
		)
			throw new Error(
				`A sums row of ${chunk.experiment} version ${chunk.version} has another length than its version says.`,
			);
		return addedBytes(bytes, chunk.delta);
	});
	await client.query({
		name: "segue-write-sums",
		text: `update sums s set data = r.data, batch = $2
			from unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::smallint[], $8::bytea[])
				as r (experiment, version, arm, bucket, chunk, data)
			where s.experiment = r.experiment and s.version = r.version and s.arm = r.arm and s.bucket = r.bucket
				and s.shard = $1 and s.chunk = r.chunk`,
		values: [shard, batch, ...keyColumns(chunks), bytesArray(data)],
	});
	return chunks.flatMap((chunk, i) =>
		nearsTheEnd(data[i] as Buffer)
			? [
					`${chunk.experiment} version ${chunk.version}, arm ${chunk.arm}, bucket ${chunk.bucket}`,
				]
			: [],
	);
}

function nearsTheEnd(bytes: Buffer): boolean {
	for (let at = 0; at < bytes.length; at += 8)
		if (Math.abs(bytes.readDoubleLE(at)) >= ALARM) return true;
	return false;
}
