import type { BookedCounts } from "#core/booking";
import type { ArmCounts } from "#core/report";
import type { BookedReads } from "#usecases/booking";
import type {
	InstallationCounts,
	OpenDecisions,
	ReportedRun,
	ReportReads,
} from "#usecases/reporting";
import type { Database } from "./database.js";

/** Decisions that are counted while somebody waits: some hundredths of a second. */
const MOST_OPEN = 50_000;
/** For the last of them. */
const MOST_LOOKED_THROUGH = 10_000;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

interface OpenRecord extends ArmCounts {
	readonly first_at: Date;
	readonly last_at: Date;
}

/** Read models of the report: the rollups of booking, and of the log no more than what is still open. */
export class PostgresReportReads implements ReportReads {
	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly bookings: BookedReads,
		private readonly mostOpen = MOST_OPEN,
	) {}

	booked(runs: readonly ReportedRun[]): Promise<readonly BookedCounts[]> {
		return Promise.all(
			runs.map(({ experiment, version, run }) =>
				this.bookings.counts(experiment, version, run),
			),
		);
	}

	async open(
		of: ReportedRun,
		{ cursor, waiting }: BookedCounts["freshness"],
	): Promise<OpenDecisions> {
		const { experiment, version, run } = of;
		if (waiting > this.mostOpen) return this.#tooMany(of);
		const rows = await this.database.query<OpenRecord>(
			`select d.assigned_group as "group", d.arm, count(*) as decisions, count(*) filter (where s.exposed = 1) as learned,
				min(d.decided_at) as first_at, max(d.decided_at) as last_at
			from decisions d join decision_states s on s.id = d.id
			join experiment_definitions e on e.id = d.definition_id
			where d.experiment = $1 and e.version = $2 and coalesce(e.booked_run, e.run) = $3 and d.id > $4::uuid and s.id > $4::uuid
			group by d.assigned_group, d.arm order by d.assigned_group, d.arm`,
			[experiment, version, run, cursor ?? FIRST_ID],
		);
		const times = (of: "first_at" | "last_at") =>
			rows.map((row) => row[of].getTime());
		return {
			arms: rows.map(({ first_at: _, last_at: __, ...counts }) => counts),
			firstAt: rows.length === 0 ? null : Math.min(...times("first_at")),
			lastAt: rows.length === 0 ? null : Math.max(...times("last_at")),
		};
	}

	/** Of so many, one is among the newest of all; where it is not, booking knows an earlier one. */
	async #tooMany({
		experiment,
		version,
		run,
	}: ReportedRun): Promise<OpenDecisions> {
		const [row] = await this.database.query<{ decided_at: Date }>(
			`select d.decided_at from (
				select n.experiment, n.definition_id, n.decided_at, n.id from decisions n order by n.id desc limit $4
			) d join experiment_definitions e on e.id = d.definition_id
			where d.experiment = $1 and e.version = $2 and coalesce(e.booked_run, e.run) = $3
			order by d.id desc limit 1`,
			[experiment, version, run, MOST_LOOKED_THROUGH],
		);
		const lastAt = row?.decided_at.getTime() ?? null;
		return { arms: null, firstAt: null, lastAt };
	}

	async installation(
		experiment: string,
		since: number,
	): Promise<InstallationCounts> {
		const [row] = await this.database.query<InstallationCounts>(
			`select
				(select count(*) from dead_letters l where l.redriven_at is null) as "deadLetters",
				(select coalesce(sum(v.count), 0)::bigint from verdict_counts v
					where v.experiment = '-' and v.kind = 'event' and v.verdict = 'unknown decision (waiting)') as "waitingEvents",
				(select coalesce(sum(v.count), 0)::bigint from verdict_counts v
					where v.experiment = $1 and v.kind = 'event' and v.verdict = 'late') as "lateEvents",
				(select coalesce(sum(segue_count_packs(g.missing)), 0)::bigint from published_gaps g
					where g.alarmed_at is not null and g.noticed_at >= $2) as "lostPacks"`,
			[experiment, new Date(since)],
		);
		return row as InstallationCounts;
	}
}
