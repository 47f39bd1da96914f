import type { DueMessage, Outbox, Sender, Sent } from "./ports.js";

export interface Delivery {
	readonly message: DueMessage;
	readonly outcome: "delivered" | "postponed" | "given up";
	/** Why not, else empty. */
	readonly why: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long after each failed attempt the next one is due: in all somewhat over two days. */
const PAUSES_MS: readonly number[] = [
	2 * SECOND,
	10 * SECOND,
	MINUTE,
	5 * MINUTE,
	30 * MINUTE,
	2 * HOUR,
	6 * HOUR,
	12 * HOUR,
	24 * HOUR,
];
/** Attempts of a message at most. */
export const MOST_ATTEMPTS = PAUSES_MS.length + 1;
const LONGEST_PAUSE_MS = 24 * HOUR;
/** At once; each takes a few seconds at most, so that the lease outlives them. */
const AT_ONCE = 4;
const LEASE_MS = 30 * SECOND;

/**
 * Sends what is due, each message at least once. A claim counts as an attempt: who dies while sending leaves a message that is due again
 * when the lease ends.
 */
export class DeliverMessages {
	constructor(
		private readonly outbox: Outbox,
		private readonly sender: Sender,
	) {}

	/** Sends some of what is due; empty where nothing is. */
	async execute(): Promise<readonly Delivery[]> {
		const due = await this.outbox.claim(AT_ONCE, LEASE_MS);
		return Promise.all(due.map((message) => this.#deliver(message)));
	}

	async #deliver(message: DueMessage): Promise<Delivery> {
		const sent: Sent =
			message.attempt > MOST_ATTEMPTS
				? {
						kind: "failed",
						why: "the last attempt was cut off",
						forGood: true,
					}
				: await this.sender.send(message);
		if (sent.kind === "delivered") {
			await this.outbox.remove(message.id);
			return { message, outcome: "delivered", why: "" };
		}
		const pauseMs = PAUSES_MS[message.attempt - 1];
		if (pauseMs === undefined || sent.forGood) {
			await this.outbox.giveUp(message.id, sent.why);
			return { message, outcome: "given up", why: sent.why };
		}
		await this.outbox.postpone(
			message.id,
			sent.why,
			Math.min(LONGEST_PAUSE_MS, Math.max(pauseMs, sent.retryAfterMs ?? 0)),
		);
		return { message, outcome: "postponed", why: sent.why };
	}
}
