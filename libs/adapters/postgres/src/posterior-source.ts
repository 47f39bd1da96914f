import pg from "pg";
import { LEAST_SHARED_BYTES, type Sheets } from "#core/linalg";
import type {
	BucketSums,
	PosteriorRead,
	PosteriorSource,
} from "#usecases/deciding";
import { readBinary } from "./binary-rows.js";
import type { Database } from "./database.js";
import {
	addShard,
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

/** Buckets read in one statement: 16 of d = 64 are 280 kB, which as text takes a millisecond or two to decode. */
const FEW_BUCKETS = 16;
/** Buckets read at once where there are more: bytes are only copied. */
const BUCKETS_A_PAGE = 32;

/** A sums row last written by a batch whose revision is not beyond $3 has not moved since; for 0 all have. */
const movedSince = `select distinct s.arm, s.bucket from sums s
	where s.experiment = $1 and s.version = $2
	and ($3::bigint = 0 or s.batch in (select l.batch from revision_log l where l.experiment = $1 and l.revision > $3))`;

/** As bytes, which lie in the socket's memory until they are where they will stay: text of a thousand arms is 24 MB for the collector to move about. */
async function readPage(
	client: pg.ClientBase,
	[experiment, version]: readonly unknown[],
	page: readonly BucketKey[],
	buckets: number,
	sheets: Sheets | undefined,
): Promise<readonly BucketSums[]> {
	const keys = JSON.stringify(
		page.map(({ arm, bucket }, place) => ({ place, arm, bucket })),
	);
	const sums: (Float64Array | null)[] = page.map(() => null);
	await readBinary(
		client,
		`select m.place, shards.data
		from json_to_recordset(${pg.escapeLiteral(keys)}) as m (place int, arm text, bucket bigint)
		cross join lateral (
			select string_agg(s.data, '' order by s.chunk) as data from sums s
			where s.experiment = ${pg.escapeLiteral(String(experiment))} and s.version = ${Number(version)} and s.arm = m.arm and s.bucket = m.bucket
			group by s.shard
		) as shards`,
		([place, data]) => {
			if (!place || !data) return;
			const at = place.readInt32BE();
			sums[at] = addShard(
				sums[at] ?? null,
				data,
				data.length * buckets >= LEAST_SHARED_BYTES ? sheets : undefined,
			);
		},
	);
	return page.flatMap((key, place) => {
		const found = sums[place] ?? null;
		return found === null ? [] : [{ ...key, sums: found }];
	});
}

/** Reads sums and revision in one snapshot. */
export class PostgresPosteriorSource implements PosteriorSource {
	constructor(private readonly database: Database) {}

	/** One statement where few buckets moved, which is one snapshot; else page by page, so that a decider is never held up by decoding. */
	async read(
		experiment: string,
		version: number,
		sinceRevision: number,
		sheets?: Sheets,
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
			[...since, FEW_BUCKETS],
		);
		const [first] = rows;
		if (first !== undefined && first.moved > FEW_BUCKETS)
			return this.#readPages(since, sheets);
		const shards = rows.filter(
			(row): row is FewRecord & ShardText => row.data !== null,
		);
		return {
			revision: first?.head ?? 0,
			changed: await assembleInSlices(shards),
		};
	}

	#readPages(
		since: readonly unknown[],
		sheets: Sheets | undefined,
	): Promise<PosteriorRead> {
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
			for (let from = 0; from < moved.rows.length; from += BUCKETS_A_PAGE)
				changed.push(
					...(await readPage(
						client,
						since,
						moved.rows.slice(from, from + BUCKETS_A_PAGE),
						moved.rows.length,
						sheets,
					)),
				);
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
