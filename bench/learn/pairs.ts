import { setTimeout as sleep } from "node:timers/promises";
import type { Definition } from "#core/experiment";
import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvents,
	LOG_SUBJECT,
	uuidAtTime,
} from "#core/log";
import {
	Decide,
	PosteriorCache,
	type PosteriorSource,
	parseDecisionRequest,
} from "#usecases/deciding";
import type { Stream } from "#usecases/ingesting";
import { randomNumbers, requestOf } from "../decide/experiment.js";

/** A logged decision and its one outcome. */
export interface Pair {
	readonly row: DecisionRow;
	readonly event: Event;
}

export interface Message {
	readonly subject: string;
	readonly body: Uint8Array;
}

/** As group commit packs them under load. */
const IN_A_PACK = 16;
const AT_ONCE = 64;
const PUBLISHING = 64;
const PUBLISH_TIMEOUT_MS = 20_000;
/** Between a decision and its outcome, milliseconds. */
const LISTENED_MS = 5_000;

/** Decisions as a decider makes them, of a running experiment that has learned nothing yet, and their outcomes. */
export class Pairs {
	readonly #decide: Decide;
	readonly #posteriors: PosteriorCache;
	readonly #random = randomNumbers(20_261_126);
	#rows: DecisionRow[] = [];
	#minted = 0;
	#packs = 0;

	constructor(definition: Definition) {
		const definitions = { get: () => definition, all: () => [definition] };
		const nothingLearned: PosteriorSource = {
			heads: async () => new Map([[definition.experiment.key, 1]]),
			read: async () => ({ revision: 1, changed: [] }),
		};
		this.#posteriors = new PosteriorCache(nothingLearned, definitions, {
			now: () => Date.now(),
		});
		this.#decide = new Decide(
			{
				definitions,
				posteriors: this.#posteriors,
				live: { read: () => 0 },
				ids: { mint: () => this.#mint() },
				log: {
					decision: async (row) => {
						this.#rows.push(row);
						return "stream";
					},
				},
			},
			60_000,
		);
	}

	#mint(): string {
		const tail = (this.#minted++).toString(16).padStart(12, "0");
		return `${uuidAtTime(Date.now()).slice(0, 24)}${tail}`;
	}

	async make(count: number): Promise<readonly Pair[]> {
		await this.#posteriors.poll();
		this.#rows = [];
		while (this.#rows.length < count) {
			const requests = Array.from({ length: AT_ONCE }, () =>
				parseDecisionRequest(requestOf(this.#random)),
			);
			await Promise.all(
				requests.map((request) => this.#decide.execute(request)),
			);
			// Ids are unique by their tail; their time goes on all the same.
			await sleep(0);
		}
		return this.#rows.slice(0, count).map((row, place) => ({
			row,
			event: {
				id: `play-${this.#packs}-${place}`,
				type: "play",
				at: row.decidedAt + LISTENED_MS,
				unit: row.unit,
				decisionId: row.id,
				value: 1,
			},
		}));
	}

	/** Packs of decisions, each pack followed by one of outcomes: those of the decisions `lag` before. */
	encode(pairs: readonly Pair[], lag: number, boot: string): Message[] {
		const messages: Message[] = [];
		const packs = <T>(list: readonly T[], from: number) =>
			list.slice(Math.max(0, from), Math.max(0, from + IN_A_PACK));
		for (let at = 0; at < pairs.length + lag; at += IN_A_PACK) {
			const rows = packs(pairs, at).map(({ row }) => row);
			if (rows.length > 0)
				messages.push({
					subject: LOG_SUBJECT,
					body: encodeDecisions(rows, { boot, sequence: ++this.#packs }),
				});
			const events = packs(pairs, at - lag).map(({ event }) => event);
			if (events.length > 0)
				messages.push({
					subject: EVENT_PACK_SUBJECT,
					body: encodeEvents(events, { boot, sequence: ++this.#packs }),
				});
		}
		return messages;
	}
}

/** Resolves when the stream holds them all, in their order as nearly as many publishes at once keep it. */
export async function publishAll(
	stream: Stream,
	messages: readonly Message[],
	name: string,
): Promise<void> {
	let next = 0;
	const publishing = async () => {
		while (next < messages.length) {
			const place = next++;
			const { subject, body } = messages[place] as Message;
			await stream.publish(
				subject,
				body,
				`${name}-${place}`,
				PUBLISH_TIMEOUT_MS,
			);
		}
	};
	await Promise.all(Array.from({ length: PUBLISHING }, publishing));
}
