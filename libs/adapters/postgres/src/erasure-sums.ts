import type pg from "pg";
import type { SumsDelta } from "#usecases/learning";
import { doubleBytes } from "./decision-record.js";
import { addedBytes, chunkCount, chunkOf } from "./sums-chunks.js";

interface Chunk extends Omit<SumsDelta, "delta"> {
	readonly chunk: number;
	readonly delta: Float64Array;
}

/**
 * Adds deltas to the rows of a shard that nobody else writes meanwhile: one read and one write, where learners (see sums-sql.ts) need
 * rows to lock first.
 */
export async function addAlone(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	deltas: readonly SumsDelta[],
): Promise<void> {
	const chunks = deltas.flatMap(toChunks);
	if (chunks.length === 0) return;
	const keys = [
		chunks.map((one) => one.experiment),
		chunks.map((one) => one.version),
		chunks.map((one) => one.arm),
		chunks.map((one) => one.bucket),
		chunks.map((one) => one.chunk),
	];
	const { rows } = await client.query<Omit<Chunk, "delta"> & { data: Buffer }>(
		`select s.experiment, s.version, s.arm, s.bucket, s.chunk, s.data
		from unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::smallint[]) as r (experiment, version, arm, bucket, chunk)
		cross join lateral (
			select o.* from sums o where o.experiment = r.experiment and o.version = r.version and o.arm = r.arm
			and o.bucket = r.bucket and o.shard = $1 and o.chunk = r.chunk limit 1
		) s`,
		[shard, ...keys],
	);
	const stored = new Map(rows.map((row) => [keyOf(row), row.data]));
	await client.query(
		`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select r.experiment, r.version, r.arm, r.bucket, $1, r.chunk, $2, r.data
		from unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::smallint[], $8::bytea[])
			as r (experiment, version, arm, bucket, chunk, data)
		on conflict (experiment, version, arm, bucket, shard, chunk) do update set data = excluded.data, batch = excluded.batch`,
		[
			shard,
			batch,
			...keys,
			chunks.map((one) => {
				const bytes = stored.get(keyOf(one));
				return bytes === undefined
					? doubleBytes(one.delta)
					: addedBytes(bytes, one.delta);
			}),
		],
	);
}

function toChunks({ delta, ...key }: SumsDelta): Chunk[] {
	return Array.from({ length: chunkCount(delta.length) }, (_, chunk) => ({
		...key,
		chunk,
		delta: chunkOf(delta, chunk),
	}));
}

const keyOf = ({
	experiment,
	version,
	arm,
	bucket,
	chunk,
}: Omit<Chunk, "delta">): string =>
	`${experiment} ${version} ${arm} ${bucket} ${chunk}`;
