import type { Left, RemovedMessages } from "#usecases/erasing";
import {
	MessageTooLarge,
	type Stream,
	StreamAway,
	type StreamMessage,
} from "#usecases/ingesting";
import { MemoryStream } from "./memory-stream.js";

const MOST_BYTES = 1_048_576;

interface Kept extends Omit<StreamMessage, "deliveries"> {
	acknowledged: boolean;
	deliveries: number;
	heldUntil: number;
}

/** How the broker treats a publish: stores it; stores it but never answers; neither; refuses it. */
export type Manner =
	| "stores"
	| "stores in silence"
	| "loses in silence"
	| "refuses";

/** Twin of a broker for tests: what its streams share, and the ways in which a broker fails. */
export class MemoryBroker {
	readonly #ids = new Set<string>();
	readonly #changed = new Set<() => void>();
	readonly #hearing = new Set<(experiment: string, revision: number) => void>();
	#kept: Kept[] = [];
	#position = 0;
	up = true;
	manner: Manner = "stores";

	open({ holdMs = 5_000 }: { readonly holdMs?: number } = {}): Stream {
		return new MemoryStream(this, holdMs);
	}

	/** What is stored now, in order. */
	get messages(): readonly StreamMessage[] {
		return this.#kept;
	}

	setUp(up: boolean): void {
		this.up = up;
		this.change();
	}

	async publish(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		if (!this.up) throw new StreamAway("memory");
		if (body.length > MOST_BYTES)
			throw new MessageTooLarge(body.length, MOST_BYTES);
		if (this.manner === "refuses")
			throw new Error("The memory stream refuses messages.");
		if (this.manner !== "loses in silence")
			this.#store(subject, body, messageId);
		if (this.manner === "stores") return;
		await new Promise((resolve) => setTimeout(resolve, timeoutMs));
		throw new Error(`The memory stream did not answer within ${timeoutMs} ms.`);
	}

	claim(most: number, holdMs: number): readonly Kept[] {
		const now = Date.now();
		const free = this.#kept
			.filter((one) => !one.acknowledged && one.heldUntil <= now)
			.slice(0, most);
		for (const one of free) {
			one.deliveries += 1;
			one.heldUntil = now + holdMs;
		}
		return free.map((one) => ({ ...one }));
	}

	acknowledge(position: number): void {
		for (const one of this.#kept)
			if (one.position === position) one.acknowledged = true;
	}

	extend(position: number, holdMs: number): void {
		for (const one of this.#kept)
			if (one.position === position) one.heldUntil = Date.now() + holdMs;
	}

	backlog(): number {
		return this.#kept.filter((one) => !one.acknowledged).length;
	}

	purge(storedBefore: number): void {
		this.#kept = this.#kept.filter(
			(one) => !one.acknowledged || one.storedAt >= storedBefore,
		);
	}

	erase(takeOut: (body: Uint8Array) => Left): RemovedMessages {
		const removed = { deleted: 0, shortened: 0, left: 0, complete: true };
		this.#kept = this.#kept.flatMap((one) => {
			const left = takeOut(one.body);
			if (left === "all") return [one];
			if (!one.acknowledged) {
				removed.left += 1;
				return [one];
			}
			if (left === "nothing") {
				removed.deleted += 1;
				return [];
			}
			removed.shortened += 1;
			return [{ ...one, body: left }];
		});
		return removed;
	}

	announce(experiment: string, revision: number): void {
		for (const hear of this.#hearing) hear(experiment, revision);
	}

	hear(heard: (experiment: string, revision: number) => void): () => void {
		this.#hearing.add(heard);
		return () => void this.#hearing.delete(heard);
	}

	/** Calls `look` after each change; returns how to end that. */
	watch(look: () => void): () => void {
		this.#changed.add(look);
		return () => void this.#changed.delete(look);
	}

	change(): void {
		for (const look of [...this.#changed]) look();
	}

	#store(subject: string, body: Uint8Array, messageId: string): void {
		if (this.#ids.has(messageId)) return;
		this.#ids.add(messageId);
		this.#position += 1;
		this.#kept.push({
			subject,
			body: body.slice(),
			storedAt: Date.now(),
			position: this.#position,
			acknowledged: false,
			deliveries: 0,
			heldUntil: 0,
		});
		this.change();
	}
}
