import type { StoredDefinition } from "#usecases/defining";
import type { ReportedAnalyses, ReportedAnalysis } from "#usecases/reporting";
import type { Database } from "./database.js";
import type { PostgresDefinitionStore } from "./definition-store.js";

/** Runs and epochs of an analysis whose rows are read: each is a stratum that somebody made by an edit. The newest are. */
const MOST_STRATA = 1_000;

interface FoundRows {
	readonly definition: number;
	readonly told: number;
	readonly first: number | null;
	readonly strata: readonly number[];
	readonly served_before: boolean;
	readonly is_sticky_by_unit: boolean;
	readonly has_one_policy: boolean;
}

/** Which definition rows a report goes by, found among all that the experiment ever had; only those are read whole. */
export class PostgresAnalysisReads implements ReportedAnalyses {
	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly store: Pick<PostgresDefinitionStore, "byIds">,
	) {}

	async current(key: string): Promise<ReportedAnalysis | null> {
		const [found] = await this.database.query<FoundRows>(
			`with head as (
				select d.id, d.version, d.analysis from experiments e join experiment_definitions d on d.id = e.definition_id where e.key = $1
			), told as (
				select t.id, t.version, t.analysis from experiment_definitions t, head h
				where t.id = case when exists (
					select from experiment_definitions r
					where r.experiment = $1 and r.state = 'running' and r.version = h.version and r.analysis = h.analysis
				) then h.id else coalesce(
					(select max(r.id) from experiment_definitions r where r.experiment = $1 and r.state = 'running'), h.id
				) end
			), own as materialized (
				select d.id, coalesce(d.booked_run, d.run) as run, d.epoch, d.state, d.definition ->> 'sticky' as sticky,
					concat_ws(' ', d.definition -> 'policy' ->> 'kind', d.definition -> 'policy' ->> 'arm') as policy
				from experiment_definitions d, told t
				where d.experiment = $1 and d.version = t.version and d.analysis = t.analysis and d.state <> 'draft'
			)
			select h.id as definition, t.id as told, (select min(o.id) from own o) as first,
				array(select max(o.id) from own o group by o.run, o.epoch order by 1 desc limit $2)::float8[] as strata,
				exists (
					select from experiment_definitions r
					where r.experiment = $1 and r.state = 'running' and r.id < coalesce((select max(o.id) from own o), t.id)
					and (r.version <> t.version or r.analysis <> t.analysis)
				) as served_before,
				coalesce((select bool_and(o.sticky is not distinct from 'unit') from own o), false) as is_sticky_by_unit,
				(select count(distinct o.policy) = 1 from own o where o.state = 'running') as has_one_policy
			from head h, told t`,
			[key, MOST_STRATA],
		);
		if (found === undefined) return null;
		const { definition, told, first, strata } = found;
		const ids = new Set([definition, told, ...strata]);
		if (first !== null) ids.add(first);
		const known = new Map(
			(await this.store.byIds([...ids])).map((row) => [row.id, row]),
		);
		const row = (id: number) => known.get(id) as StoredDefinition;
		const own = new Set(first === null ? strata : [first, ...strata]);
		return {
			definition: row(definition),
			told: row(told),
			rows: [...own].sort((a, b) => a - b).map(row),
			servedBefore: found.served_before,
			isStickyByUnit: found.is_sticky_by_unit,
			hasOnePolicy: found.has_one_policy,
		};
	}
}
