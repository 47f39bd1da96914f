import { isNotStored } from "#core/context";
import {
	type DecisionRow,
	decodeMessage,
	type Event,
	type Item,
	instantOf,
	type Publisher,
} from "#core/log";
import {
	payloadOfPoison,
	refusedDecision,
	refusedEvent,
} from "./dead-letter.js";
import { eventHash } from "./event-hash.js";
import { foldBatch } from "./fold.js";
import type {
	Batch,
	Committed,
	DeadLetter,
	ItemSource,
	LearningLedger,
	LoggedDecision,
	LoggedEvent,
	PublishedPacks,
} from "./ports.js";

/** A message as the learner needs it; the stream's own type has more. */
export interface LearnableMessage {
	readonly subject: string;
	readonly body: Uint8Array;
	readonly storedAt: number;
	readonly position: number;
}

/** What `inBatches` finished: some of the messages, from the front. */
export interface LearnedBatch<Message> {
	readonly messages: readonly Message[];
	readonly items: number;
	readonly commits: readonly Committed[];
}

/** Turns delivered messages into committed sums: judge item by item, fold, commit. The caller acknowledges after it returns. */
export class Learn {
	constructor(
		private readonly ledger: LearningLedger,
		/** True where the data itself is refused and no retry helps; any other error is thrown, and the batch is tried again. */
		private readonly isRefusal: (error: unknown) => boolean,
		/** Told of the packs of each batch once it is committed; absent where nobody looks for losses. */
		private readonly published: PublishedPacks | null = null,
		/** Whether what happened at an instant names its unit as it must; absent where any name will do. */
		private readonly isNamed: IsNamed | null = null,
	) {}

	/**
	 * One transaction for all messages. Where the database refuses the batch for what is in it, the batch is halved until the
	 * one item that it refuses is found and dead-lettered; the rest is learned.
	 */
	async execute(
		messages: readonly LearnableMessage[],
	): Promise<readonly Committed[]> {
		const commits: Committed[] = [];
		for await (const batch of this.inBatches(
			messages,
			Number.POSITIVE_INFINITY,
		))
			commits.push(...batch.commits);
		return commits;
	}

	/**
	 * One transaction for as many messages as hold `mostItems` items, at least one; then the next. Each batch is given back once it is
	 * committed, so that its messages can be acknowledged; what was not given back may be tried again.
	 */
	async *inBatches<Message extends LearnableMessage>(
		messages: readonly Message[],
		mostItems: number,
	): AsyncGenerator<LearnedBatch<Message>, void> {
		for (let from = 0; from < messages.length; ) {
			const taken = takeBatch(messages, from, mostItems, this.isNamed);
			const commits = await this.#commit(taken.batch);
			if (taken.packs.length > 0) await this.published?.record(taken.packs);
			yield {
				messages: messages.slice(from, taken.end),
				items: taken.items,
				commits,
			};
			from = taken.end;
		}
	}

	async #commit(batch: Batch): Promise<readonly Committed[]> {
		try {
			return [await this.ledger.commit(batch, foldBatch)];
		} catch (error) {
			if (!this.isRefusal(error)) throw error;
			const parts = divide(batch);
			if (parts === null) return [await this.#bury(batch, error)];
			return [
				...(await this.#commit(parts[0])),
				...(await this.#commit(parts[1])),
			];
		}
	}

	/** The last item left, or a dead letter alone: it must not block what comes behind. */
	async #bury(batch: Batch, error: unknown): Promise<Committed> {
		if (batch.deadLetters.length > 0)
			return this.ledger.commit(withoutWords(batch), foldBatch);
		const letter = asDeadLetter(batch, error);
		try {
			return await this.ledger.commit(letter, foldBatch);
		} catch (again) {
			if (!this.isRefusal(again)) throw again;
			return this.ledger.commit(withoutWords(letter), foldBatch);
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

type IsNamed = (unit: string, instant: number) => boolean;

const NO_BYTES = new Uint8Array();
const RAW_UNIT =
	"raw unit: where SEGUE_UNIT_KEY is set, events of units come by POST /v1/events or by a request on segue.accept";

/** Why an item is refused without its words, where units must go by pseudonyms: it names one otherwise, or cannot be read and may. */
function refusedName(
	item: Item<DecisionRow | Event>,
	isNamed: IsNamed,
): string | null {
	if (!item.ok)
		return `${item.reason.split(":", 1)[0]}: its words may name a unit and are not kept`;
	const { value } = item;
	const instant = "propensities" in value ? value.decidedAt : instantOf(value);
	return isNamed(value.unit, instant) ? null : RAW_UNIT;
}

/** With the decision that the item names, as far as it can be read. Not with that one's time: whoever cannot be understood may name any. */
function letterOf(
	item: Item<DecisionRow | Event>,
	letter: DeadLetter,
): DeadLetter {
	const decisionId = item.ok ? undefined : item.decisionId;
	return decisionId === undefined ? letter : { ...letter, decisionId };
}

interface TakenBatch {
	readonly batch: Batch;
	/** Index behind its last message. */
	readonly end: number;
	readonly items: number;
	/** Numbered packs that arrived whole. */
	readonly packs: readonly Publisher[];
}

function takeBatch(
	messages: readonly LearnableMessage[],
	from: number,
	mostItems: number,
	isNamed: IsNamed | null,
): TakenBatch {
	const decisions: LoggedDecision[] = [];
	const events: LoggedEvent[] = [];
	const deadLetters: DeadLetter[] = [];
	const packs: Publisher[] = [];
	let items = 0;
	let end = from;
	while (end < messages.length && items < mostItems) {
		const { subject, body, storedAt, position } = messages[
			end
		] as LearnableMessage;
		const decoded = decodeMessage(subject, body);
		const { publisher } = decoded;
		if (publisher !== null && publisher.sequence > 0 && !decoded.part)
			packs.push(publisher);
		for (let index = 0; index < decoded.items.length; index++) {
			const item = decoded.items[index] as Item<DecisionRow | Event>;
			const source: ItemSource = { position, index, subject, storedAt };
			const refusal = isNamed === null ? null : refusedName(item, isNamed);
			if (refusal !== null) {
				deadLetters.push(
					letterOf(item, { source, reason: refusal, payload: NO_BYTES }),
				);
			} else if (!item.ok) {
				const payload = isNotStored(item.reason)
					? NO_BYTES
					: payloadOfPoison(body, decoded, item.raw);
				deadLetters.push(
					letterOf(item, { source, reason: item.reason, payload }),
				);
			} else if ("propensities" in item.value) {
				const row = item.value;
				decisions.push({ row, publisher: publisher as Publisher, source });
			} else {
				const event = item.value;
				const bodyHash = eventHash(event);
				events.push({ event, bodyHash, publisher, source });
			}
		}
		items += decoded.items.length;
		end++;
	}
	return { batch: { decisions, events, deadLetters }, end, items, packs };
}

/**
 * Dead letters apart, so that they are not sent again with what must be tried often, then halves of the rest. Null where there is nothing
 * left to divide.
 */
function divide({
	decisions,
	events,
	deadLetters,
}: Batch): [Batch, Batch] | null {
	const items = decisions.length + events.length;
	if (items > 0 && deadLetters.length > 0)
		return [
			{ decisions: [], events: [], deadLetters },
			{ decisions, events, deadLetters: [] },
		];
	if (items + deadLetters.length <= 1) return null;
	const d = Math.ceil(decisions.length / 2);
	const e = Math.floor(events.length / 2);
	const l = Math.ceil(deadLetters.length / 2);
	return [
		{
			decisions: decisions.slice(0, d),
			events: events.slice(0, e),
			deadLetters: deadLetters.slice(0, l),
		},
		{
			decisions: decisions.slice(d),
			events: events.slice(e),
			deadLetters: deadLetters.slice(l),
		},
	];
}

function asDeadLetter(batch: Batch, error: unknown): Batch {
	const reason = `refused by the database: ${error instanceof Error ? error.message : String(error)}`;
	return {
		decisions: [],
		events: [],
		deadLetters: [
			...batch.decisions.map((one) => refusedDecision(one, reason)),
			...batch.events.map((one) => refusedEvent(one, reason)),
		],
	};
}
