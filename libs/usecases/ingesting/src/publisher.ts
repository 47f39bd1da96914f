import {
	type DecisionRow,
	decodeMessage,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvents,
	LOG_SUBJECT,
	type Publisher as PublisherName,
} from "#core/log";
import { GroupCommit, type Place } from "./group-commit.js";
import {
	MessageTooLarge,
	type Spool,
	type SpoolEntry,
	SpoolFull,
	type Stream,
} from "./ports.js";

export interface PublisherOptions {
	/** UUID of this process start. */
	readonly boot: string;
	/** Told of each message the stream took. */
	readonly onPublished?: (seconds: number) => void;
	/** Told when the stream does not take messages, and of failures to drain. */
	readonly onTrouble?: (what: string, error: unknown) => void;
}

const MOST_ITEMS = 200;
const MOST_BYTES = 384 * 1_024;
const MOST_FLIGHTS = 2;
const MOST_WAITING = 20_000;
/** After the stream left a message unanswered, new ones go to the spool without waiting for it this long. */
const SUSPECT_MS = 1_000;
const LEAST_PUBLISH_MS = 2;
const DRAIN_PUBLISH_MS = 2_000;
const DRAIN_MOST = 64;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The one way out of a decider. Decisions and events are packed, numbered (boot, sequence) and published; what the stream does not
 * take in time goes to the spool under the same message id, since a timeout means *unknown* and unique keys make a repeat harmless.
 *
 * The stream is trusted → (a publish fails) → suspected for a second, during which all goes to the spool → trusted again.
 * The spool is drained in order by a loop of its own; new packs need not wait for it, since no order is assumed.
 */
export class Publisher {
	readonly #decisions: GroupCommit<DecisionRow>;
	readonly #events: GroupCommit<Event>;
	/** Decisions on their way, found by id until they are safe. */
	readonly #flying = new Map<string, DecisionRow>();
	#sequence = 0;
	#suspectUntil = 0;
	#draining: Promise<void> | null = null;
	#stopping = false;
	#wake: () => void = () => {};

	constructor(
		private readonly stream: Stream,
		private readonly spool: Spool,
		private readonly options: PublisherOptions,
	) {
		const bounds = {
			mostItems: MOST_ITEMS,
			mostBytes: MOST_BYTES,
			mostFlights: MOST_FLIGHTS,
			mostWaiting: MOST_WAITING,
		};
		const refusal = () => new SpoolFull();
		this.#decisions = new GroupCommit({
			...bounds,
			refusal,
			send: (rows, ms) => this.#send(LOG_SUBJECT, rows, encodeDecisions, ms),
		});
		this.#events = new GroupCommit({
			...bounds,
			refusal,
			send: (events, ms) =>
				this.#send(EVENT_PACK_SUBJECT, events, encodeEvents, ms),
		});
	}

	/** Begins to drain what an earlier process left. */
	start(): void {
		this.#draining ??= this.#drain();
	}

	/** Resolves when everything added is safe; what is spooled stays for the next start. */
	async stop(): Promise<void> {
		await Promise.all([this.#decisions.settled(), this.#events.settled()]);
		this.#stopping = true;
		this.#wake();
		await this.#draining;
	}

	/** True while new messages go to the spool. */
	get degraded(): boolean {
		return !this.#trusted();
	}

	/** Rejects with SpoolFull where neither stream nor spool can keep the row. */
	async decision(row: DecisionRow, timeoutMs: number): Promise<Place> {
		this.#flying.set(row.id, row);
		try {
			return await this.#decisions.add(row, roughBytes(row), timeoutMs);
		} finally {
			this.#flying.delete(row.id);
		}
	}

	/** All of them, or a rejection: then some may be safe and the same ids should be sent again. */
	async events(events: readonly Event[], timeoutMs: number): Promise<Place> {
		const places = await Promise.all(
			events.map((event) =>
				this.#events.add(
					event,
					256 + 2 * JSON.stringify(event.properties ?? "").length,
					timeoutMs,
				),
			),
		);
		return places.includes("spool") ? "spool" : "stream";
	}

	/** A decision that is on its way or waits in the spool, also one that an earlier process left there. */
	async pending(id: string): Promise<DecisionRow | null> {
		const flying = this.#flying.get(id);
		if (flying) return flying;
		if (this.spool.size === 0) return null;
		for await (const { subject, body } of this.spool.entries()) {
			if (subject !== LOG_SUBJECT) continue;
			const decoded = decodeMessage(subject, body);
			if (decoded.kind !== "decisions") continue;
			for (const item of decoded.items)
				if (item.ok && item.value.id === id) return item.value;
		}
		return null;
	}

	async #send<T>(
		subject: string,
		items: readonly T[],
		encode: (items: readonly T[], publisher: PublisherName) => Uint8Array,
		timeoutMs: number,
	): Promise<Place> {
		this.#sequence += 1;
		const publisher = { boot: this.options.boot, sequence: this.#sequence };
		const entry: SpoolEntry = {
			subject,
			messageId: `${publisher.boot}:${publisher.sequence}`,
			body: encode(items, publisher),
		};
		if (this.#trusted() && timeoutMs >= LEAST_PUBLISH_MS) {
			try {
				await this.#publish(entry, timeoutMs);
				return "stream";
			} catch (error) {
				if (error instanceof MessageTooLarge)
					return this.#sendHalves(subject, items, encode, timeoutMs, error);
				this.#suspectUntil = performance.now() + SUSPECT_MS;
				this.options.onTrouble?.(
					"The stream did not take a message; it goes to the spool",
					error,
				);
			}
		}
		await this.spool.append(entry);
		this.#wake();
		return "spool";
	}

	/** The sizes were guessed too low: the same items in two messages. One item that is too large by itself cannot be kept. */
	async #sendHalves<T>(
		subject: string,
		items: readonly T[],
		encode: (items: readonly T[], publisher: PublisherName) => Uint8Array,
		timeoutMs: number,
		error: MessageTooLarge,
	): Promise<Place> {
		if (items.length === 1) throw error;
		const half = Math.ceil(items.length / 2);
		const places = [
			await this.#send(subject, items.slice(0, half), encode, timeoutMs),
			await this.#send(subject, items.slice(half), encode, timeoutMs),
		];
		return places.includes("spool") ? "spool" : "stream";
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

	async #drain(): Promise<void> {
		let pause = 0;
		while (!this.#stopping) {
			try {
				const entries = this.stream.connected
					? await this.spool.peek(DRAIN_MOST)
					: [];
				for (const entry of entries) {
					if (this.#stopping) return;
					await this.#publish(entry, DRAIN_PUBLISH_MS);
					await this.spool.drop(1);
				}
				if (entries.length > 0) this.#suspectUntil = 0;
				pause = entries.length > 0 ? 0 : 250;
			} catch (error) {
				this.options.onTrouble?.("The spool was not drained", error);
				pause = Math.min(LONGEST_PAUSE_MS, Math.max(100, pause * 2));
			}
			if (pause > 0) await this.#rest(pause);
		}
	}

	#rest(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				if (!this.#stopping) return;
				clearTimeout(timer);
				resolve();
			};
		});
	}
}

/** Size of a row's JSON, near enough to fill messages well; a pack that turns out too large is halved. */
function roughBytes(row: DecisionRow): number {
	return (
		900 +
		6 * row.x.length +
		40 * row.eligible.length +
		40 * Object.keys(row.context).length
	);
}
