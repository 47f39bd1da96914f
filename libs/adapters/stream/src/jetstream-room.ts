import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { STREAM } from "./jetstream-layout.js";

/** Of the stream's bound; the rest is the margin for what other publishers add before this one asks again. */
const FILLED_SHARE = 7 / 8;
const ASK_MS = 1_000;
const ASK_WHEN_FULL_MS = 100;

/**
 * Keeps a publisher off a stream that is nearly full, without asking at each publish. A nats-server judges a message without its record's
 * overhead: one that fits by that much less pushes out the oldest, although the stream is to refuse what is new (seen with 2.9.10). The
 * size is right from 2.10.5 on and the oldest stays in any case from 2.10.6 on; no 2.9 has either (nats-io/nats-server#4772, #4802).
 */
export class JetStreamRoom {
	readonly #manager: JetStreamManager;
	#left = Number.POSITIVE_INFINITY;
	#askedAt = Number.NEGATIVE_INFINITY;

	constructor(manager: JetStreamManager, first: StreamInfo) {
		this.#manager = manager;
		this.note(first);
	}

	note({ config, state }: StreamInfo): void {
		this.#askedAt = performance.now();
		this.#left =
			config.max_bytes > 0
				? config.max_bytes * FILLED_SHARE - state.bytes
				: Number.POSITIVE_INFINITY;
	}

	/** Throws where a message must not be sent now. Never waits: what it does not know yet it asks for the next one. */
	enter(bytes: number): void {
		const age = performance.now() - this.#askedAt;
		const full = this.#left < bytes;
		if (age > (full ? ASK_WHEN_FULL_MS : ASK_MS)) this.#askAgain();
		if (full)
			throw new Error(
				`The stream ${STREAM} is nearly full; the message was not sent. Start or mend a learner, or raise the stream's max_bytes.`,
			);
		this.#left -= bytes;
	}

	/** A broker that does not answer is asked again after the same time. */
	#askAgain(): void {
		this.#askedAt = performance.now();
		this.#manager.streams.info(STREAM).then(
			(info) => this.note(info),
			() => {},
		);
	}
}
