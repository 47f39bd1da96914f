import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvents,
	LOG_SUBJECT,
	type Publisher as PublisherName,
} from "#core/log";
import { findRow } from "./find-row.js";
import { GroupCommit, type Place } from "./group-commit.js";
import {
	MessageTooLarge,
	type Spool,
	type SpoolEntry,
	SpoolFull,
	type Stream,
	StreamAway,
} from "./ports.js";
import { roughBytesOfEvent, roughBytesOfRow } from "./rough-bytes.js";
import { SequenceNumbers } from "./sequence-numbers.js";
import { SpoolDrain } from "./spool-drain.js";

export interface PublisherOptions {
	/** UUID of this process start. */
	readonly boot: string;
	/** Told of each message the stream took. */
	readonly onPublished?: (seconds: number) => void;
	/** Told of each pack of decisions once it is safe, before those who wait for it are. */
	readonly onSafe?: (rows: readonly DecisionRow[], pack: Uint8Array) => void;
	/** Told when the stream does not take messages, and of failures to drain. */
	readonly onTrouble?: (what: string, error: unknown) => void;
}

const MOST_ITEMS = 200;
/** What a message is filled up to, by guessed sizes, and what it may have in truth. */
const FILL_BYTES = 384 * 1_024;
const MOST_BYTES = 512 * 1_024;
/** One item that alone has more goes as a message of its own, up to what every stream takes. */
const MOST_SINGLE_BYTES = 1_000_000;
const MOST_FLIGHTS = 2;
const LONGEST_STAY_MS = 2;
const MOST_WAITING = 20_000;
/** After the stream left a message unanswered, new ones go to the spool without waiting for it, this long at most. */
const SUSPECT_MS = 1_000;
const LEAST_PUBLISH_MS = 2;
const DRAIN_PUBLISH_MS = 2_000;

type Encode<T> = (items: readonly T[], publisher: PublisherName) => Uint8Array;

/**
 * The one way out of a decider. Decisions and events are packed, numbered (boot, sequence) and published; what the stream does not
 * take in time goes to the spool under the same message id, since a timeout means *unknown* and unique keys make a repeat harmless.
 *
 * The stream is trusted → (a publish fails) → suspected, during which all goes to the spool → trusted again as soon as anything
 * spooled got through, which is tried at once, and after a second in any case: then one group finds out. The spool is drained in order by a loop of its own; new packs need not wait for it, since no
 * order is assumed.
 */
export class Publisher {
	readonly #decisions: GroupCommit<DecisionRow>;
	readonly #events: GroupCommit<Event>;
	readonly #drain: SpoolDrain;
	readonly #numbers = new SequenceNumbers();
	#suspectUntil = 0;

	constructor(
		private readonly stream: Stream,
		private readonly spool: Spool,
		private readonly options: PublisherOptions,
	) {
		const bounds = {
			mostItems: MOST_ITEMS,
			mostBytes: FILL_BYTES,
			mostFlights: MOST_FLIGHTS,
			longestStayMs: LONGEST_STAY_MS,
			mostWaiting: MOST_WAITING,
			refusal: () => new SpoolFull(),
		};
		this.#decisions = new GroupCommit({
			...bounds,
			send: (rows, ms) =>
				this.#send(
					LOG_SUBJECT,
					rows,
					encodeDecisions,
					performance.now() + ms,
					options.onSafe,
				),
		});
		this.#events = new GroupCommit({
			...bounds,
			send: (events, ms) =>
				this.#send(
					EVENT_PACK_SUBJECT,
					events,
					encodeEvents,
					performance.now() + ms,
				),
		});
		this.#drain = new SpoolDrain(stream, spool, {
			publish: (entry) => this.#publish(entry, DRAIN_PUBLISH_MS),
			onMoved: () => {
				this.#suspectUntil = 0;
			},
			onTrouble: (what, error) => this.#trouble(what, error),
		});
	}

	/** Begins to drain what an earlier process left. */
	start(): void {
		this.#drain.start();
	}

	/** Resolves when everything added is safe; what is spooled stays for the next start. */
	async stop(): Promise<void> {
		await Promise.all([this.#decisions.settled(), this.#events.settled()]);
		await this.#drain.stop();
	}

	/** True while new messages go to the spool. */
	get degraded(): boolean {
		return !this.#trusted();
	}

	/** Rejects with SpoolFull where neither stream nor spool can keep the row, with MessageTooLarge where none ever will. */
	decision(row: DecisionRow, timeoutMs: number): Promise<Place> {
		return this.#decisions.add(row, roughBytesOfRow(row), timeoutMs);
	}

	/** All of them, or a rejection: then some may be safe and the same ids should be sent again. */
	async events(events: readonly Event[], timeoutMs: number): Promise<Place> {
		const places = await Promise.all(
			events.map((event) =>
				this.#events.add(event, roughBytesOfEvent(event), timeoutMs),
			),
		);
		return places.includes("spool") ? "spool" : "stream";
	}

	/** A decision that is on its way or waits in the spool, also one that an earlier process left there. */
	async pending(id: string): Promise<DecisionRow | null> {
		for (const row of this.#decisions.underWay()) if (row.id === id) return row;
		if (this.spool.count === 0) return null;
		for await (const { subject, body } of this.spool.entries()) {
			const found = subject === LOG_SUBJECT ? findRow(subject, body, id) : null;
			if (found !== null) return found;
		}
		return null;
	}

	async #send<T>(
		subject: string,
		items: readonly T[],
		encode: Encode<T>,
		deadline: number,
		onSafe?: (items: readonly T[], pack: Uint8Array) => void,
	): Promise<Place> {
		const sequence = this.#numbers.take();
		const publisher = { boot: this.options.boot, sequence };
		const body = encode(items, publisher);
		if (body.length > (items.length === 1 ? MOST_SINGLE_BYTES : MOST_BYTES)) {
			this.#numbers.giveBack(sequence);
			if (items.length === 1)
				throw new MessageTooLarge(body.length, MOST_SINGLE_BYTES);
			return await this.#sendHalves(subject, items, encode, deadline, onSafe);
		}
		try {
			const place = await this.#keep(
				{ subject, messageId: `${publisher.boot}:${sequence}`, body },
				sequence,
				deadline,
			);
			onSafe?.(items, body);
			return place;
		} catch (error) {
			if (!(error instanceof MessageTooLarge) || items.length === 1)
				throw error;
			return await this.#sendHalves(subject, items, encode, deadline, onSafe);
		}
	}

	/** The sizes were guessed too low, or the stream takes less than others: the same items in two messages. */
	async #sendHalves<T>(
		subject: string,
		items: readonly T[],
		encode: Encode<T>,
		deadline: number,
		onSafe?: (items: readonly T[], pack: Uint8Array) => void,
	): Promise<Place> {
		const half = Math.ceil(items.length / 2);
		const places = await Promise.all([
			this.#send(subject, items.slice(0, half), encode, deadline, onSafe),
			this.#send(subject, items.slice(half), encode, deadline, onSafe),
		]);
		return places.includes("spool") ? "spool" : "stream";
	}

	async #keep(
		entry: SpoolEntry,
		sequence: number,
		deadline: number,
	): Promise<Place> {
		const timeoutMs = Math.floor(deadline - performance.now());
		let sent = false;
		let suspicious = false;
		if (this.#trusted() && timeoutMs >= LEAST_PUBLISH_MS) {
			try {
				await this.#publish(entry, timeoutMs);
				return "stream";
			} catch (error) {
				if (error instanceof MessageTooLarge) {
					this.#numbers.giveBack(sequence);
					throw error;
				}
				sent = !(error instanceof StreamAway);
				suspicious = true;
				this.#suspectUntil = performance.now() + SUSPECT_MS;
				this.#trouble(
					"The stream did not take a message; it goes to the spool",
					error,
				);
			}
		}
		try {
			await this.spool.append(entry);
			if (suspicious) this.#drain.wake();
			return "spool";
		} catch (error) {
			if (!sent) this.#numbers.giveBack(sequence);
			if (error instanceof SpoolFull) throw error;
			this.#trouble("The spool did not take a message", error);
			throw new SpoolFull();
		}
	}

	async #publish(
		{ subject, body, messageId }: SpoolEntry,
		timeoutMs: number,
	): Promise<void> {
		const startedAt = performance.now();
		await this.stream.publish(subject, body, messageId, timeoutMs);
		this.options.onPublished?.((performance.now() - startedAt) / 1_000);
	}

	#trusted(): boolean {
		return this.stream.connected && performance.now() >= this.#suspectUntil;
	}

	#trouble(what: string, error: unknown): void {
		this.options.onTrouble?.(what, error);
	}
}
