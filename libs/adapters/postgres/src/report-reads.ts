import type {
	ArmCounts,
	ArmUnitMoments,
	ReportCounts,
	UnitMoments,
} from "#core/report";
import type { ReportReads } from "#usecases/reporting";
import type { Database } from "./database.js";

interface HeadRecord {
	revision: number | null;
	first_at: Date | null;
	last_at: Date | null;
}

/** Not what a guardrail held at control's distribution: that is no work of the policy's, so it counts in no comparison. */
const served = "(d.assigned_group <> 'policy' or d.distribution = 'policy')";

/** Read models of the report: exact counts and sums from the log, each query one short statement. */
export class PostgresReportReads implements ReportReads {
	constructor(private readonly database: Database) {}

	async counts(experiment: string, version: number): Promise<ReportCounts> {
		const [heads, arms, units, dead, waiting] = await Promise.all([
			this.#head(experiment, version),
			this.#arms(experiment, version),
			this.#units(experiment, version),
			this.#count(
				"select count(*) as n from dead_letters l where l.redriven_at is null",
			),
			this.#count(
				"select count(*) as n from outcomes o join decision_states s on s.id = o.decision_id where s.experiment is null",
			),
		]);
		return {
			revision: heads.revision ?? 0,
			firstDecidedAt: heads.first_at?.getTime() ?? null,
			lastDecidedAt: heads.last_at?.getTime() ?? null,
			arms,
			...units,
			deadLetters: dead,
			waitingEvents: waiting,
		};
	}

	async #head(experiment: string, version: number): Promise<HeadRecord> {
		const rows = await this.database.query<HeadRecord>(
			`select (select r.revision from revisions r where r.experiment = $1) as revision,
				min(d.decided_at) as first_at, max(d.decided_at) as last_at
			from decisions d where d.experiment = $1 and d.version = $2`,
			[experiment, version],
		);
		return rows[0] as HeadRecord;
	}

	#arms(experiment: string, version: number): Promise<ArmCounts[]> {
		return this.database.query<ArmCounts>(
			`select d.assigned_group as "group", d.arm, count(*) as decisions, count(*) filter (where s.exposed = 1) as learned,
				coalesce(sum(s.reward) filter (where s.exposed = 1), 0) as "rewardSum",
				coalesce(sum(s.reward * s.reward) filter (where s.exposed = 1), 0) as "rewardSquaredSum"
			from decisions d join decision_states s on s.id = d.id
			where d.experiment = $1 and d.version = $2 and ${served}
			group by d.assigned_group, d.arm order by d.assigned_group, d.arm`,
			[experiment, version],
		);
	}

	/** Moments over the units of each group, and of each group and arm, in one pass over the log. */
	async #units(experiment: string, version: number) {
		const rows = await this.database.query<
			UnitMoments & { readonly arm: string | null }
		>(
			`with unit as (
				select d.assigned_group, d.arm, d.unit, count(*)::float8 as n, sum(s.reward) as c
				from decisions d join decision_states s on s.id = d.id
				where d.experiment = $1 and d.version = $2 and ${served} and s.exposed = 1
				group by grouping sets ((d.assigned_group, d.unit), (d.assigned_group, d.unit, d.arm))
			)
			select u.assigned_group as "group", u.arm, count(*) as units, sum(u.n) as n, sum(u.c) as c,
				sum(u.n * u.n) as nn, sum(u.n * u.c) as nc, sum(u.c * u.c) as cc
			from unit u group by u.assigned_group, u.arm order by u.assigned_group, u.arm`,
			[experiment, version],
		);
		return {
			units: rows.filter((row) => row.arm === null),
			armUnits: rows.filter((row): row is ArmUnitMoments => row.arm !== null),
		};
	}

	async #count(text: string): Promise<number> {
		const rows = await this.database.query<{ n: number }>(text);
		return rows[0]?.n ?? 0;
	}
}
