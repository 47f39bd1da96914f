import type { Left, RemovedMessages } from "#usecases/erasing";
import type {
	HeldMessage,
	Stream,
	StreamMessage,
	Subscription,
	Tail,
} from "#usecases/ingesting";
import type { MemoryBroker } from "./memory-broker.js";

const LOOK_AGAIN_MS = 20;

/** Twin of a stream for tests: one connection to a MemoryBroker. */
export class MemoryStream implements Stream {
	readonly description = "memory";
	readonly durability = "process";
	readonly #broker: MemoryBroker;
	readonly #holdMs: number;
	readonly #ends = new Set<() => void>();
	#closed = false;

	constructor(broker: MemoryBroker, holdMs: number) {
		this.#broker = broker;
		this.#holdMs = holdMs;
	}

	get connected(): boolean {
		return this.#broker.up && !this.#closed;
	}

	async publish(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		await this.#broker.publish(subject, body, messageId, timeoutMs);
	}

	async pull(most: number, waitMs: number): Promise<readonly HeldMessage[]> {
		const deadline = Date.now() + waitMs;
		for (;;) {
			const claimed = this.connected
				? this.#broker.claim(most, this.#holdMs)
				: [];
			if (claimed.length > 0 || Date.now() >= deadline || this.#closed) {
				return claimed.map((message) => ({
					...message,
					acknowledge: () => this.#broker.acknowledge(message.position),
					extend: () => this.#broker.extend(message.position, this.#holdMs),
				}));
			}
			await new Promise((resolve) =>
				setTimeout(resolve, Math.min(LOOK_AGAIN_MS, waitMs)),
			);
		}
	}

	async backlog(): Promise<number> {
		return this.#broker.backlog();
	}

	async identity(): Promise<null> {
		return null;
	}

	async tail(
		filter: string,
		since: number,
		deliver: (message: StreamMessage) => void,
	): Promise<Tail> {
		const prefix = filter.replace(/>$/, "");
		let seen = 0;
		const look = () => {
			if (!this.connected) return;
			for (const message of this.#broker.messages) {
				if (message.position <= seen) continue;
				seen = message.position;
				if (message.storedAt < since || !message.subject.startsWith(prefix))
					continue;
				try {
					deliver({ ...message, deliveries: 1 });
				} catch {
					// As in the real ones: a reader that cannot take a message does not stop the tail.
				}
			}
		};
		const end = this.#broker.watch(look);
		this.#ends.add(end);
		look();
		return { caughtUp: Promise.resolve(), close: async () => end() };
	}

	async purge(storedBefore: number): Promise<void> {
		this.#broker.purge(storedBefore);
	}

	async crowdedBefore(): Promise<null> {
		return null;
	}

	async erase(takeOut: (body: Uint8Array) => Left): Promise<RemovedMessages> {
		return this.#broker.erase(takeOut);
	}

	announce(experiment: string, revision: number): void {
		if (this.connected) this.#broker.announce(experiment, revision);
	}

	async onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<Subscription> {
		const end = this.#broker.hear(heard);
		this.#ends.add(end);
		return { close: async () => end() };
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const end of this.#ends) end();
	}
}
