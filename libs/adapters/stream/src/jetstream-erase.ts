import type { JetStreamManager } from "@nats-io/jetstream";
import type { Left, RemovedMessages } from "#usecases/erasing";
import type { StreamMessage, Tail } from "#usecases/ingesting";
import { deleteOne } from "./jetstream-purge.js";
import { EVENT_SUBJECTS, LOG_SUBJECTS } from "./subjects.js";
import { pause } from "./wait.js";

export interface EraseNeeds {
	readonly manager: JetStreamManager;
	/** All up to this sequence is acknowledged. */
	readonly floor: () => Promise<number>;
	/** Reads from the beginning of the stream on. */
	readonly tail: (
		filter: string,
		deliver: (message: StreamMessage) => void,
	) => Promise<Tail>;
}

/**
 * A message here is deleted or stays, it cannot be changed. What is acknowledged is deleted (its bytes written over) where it is of the
 * log, or where all of it is erased. A pack of others' events too stays: deciders that start count their live windows from it.
 */
export async function eraseMessages(
	{ manager, floor, tail }: EraseNeeds,
	takeOut: (body: Uint8Array) => Left,
	withinMs: number,
): Promise<RemovedMessages> {
	const found = new Map<number, boolean>();
	const look = (mayGo: boolean) => (message: StreamMessage) => {
		const left = takeOut(message.body);
		if (left !== "all")
			found.set(message.position, mayGo || left === "nothing");
	};
	const over = new AbortController();
	const tails = await Promise.all([
		tail(LOG_SUBJECTS, look(true)),
		tail(EVENT_SUBJECTS, look(false)),
	]);
	const through = Promise.all(tails.map(({ caughtUp }) => caughtUp)).then(
		() => true,
	);
	const late = pause(withinMs, over.signal).then(() => false);
	const complete = await Promise.race([through, late]);
	over.abort();
	// A tail ends when its last request has; nothing here waits for that.
	for (const one of tails) one.close().catch(() => {});

	const acknowledged = await floor();
	let deleted = 0;
	for (const [position, mayGo] of found) {
		if (position > acknowledged || !mayGo) continue;
		await deleteOne(manager, position, true);
		deleted += 1;
	}
	return { deleted, shortened: 0, left: found.size - deleted, complete };
}
