import type { JetStreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { StreamMessage, Tail } from "#usecases/ingesting";
import { readDelivery } from "./jetstream-delivery.js";
import { addReader, STREAM } from "./jetstream-layout.js";
import { PullRequests } from "./jetstream-pull.js";
import type { OnProblem } from "./options.js";
import type { TailWish } from "./tail-wish.js";
import { BackOff } from "./wait.js";

const BATCH = 256;
/** Small enough that a pong is never stuck for long behind a flood of messages. */
const BATCH_BYTES = 4 * 1_048_576;
const REQUEST_EXPIRES_MS = 10_000;
/** While messages are known to be left: they come at once, or were dropped. */
const EXPIRES_BEHIND_MS = 1_000;
const LONGEST_WAIT_MS = 1_000;

/**
 * Reads the stream in order from a time on, over a reader that the server may forget at any moment.
 *
 * States: *placing* (make a reader: by time at first, else behind the last message seen) → *reading* (pull requests one after
 * another) → *placing* again when the reader is gone, an answer is lost, or the reader's own sequence has a hole.
 * A stream that was made anew meanwhile (the broker came back empty) counts from 1 again, so *placing* then goes by the time
 * of the last message seen, and never waits for a sequence that may not come.
 */
export class JetStreamTail implements Tail {
	readonly caughtUp: Promise<void>;
	readonly #manager: JetStreamManager;
	readonly #pulls: PullRequests;
	readonly #filter: string;
	readonly #deliver: (message: StreamMessage) => void;
	readonly #onProblem: OnProblem;
	readonly #stop = new AbortController();
	readonly #ended: Promise<void>;
	#sayCaughtUp: () => void = () => {};
	#since: number;
	#lastSequence = 0;
	#streamMade = "";

	constructor(
		connection: NatsConnection,
		manager: JetStreamManager,
		wish: TailWish,
		onProblem: OnProblem,
	) {
		this.#manager = manager;
		this.#pulls = new PullRequests(connection);
		this.#filter = wish.filter;
		this.#since = wish.since;
		this.#deliver = wish.deliver;
		this.#onProblem = onProblem;
		this.caughtUp = new Promise((resolve) => {
			this.#sayCaughtUp = resolve;
		});
		this.#ended = this.#run();
	}

	/** After a disconnect: what was asked for will not be answered. */
	abandon(): void {
		this.#pulls.abandon();
	}

	async close(): Promise<void> {
		this.#stop.abort();
		this.#pulls.abandon();
		await this.#ended;
	}

	async #run(): Promise<void> {
		const backOff = new BackOff(LONGEST_WAIT_MS);
		while (!this.#stop.signal.aborted) {
			try {
				const reader = await this.#place();
				backOff.reset();
				await this.#read(reader.name, reader.pending);
			} catch (error) {
				if (this.#stop.signal.aborted) return;
				this.#onProblem(
					`The tail of ${this.#filter} could not read; it tries again.`,
					error,
				);
				await backOff.wait(this.#stop.signal);
			}
		}
	}

	async #place(): Promise<{ name: string; pending: number }> {
		const made = (await this.#manager.streams.info(STREAM)).created;
		const sameStream = made === this.#streamMade;
		const from =
			sameStream && this.#lastSequence > 0
				? { sequence: this.#lastSequence + 1 }
				: { time: this.#since };
		this.#streamMade = made;
		this.#lastSequence = sameStream ? this.#lastSequence : 0;
		const reader = await addReader(this.#manager, from, this.#filter);
		return { name: reader.name, pending: reader.num_pending };
	}

	/** Returns when the reader has to be placed anew. */
	async #read(reader: string, pending: number): Promise<void> {
		let expected = 1;
		let complete = true;
		let behind = pending;
		if (behind === 0) this.#sayCaughtUp();
		const take = (message: Msg) => {
			const delivery = readDelivery(message);
			if (delivery === null || this.#stop.signal.aborted) return;
			if (!complete || delivery.consumerSequence !== expected) {
				complete = false;
				return;
			}
			expected += 1;
			this.#hand(message, delivery.streamSequence, delivery.storedAt);
			behind = Math.max(0, Math.min(behind - 1, delivery.pending));
			if (behind === 0) this.#sayCaughtUp();
		};
		const wish = {
			batch: BATCH,
			maxBytes: BATCH_BYTES,
			oneShot: false,
		};
		while (complete && !this.#stop.signal.aborted) {
			const expiresMs = behind > 0 ? EXPIRES_BEHIND_MS : REQUEST_EXPIRES_MS;
			const end = await this.#pulls.request(
				reader,
				{ ...wish, expiresMs },
				take,
			);
			if (end !== "empty" && end !== "done") break;
			// What is dropped unread never comes.
			if (end === "empty" && behind > 0) {
				behind = (await this.#manager.consumers.info(STREAM, reader))
					.num_pending;
				if (behind === 0) this.#sayCaughtUp();
			}
		}
		await this.#manager.consumers.delete(STREAM, reader).catch(() => {});
	}

	#hand(message: Msg, position: number, storedAt: number): void {
		this.#lastSequence = position;
		this.#since = Math.max(this.#since, storedAt);
		try {
			this.#deliver({
				subject: message.subject,
				body: message.data,
				storedAt,
				position,
				deliveries: 1,
			});
		} catch (error) {
			this.#onProblem(
				`The reader of ${this.#filter} could not take message ${position}; it goes on behind it.`,
				error,
			);
		}
	}
}
