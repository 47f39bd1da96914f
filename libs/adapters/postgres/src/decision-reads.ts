import { settle } from "#core/experiment";
import type {
	DecisionReads,
	StoredDecision,
	StoredEvent,
} from "#usecases/deciding";
import type { Database } from "./database.js";
import {
	type DecisionRecord,
	decisionColumns,
	toDecisionRow,
} from "./decision-record.js";
import type { PostgresDefinitionStore } from "./definition-store.js";
import {
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";

type LearnedRecord = DecisionRecord & {
	exposed: 0 | 1;
	reward: number;
	learned_revision: number | null;
};

/** One decision with its events, each with the verdict that the stored set gives it. */
export class PostgresDecisionReads implements DecisionReads {
	constructor(
		private readonly database: Database,
		private readonly store: PostgresDefinitionStore,
	) {}

	async find(
		id: string,
	): Promise<
		StoredDecision | { row: null; events: readonly StoredEvent[] } | null
	> {
		const [records, outcomes] = await Promise.all([
			this.database.query<LearnedRecord>(
				`select ${decisionColumns.map((column) => `d.${column}`).join(", ")}, s.exposed, s.reward, l.revision as learned_revision
				from decisions d join decision_states s on s.id = d.id
				left join revision_log l on l.experiment = d.experiment and l.batch = d.batch
				where d.id = $1::uuid`,
				[id],
			),
			this.database.query<OutcomeRecord>(
				`select ${outcomeColumns} from outcomes o where o.decision_id = $1::uuid order by o.at, o.event_id`,
				[id],
			),
		]);
		const record = records[0];
		if (!record) {
			if (outcomes.length === 0) return null;
			return {
				row: null,
				events: outcomes.map((outcome) =>
					withVerdict(outcome, "waiting for its decision"),
				),
			};
		}
		const row = toDecisionRow(record);
		const verdicts = await this.#verdicts(row, outcomes);
		return {
			row,
			learned: {
				exposed: record.exposed === 1,
				reward: record.reward,
				revision: record.learned_revision,
			},
			events: outcomes.map((outcome) =>
				withVerdict(outcome, verdicts(outcome)),
			),
		};
	}

	async #verdicts(
		row: ReturnType<typeof toDecisionRow>,
		outcomes: readonly OutcomeRecord[],
	): Promise<(outcome: OutcomeRecord) => string> {
		const [definition] = await this.store.byIds([row.definitionId]);
		const own = outcomes
			.filter((outcome) => outcome.unit === row.unit)
			.map(toEvent);
		const settled = definition
			? settle(definition.experiment.reward, row.decidedAt, own).verdicts
			: new Map<string, string>();
		return (outcome) => {
			if (outcome.unit !== row.unit) return "wrong unit";
			if (row.group === "outside") return "experiment stopped";
			return settled.get(outcome.event_id) ?? "applied";
		};
	}
}

function withVerdict(record: OutcomeRecord, verdict: string): StoredEvent {
	return { ...toEvent(record), verdict, storedAt: record.stored_at.getTime() };
}
