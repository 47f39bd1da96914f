import {
	type Definition,
	isClosing,
	type Judgement,
	judge,
	verdictOfRefusal,
} from "#core/experiment";
import { type DecisionRow, decodeMessage, type Event } from "#core/log";
import type {
	DecisionReads,
	DecisionToCome,
	LedgerEvent,
	StoredDecision,
	StoredEvent,
} from "#usecases/deciding";
import { type Movement, movements } from "#usecases/learning";
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
	/** Null where the revision is so old that its row was swept. */
	learned_revision: number | null;
};

type RevisedRecord = OutcomeRecord & { revision: number | null };

const MOST_REFUSED = 100;
/** Beyond it a letter is no event that could be read, and parsing it would only say its id. */
const MOST_READ_BYTES = 65_536;
const WAITING: Judgement = { verdict: "unknown decision (waiting)" };

/** One decision with its events, each with the verdict that the stored set gives it and what it moved. */
export class PostgresDecisionReads implements DecisionReads {
	constructor(
		private readonly database: Database,
		private readonly store: PostgresDefinitionStore,
	) {}

	async find(id: string): Promise<StoredDecision | DecisionToCome | null> {
		const [records, outcomes, refused] = await Promise.all([
			this.database.query<LearnedRecord>(
				`select ${decisionColumns.map((column) => `d.${column}`).join(", ")}, s.exposed, s.reward, l.revision as learned_revision
				from decisions d join decision_states s on s.id = d.id
				left join revision_log l on l.experiment = d.experiment and l.batch = d.batch
				where d.id = $1::uuid`,
				[id],
			),
			this.#outcomes(id),
			this.#refused(id),
		]);
		const record = records[0];
		if (!record) {
			if (outcomes.length + refused.length === 0) return null;
			const waiting = outcomes.map((outcome) => stored(outcome, WAITING));
			return { row: null, events: [...waiting, ...refused] };
		}
		const row = toDecisionRow(record);
		const [definition] = await this.store.byIds([row.definitionId]);
		const told = tell(row, definition, record.learned_revision, outcomes);
		return {
			row,
			learned: {
				exposed: record.exposed === 1,
				reward: record.reward,
				revision: record.learned_revision,
				moved: told.moved,
				closing: told.closing,
			},
			events: [...told.events, ...refused],
		};
	}

	#outcomes(id: string): Promise<RevisedRecord[]> {
		return this.database.query<RevisedRecord>(
			`select ${outcomeColumns}, l.revision
			from outcomes o
			left join decisions d on d.id = o.decision_id
			left join revision_log l on l.experiment = d.experiment and l.batch = o.batch
			where o.decision_id = $1::uuid order by o.at, o.event_id`,
			[id],
		);
	}

	/** What was refused of the events that name the decision, and is not delivered anew. */
	async #refused(id: string): Promise<LedgerEvent[]> {
		const rows = await this.database.query<{
			subject: string;
			reason: string;
			payload: Buffer;
			stored_at: Date;
		}>(
			`select l.subject, l.reason, l.stored_at,
				case when octet_length(l.payload) <= ${MOST_READ_BYTES} then l.payload else '' end as payload
			from dead_letters l
			where l.decision_id = $1::uuid and l.redriven_at is null order by l.id limit $2`,
			[id, MOST_REFUSED],
		);
		return rows.map(({ subject, reason, payload, stored_at }) => {
			const [item] = decodeMessage(subject, payload).items;
			const storedAt = stored_at.getTime();
			if (item?.ok && !("propensities" in item.value))
				return { ...item.value, verdict: verdictOfRefusal(reason), storedAt };
			const named = item?.ok === false ? item.eventId : undefined;
			return {
				...(named !== undefined && { id: named }),
				...{ verdict: "malformed", detail: reason, storedAt },
			};
		});
	}
}

function tell(
	row: DecisionRow,
	definition: Definition | undefined,
	revision: number | null,
	records: readonly RevisedRecord[],
) {
	if (definition === undefined)
		throw new Error(
			`The decision ${row.id} names the definition row ${row.definitionId}, which is not there.`,
		);
	const { reward } = definition.experiment;
	const outcomes = records.map((record) => ({
		event: toEvent(record),
		revision: record.revision,
	}));
	const all: Event[] = outcomes.map(({ event }) => event);
	const { verdicts } = judge(reward, row, all);
	const moved =
		revision === null
			? { decision: null, events: new Map<string, Movement>() }
			: movements(reward, row, revision, outcomes);
	const closing = outcomes.find(({ event }) => isClosing(event));
	return {
		moved: moved.decision,
		closing: closing
			? {
					at: closing.event.at,
					revision: closing.revision ?? revision,
					moved: moved.events.get(closing.event.id) ?? null,
				}
			: null,
		events: records
			.filter((record) => !isClosing({ id: record.event_id }))
			.map((record) => ({
				...stored(record, verdicts.get(record.event_id) as Judgement),
				moved: moved.events.get(record.event_id) ?? null,
			})),
	};
}

function stored(record: OutcomeRecord, judgement: Judgement): StoredEvent {
	return {
		...toEvent(record),
		...judgement,
		storedAt: record.stored_at.getTime(),
	};
}
