import type {
	BucketSums,
	PosteriorRead,
	PosteriorSource,
} from "#usecases/deciding";
import type { Database } from "./database.js";
import {
	assembleBuckets,
	assembleInSlices,
	type ChunkRecord,
	type ShardText,
} from "./sums-chunks.js";

type FewRecord = { readonly head: number; readonly moved: number } & (
	| ShardText
	| { readonly data: null }
);
interface BucketKey {
	readonly arm: string;
	readonly bucket: number;
}
type ReadRecord = { head: number } & (ChunkRecord | { data: null });

/** Buckets read at once: 16 of d = 64 are 280 kB, which takes a millisecond or two to decode. */
const BUCKETS_A_PAGE = 16;

/** A sums row last written by a batch whose revision is not beyond $3 has not moved since; for 0 all have. */
const movedSince = `select distinct s.arm, s.bucket from sums s
	where s.experiment = $1 and s.version = $2
	and ($3::bigint = 0 or s.batch in (select l.batch from revision_log l where l.experiment = $1 and l.revision > $3))`;

/** Reads sums and revision in one snapshot. */
export class PostgresPosteriorSource implements PosteriorSource {
	constructor(private readonly database: Database) {}

	/** One statement where few buckets moved, which is one snapshot; else page by page, so that a decider is never held up by decoding. */
	async read(
		experiment: string,
		version: number,
		sinceRevision: number,
	): Promise<PosteriorRead> {
		const since = [experiment, version, sinceRevision];
		const rows = await this.database.query<FewRecord>(
			`with moved as (${movedSince}), many as (select count(*) as moved from moved)
			select r.revision as head, many.moved, s.arm, s.bucket, sum(length(s.data))::int / 8 as length,
				encode(string_agg(s.data, '' order by s.chunk), 'base64') as data
			from revisions r cross join many left join (
				sums s join moved m on m.arm = s.arm and m.bucket = s.bucket
			) on s.experiment = r.experiment and s.version = $2 and many.moved <= $4
			where r.experiment = $1
			group by r.revision, many.moved, s.arm, s.bucket, s.shard`,
			[...since, BUCKETS_A_PAGE],
		);
		const [first] = rows;
		if (first !== undefined && first.moved > BUCKETS_A_PAGE)
			return this.#readPages(since);
		const shards = rows.filter(
			(row): row is FewRecord & ShardText => row.data !== null,
		);
		return {
			revision: first?.head ?? 0,
			changed: await assembleInSlices(shards),
		};
	}

	#readPages(since: readonly unknown[]): Promise<PosteriorRead> {
		return this.database.snapshot(async (client) => {
			const heads = await client.query<{ head: number }>(
				"select r.revision as head from revisions r where r.experiment = $1",
				since.slice(0, 1),
			);
			const moved = await client.query<BucketKey>(
				`${movedSince} order by s.arm, s.bucket`,
				[...since],
			);
			const changed: BucketSums[] = [];
			for (let from = 0; from < moved.rows.length; from += BUCKETS_A_PAGE) {
				const page = moved.rows.slice(from, from + BUCKETS_A_PAGE);
				const { rows } = await client.query<ShardText>(
					`select m.arm, m.bucket, shards.length, shards.data
					from unnest($3::text[], $4::bigint[]) as m (arm, bucket)
					cross join lateral (
						select sum(length(s.data))::int / 8 as length, encode(string_agg(s.data, '' order by s.chunk), 'base64') as data
						from sums s
						where s.experiment = $1 and s.version = $2 and s.arm = m.arm and s.bucket = m.bucket
						group by s.shard
					) as shards`,
					[
						...since.slice(0, 2),
						page.map(({ arm }) => arm),
						page.map(({ bucket }) => bucket),
					],
				);
				changed.push(...(await assembleInSlices(rows)));
			}
			return { revision: heads.rows[0]?.head ?? 0, changed };
		});
	}

	async heads(): Promise<ReadonlyMap<string, number>> {
		const rows = await this.database.query<{
			experiment: string;
			revision: number;
		}>("select r.experiment, r.revision from revisions r");
		return new Map(rows.map((row) => [row.experiment, row.revision]));
	}

	/** All versions' sums of one experiment at its newest revision. */
	async everyVersion(experiment: string): Promise<{
		revision: number;
		buckets: readonly (BucketSums & { readonly version: number })[];
	}> {
		const rows = await this.database.query<ReadRecord>(
			`select r.revision as head, s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk, s.data
			from revisions r left join sums s on s.experiment = r.experiment where r.experiment = $1`,
			[experiment],
		);
		const versions = new Map<number, ChunkRecord[]>();
		for (const row of rows) {
			if (row.data === null) continue;
			const known = versions.get(row.version);
			if (known) known.push(row);
			else versions.set(row.version, [row]);
		}
		return {
			revision: rows[0]?.head ?? 0,
			buckets: [...versions].flatMap(([version, chunks]) =>
				assembleBuckets(chunks).map((bucket) => ({ ...bucket, version })),
			),
		};
	}
}
