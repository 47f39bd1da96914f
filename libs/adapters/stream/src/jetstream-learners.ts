import type { JetStreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { HeldMessage } from "#usecases/ingesting";
import { readDelivery } from "./jetstream-delivery.js";
import { LEARNERS, STREAM } from "./jetstream-layout.js";
import { type PullEnd, PullRequests } from "./jetstream-pull.js";
import { MAX_PULL_BYTES } from "./options.js";
import { pause } from "./wait.js";

const BUSY_MS = 5;
const AWAY_MS = 100;

const ACKNOWLEDGE = "+ACK";
const IN_PROGRESS = "+WPI";

export interface LearnersNeeds {
	readonly connection: NatsConnection;
	readonly manager: JetStreamManager;
	readonly isConnected: () => boolean;
	/** Makes stream and consumer again where they have gone. */
	readonly mend: () => Promise<void>;
	readonly send: (subject: string, text: string) => void;
	readonly stop: AbortSignal;
}

/** The learners' side of the stream: the one durable consumer that they share. */
export class JetStreamLearners {
	readonly #needs: LearnersNeeds;
	readonly #pulls: PullRequests;

	constructor(needs: LearnersNeeds) {
		this.#needs = needs;
		this.#pulls = new PullRequests(needs.connection);
	}

	async pull(most: number, waitMs: number): Promise<readonly HeldMessage[]> {
		const held: HeldMessage[] = [];
		const deadline = performance.now() + waitMs;
		while (held.length === 0 && !this.#needs.stop.aborted) {
			const left = Math.max(0, Math.ceil(deadline - performance.now()));
			const end = await this.#request(most, left, held);
			if (held.length > 0 || performance.now() >= deadline) break;
			if (end === "gone") await Promise.race([this.#needs.mend(), pause(left)]);
			const soon = end === "done" || end === "empty" || end === "busy";
			await pause(Math.min(soon ? BUSY_MS : AWAY_MS, left), this.#needs.stop);
		}
		return held;
	}

	async backlog(): Promise<number> {
		const info = await this.#info();
		return info.num_pending + info.num_ack_pending;
	}

	/** All up to this sequence is acknowledged. */
	async floor(): Promise<number> {
		return (await this.#info()).ack_floor.stream_seq;
	}

	/** After a disconnect: what was asked for will not be answered. */
	abandon(): void {
		this.#pulls.abandon();
	}

	async #info() {
		return await this.#needs.manager.consumers.info(STREAM, LEARNERS);
	}

	async #request(
		most: number,
		waitMs: number,
		held: HeldMessage[],
	): Promise<PullEnd> {
		if (!this.#needs.isConnected()) return "lost";
		const wish = {
			batch: most,
			expiresMs: waitMs,
			maxBytes: MAX_PULL_BYTES,
			oneShot: true,
		};
		return await this.#pulls.request(LEARNERS, wish, (message) => {
			const one = this.#hold(message);
			if (one !== null) held.push(one);
		});
	}

	#hold(message: Msg): HeldMessage | null {
		const delivery = readDelivery(message);
		if (delivery === null) return null;
		const reply = message.reply ?? "";
		return {
			subject: message.subject,
			body: message.data,
			storedAt: delivery.storedAt,
			position: delivery.streamSequence,
			deliveries: delivery.deliveries,
			acknowledge: () => this.#needs.send(reply, ACKNOWLEDGE),
			extend: () => this.#needs.send(reply, IN_PROGRESS),
		};
	}
}
