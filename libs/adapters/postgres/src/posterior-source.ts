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
} from "./sums-chunks.js";

type ReadRecord = { head: number } & (ChunkRecord | { data: null });

/** Reads sums and revision in one snapshot, since one statement is one snapshot. */
export class PostgresPosteriorSource implements PosteriorSource {
	constructor(private readonly database: Database) {}

	/** A sums row last written by a batch whose revision is not beyond `sinceRevision` has not moved since. */
	async read(
		experiment: string,
		version: number,
		sinceRevision: number,
	): Promise<PosteriorRead> {
		const rows = await this.database.query<ReadRecord>(
			`with moved as (
				select distinct s.arm, s.bucket from sums s
				where s.experiment = $1 and s.version = $2
				and ($3::bigint = 0 or s.batch in (select l.batch from revision_log l where l.experiment = $1 and l.revision > $3))
			)
			select r.revision as head, s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk, s.data
			from revisions r left join (
				sums s join moved m on m.arm = s.arm and m.bucket = s.bucket
			) on s.experiment = r.experiment and s.version = $2
			where r.experiment = $1`,
			[experiment, version, sinceRevision],
		);
		const chunks = rows.filter(
			(row): row is { head: number } & ChunkRecord => row.data !== null,
		);
		return {
			revision: rows[0]?.head ?? 0,
			changed: await assembleInSlices(chunks),
		};
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
