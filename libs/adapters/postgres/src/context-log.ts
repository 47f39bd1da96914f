import { randomUUID } from "node:crypto";
import type pg from "pg";
import { addCounts, type ContextCounts } from "#core/health";
import type {
	ContextChanges,
	ContextLog,
	LoggedContext,
	LogPart,
	Run,
	StoredLaunch,
} from "#usecases/watching";
import { readContextLaunch } from "./context-reads.js";
import type { Database } from "./database.js";
import { fromGridBytes } from "./decision-record.js";

/** Revisions of a part: each is a batch, of some thousand decisions at most. */
const REVISIONS = 8;
/** Who dies at it keeps others away for so long. */
const CLAIM = "15 seconds";
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

interface ContextRecord {
	id: string;
	experiment: string;
	definition_id: number;
	context: LoggedContext["context"];
	x: Buffer;
	missing: string[];
	extra: LoggedContext["extra"];
}

/**
 * The log in the order of its revisions, so that a decision that comes late, under an old id, is folded as well. The claim only saves
 * work: that a part is stored once is settled by the revision up to which the log is folded.
 */
export class PostgresContextLog implements ContextLog {
	readonly #self = randomUUID();

	constructor(
		private readonly database: Pick<Database, "query" | "transaction">,
	) {}

	async behind(): Promise<readonly string[]> {
		const rows = await this.database.query<{ experiment: string }>(
			`select r.experiment from revisions r left join context_folds f on f.experiment = r.experiment
			where r.revision > coalesce(f.revision, 0) order by r.experiment`,
		);
		return rows.map(({ experiment }) => experiment);
	}

	async claim(experiment: string): Promise<LogPart | null> {
		const [claimed] = await this.database.query<{ revision: number }>(
			`insert into context_folds as f (experiment, claimed_by, claimed_until)
			values ($1, $2, clock_timestamp() + $3::interval)
			on conflict (experiment) do update set claimed_by = $2, claimed_until = clock_timestamp() + $3::interval
			where f.claimed_by = $2 or f.claimed_until < clock_timestamp()
			returning f.revision`,
			[experiment, this.#self, CLAIM],
		);
		if (claimed === undefined) return null;
		const after = claimed.revision;
		// Revisions whose decisions fell out of the log may be gone.
		const [next] = await this.database.query<{ to: number | null }>(
			`select coalesce(
				(select max(l.revision) from (
					select n.revision from revision_log n where n.experiment = $1 and n.revision > $2 order by n.revision limit $3
				) l),
				(select r.revision from revisions r where r.experiment = $1 and r.revision > $2)
			) as to`,
			[experiment, after, REVISIONS],
		);
		return next?.to == null ? null : { experiment, after, to: next.to };
	}

	/** Each batch's rows are looked up by its index alone: a condition on ids beside it, or their order, would read an index of the whole log. */
	async rows(
		{ experiment, after, to }: LogPart,
		afterId: string | null,
		most: number,
		run?: Run,
	): Promise<readonly LoggedContext[]> {
		const records = await this.database.query<ContextRecord>(
			`with page as materialized (
				select b.id from revision_log l cross join lateral (
					select d.id, d.definition_id from decisions d
					where d.batch = l.batch and d.experiment = $1 offset 0
				) b
				where l.experiment = $1 and l.revision > $2 and l.revision <= $3 and b.id > $4::uuid
				and ($6::int is null or b.definition_id in (
					select e.id from experiment_definitions e
					where e.experiment = $1 and e.version = $6 and e.run = $7 and e.state = 'running'
				))
				order by b.id limit $5
			)
			select d.id, d.experiment, d.definition_id, d.context, d.x, d.missing, d.extra
			from decisions d where d.id = any (array(select p.id from page p)) order by d.id`,
			[
				experiment,
				after,
				to,
				afterId ?? FIRST_ID,
				most,
				run?.version ?? null,
				run?.run ?? null,
			],
		);
		return records.map(({ definition_id, x, ...record }) => ({
			...record,
			definitionId: definition_id,
			x: fromGridBytes(x),
		}));
	}

	launch(run: Run): Promise<StoredLaunch | null> {
		return readContextLaunch(this.database, run);
	}

	commit(
		{ experiment, after, to }: LogPart,
		changes: ContextChanges,
	): Promise<boolean> {
		return this.database.transaction(async (client) => {
			const moved = await client.query(
				`update context_folds set revision = $3, claimed_by = $4, claimed_until = clock_timestamp() + $5::interval
				where experiment = $1 and revision = $2`,
				[experiment, after, to, this.#self, CLAIM],
			);
			if (moved.rowCount === 0) return false;
			for (const launch of changes.launches) await putLaunch(client, launch);
			for (const hour of changes.hours) await addHour(client, hour);
			return true;
		});
	}
}

async function putLaunch(
	client: pg.ClientBase,
	{ run, stored }: ContextChanges["launches"][number],
): Promise<void> {
	await client.query(
		`insert into context_launches as c (experiment, version, run, since_revision, decisions, launch)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (experiment, version, run) do update set decisions = excluded.decisions, launch = excluded.launch
		where c.launch is null`,
		[
			run.experiment,
			run.version,
			run.run,
			stored.sinceRevision,
			stored.decisions,
			stored.launch && JSON.stringify(stored.launch),
		],
	);
}

/** Nobody else changes them: whoever does has moved the revision first, and so waits. */
async function addHour(
	client: pg.ClientBase,
	{ run, hour, counts }: ContextChanges["hours"][number],
): Promise<void> {
	const key = [run.experiment, run.version, run.run, new Date(hour)];
	const { rows } = await client.query<{ counts: ContextCounts }>(
		`select h.counts from context_hours h
		where h.experiment = $1 and h.version = $2 and h.run = $3 and h.hour = $4`,
		key,
	);
	await client.query(
		`insert into context_hours (experiment, version, run, hour, counts) values ($1, $2, $3, $4, $5)
		on conflict (experiment, version, run, hour) do update set counts = excluded.counts`,
		[...key, JSON.stringify(addCounts(rows[0]?.counts ?? null, counts))],
	);
}
