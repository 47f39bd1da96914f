import type { Definition } from "#core/experiment";
import type {
	LoggedState,
	LogReads,
	StoredBucket,
	StoredSums,
} from "#usecases/learning";
import { readClosedSums, readFloor } from "./closed-sums.js";
import type { Database } from "./database.js";
import {
	type DecisionRecord,
	decisionColumns,
	toDecisionRow,
} from "./decision-record.js";
import type { PostgresDefinitionStore } from "./definition-store.js";
import { KnownDefinitions } from "./known-definitions.js";
import {
	byDecision,
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";
import type { PostgresPosteriorSource } from "./posterior-source.js";

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** The log at a revision, page by page, each page a short read (a long snapshot would bloat the sums). */
export class PostgresLogReads implements LogReads {
	readonly #definitions: KnownDefinitions;

	constructor(
		private readonly database: Database,
		private readonly posteriors: PostgresPosteriorSource,
		store: PostgresDefinitionStore,
	) {
		this.#definitions = new KnownDefinitions((ids) => store.byIds(ids));
	}

	async experiments(): Promise<readonly string[]> {
		const rows = await this.database.query<{ key: string }>(
			"select e.key from experiments e order by e.key",
		);
		return rows.map((row) => row.key);
	}

	async storedSums(experiment: string): Promise<StoredSums> {
		return { experiment, ...(await this.posteriors.everyVersion(experiment)) };
	}

	closedSums(experiment: string): Promise<readonly StoredBucket[]> {
		return readClosedSums(this.database, experiment);
	}

	floor(experiment: string): Promise<number> {
		return readFloor(this.database, experiment);
	}

	async page(
		experiment: string,
		revision: number,
		afterId: string | null,
		most: number,
	): Promise<readonly LoggedState[]> {
		const records = await this.database.query<DecisionRecord>(
			`select ${decisionColumns.map((column) => `d.${column}`).join(", ")}
			from decisions d join revision_log l on l.experiment = d.experiment and l.batch = d.batch
			where d.experiment = $1 and d.id > $2::uuid and l.revision <= $3
			order by d.id limit $4`,
			[experiment, afterId ?? FIRST_ID, revision, most],
		);
		const rows = records.map(toDecisionRow);
		await this.#definitions.learn(rows.map((row) => row.definitionId));
		const outcomes = await this.#outcomes(
			experiment,
			revision,
			rows.map((row) => row.id),
		);
		return rows.map((row) => ({
			row,
			definition: this.#definitions.get(row.definitionId) as Definition,
			outcomes: outcomes.get(row.id) ?? [],
		}));
	}

	/** An outcome whose batch took no revision here came before its decision and counts with it. */
	async #outcomes(
		experiment: string,
		revision: number,
		ids: readonly string[],
	) {
		const rows = await this.database.query<OutcomeRecord>(
			`select ${outcomeColumns} from outcomes o left join revision_log l on l.experiment = $1 and l.batch = o.batch
			where o.decision_id = any ($2::uuid[]) and (l.revision is null or l.revision <= $3)`,
			[experiment, ids, revision],
		);
		return byDecision(rows.map(toEvent));
	}
}
