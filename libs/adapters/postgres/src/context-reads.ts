import { addCounts, type ContextCounts } from "#core/health";
import type {
	ContextAlarm,
	ContextAlarms,
	ContextReads,
	LoggedContext,
	Run,
	StoredLaunch,
} from "#usecases/watching";
import type { Database } from "./database.js";

/** Rows of the log, of any experiment, that are looked through for the newest ones of one. */
const LOOKED_THROUGH = 20_000;
const KEPT = "8 days";

type Query = Pick<Database, "query">;

/** What was folded of the log into counts, and which alarms were told of. */
export class PostgresContextReads implements ContextReads, ContextAlarms {
	constructor(private readonly database: Query) {}

	launch(run: Run): Promise<StoredLaunch | null> {
		return readContextLaunch(this.database, run);
	}

	async counts(
		{ experiment, version, run }: Run,
		fromHour: number,
	): Promise<ContextCounts | null> {
		const rows = await this.database.query<{ counts: ContextCounts }>(
			`select h.counts from context_hours h
			where h.experiment = $1 and h.version = $2 and h.run = $3 and h.hour >= $4 order by h.hour`,
			[experiment, version, run, new Date(fromHour)],
		);
		return rows.reduce<ContextCounts | null>(
			(all, { counts }) => addCounts(all, counts),
			null,
		);
	}

	async folded(
		experiment: string,
	): Promise<{ readonly revision: number; readonly newest: number }> {
		const [row] = await this.database.query<{
			revision: number;
			newest: number;
		}>(
			`select coalesce(f.revision, 0) as revision, r.revision as newest
			from revisions r left join context_folds f on f.experiment = r.experiment where r.experiment = $1`,
			[experiment],
		);
		return row ?? { revision: 0, newest: 0 };
	}

	async newestContexts(
		experiment: string,
		most: number,
	): Promise<readonly LoggedContext["context"][]> {
		const rows = await this.database.query<{
			context: LoggedContext["context"];
		}>(
			`select n.context from (
				select d.id, d.experiment, d.context from decisions d order by d.id desc limit $3
			) n
			where n.experiment = $1 order by n.id desc limit $2`,
			[experiment, most, LOOKED_THROUGH],
		);
		return rows.map(({ context }) => context);
	}

	/** One that stood still an hour ago, or since, goes on; any other begins, and is told to whoever notes it first. */
	async note(
		{ experiment, version, run }: Run,
		standing: readonly ContextAlarm[],
	): Promise<readonly ContextAlarm[]> {
		const noted = await this.database.query<ContextAlarm & { fresh: boolean }>(
			`insert into context_alarms as a (experiment, version, run, feature, kind, since, seen_at)
			select $1, $2, $3, s.feature, s.kind, now(), now() from unnest($4::text[], $5::text[]) as s (feature, kind)
			order by s.feature, s.kind
			on conflict (experiment, version, run, feature, kind) do update set seen_at = now(),
				since = case when a.seen_at < now() - interval '1 hour' then now() else a.since end
			returning a.feature, a.kind, a.since = a.seen_at as fresh`,
			[
				experiment,
				version,
				run,
				standing.map(({ feature }) => feature),
				standing.map(({ kind }) => kind),
			],
		);
		return noted
			.filter(({ fresh }) => fresh)
			.map(({ feature, kind }) => ({ feature, kind }));
	}
}

export async function readContextLaunch(
	database: Query,
	{ experiment, version, run }: Run,
): Promise<StoredLaunch | null> {
	const [row] = await database.query<{
		since_revision: number;
		decisions: number;
		launch: StoredLaunch["launch"];
	}>(
		`select c.since_revision, c.decisions, c.launch from context_launches c
		where c.experiment = $1 and c.version = $2 and c.run = $3`,
		[experiment, version, run],
	);
	return row
		? {
				sinceRevision: row.since_revision,
				decisions: row.decisions,
				launch: row.launch,
			}
		: null;
}

/** Removes hours that no window reaches, then launches of former runs of which no hour is left, and alarms long over. */
export async function forgetContexts(database: Query): Promise<void> {
	await database.query(
		`delete from context_hours h where h.hour < clock_timestamp() - $1::interval`,
		[KEPT],
	);
	await database.query(
		`delete from context_launches c using experiments e join experiment_definitions d on d.id = e.definition_id
		where e.key = c.experiment and (d.version, d.run) <> (c.version, c.run) and not exists (
			select from context_hours h where h.experiment = c.experiment and h.version = c.version and h.run = c.run
		)`,
	);
	await database.query(
		"delete from context_alarms a where a.seen_at < clock_timestamp() - interval '1 day'",
	);
}
