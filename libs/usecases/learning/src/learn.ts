import { decodeMessage, eventHash, type Publisher } from "#core/log";
import {
	payloadOfPoison,
	refusedDecision,
	refusedEvent,
} from "./dead-letter.js";
import { foldBatch } from "./fold.js";
import type {
	Batch,
	Committed,
	DeadLetter,
	ItemSource,
	LearningLedger,
	LoggedDecision,
	LoggedEvent,
} from "./ports.js";

/** A message as the learner needs it; the stream's own type has more. */
export interface LearnableMessage {
	readonly subject: string;
	readonly body: Uint8Array;
	readonly storedAt: number;
	readonly position: number;
}

/** Turns delivered messages into committed sums: judge item by item, fold, commit. The caller acknowledges after it returns. */
export class Learn {
	constructor(
		private readonly ledger: LearningLedger,
		/** True where the data itself is refused and no retry helps; any other error is thrown, and the batch is tried again. */
		private readonly isRefusal: (error: unknown) => boolean,
	) {}

	/**
	 * One transaction for all messages. Where the database refuses the batch for what is in it, the batch is halved until the
	 * one item that it refuses is found and dead-lettered; the rest is learned.
	 */
	async execute(
		messages: readonly LearnableMessage[],
	): Promise<readonly Committed[]> {
		return this.#commit(toBatch(messages));
	}

	async #commit(batch: Batch): Promise<readonly Committed[]> {
		try {
			return [await this.ledger.commit(batch, foldBatch)];
		} catch (error) {
			if (!this.isRefusal(error)) throw error;
			const halves = halve(batch);
			if (halves === null) return [await this.#bury(batch, error)];
			return [
				...(await this.#commit(halves[0])),
				...(await this.#commit(halves[1])),
			];
		}
	}

	/** The last item left, or dead letters alone: they must not block what comes behind. */
	async #bury(batch: Batch, error: unknown): Promise<Committed> {
		const letters = asDeadLetters(batch, error);
		try {
			return await this.ledger.commit(letters, foldBatch);
		} catch (again) {
			if (!this.isRefusal(again)) throw again;
			return this.ledger.commit(withoutWords(letters), foldBatch);
		}
	}
}

/** Says no more than that there was something: stored where even its words were refused. */
function withoutWords(batch: Batch): Batch {
	const deadLetters = batch.deadLetters.map(({ source }) => ({
		source: { ...source, subject: "?" },
		reason: "unstorable: the database refused the dead letter itself",
		payload: new Uint8Array(),
	}));
	return { decisions: [], events: [], deadLetters };
}

function toBatch(messages: readonly LearnableMessage[]): Batch {
	const decisions: LoggedDecision[] = [];
	const events: LoggedEvent[] = [];
	const deadLetters: DeadLetter[] = [];
	for (const { subject, body, storedAt, position } of messages) {
		const decoded = decodeMessage(subject, body);
		for (const [index, item] of decoded.items.entries()) {
			const source: ItemSource = { position, index, subject, storedAt };
			if (!item.ok) {
				deadLetters.push({
					source,
					reason: item.reason,
					payload: payloadOfPoison(body, decoded, item.raw),
				});
			} else if ("propensities" in item.value) {
				const publisher = decoded.publisher as Publisher;
				decisions.push({ row: item.value, publisher, source });
			} else {
				events.push({
					event: item.value,
					bodyHash: eventHash(item.value),
					publisher: decoded.publisher,
					source,
				});
			}
		}
	}
	return { decisions, events, deadLetters };
}

/** Null where there is nothing left to halve. */
function halve(batch: Batch): [Batch, Batch] | null {
	const { decisions, events, deadLetters } = batch;
	if (decisions.length + events.length <= 1) return null;
	const d = Math.ceil(decisions.length / 2);
	const e = Math.floor(events.length / 2);
	return [
		{
			decisions: decisions.slice(0, d),
			events: events.slice(0, e),
			deadLetters,
		},
		{ decisions: decisions.slice(d), events: events.slice(e), deadLetters: [] },
	];
}

function asDeadLetters(batch: Batch, error: unknown): Batch {
	const reason = `refused by the database: ${error instanceof Error ? error.message : String(error)}`;
	return {
		decisions: [],
		events: [],
		deadLetters: [
			...batch.deadLetters,
			...batch.decisions.map((one) => refusedDecision(one, reason)),
			...batch.events.map((one) => refusedEvent(one, reason)),
		],
	};
}
