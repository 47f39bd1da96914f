import type { JetStreamManager } from "@nats-io/jetstream";
import { addReader, apiCode, STREAM } from "./jetstream-layout.js";

/** Deletions under way at once: 11,000 messages a second on nats-server 2.9.10 with two cores, one at a time 1,700. */
const AT_ONCE = 32;

/**
 * Codes for a message that is not there: no message found; sequence not found, as a second deletion answers; message delete failed,
 * as one beyond the end of the stream answers.
 */
const GONE = new Set<number | null>([10037, 10043, 10057]);

/**
 * Deletes the messages up to `acknowledged` that were stored before a time, one by one.
 *
 * A purge would be one request, but a server before 2.9.15 forgets with it *every* message that a consumer has delivered and not
 * yet heard of again (nats-server pull request 3892): those would never be redelivered, though no learner has learned them.
 */
export async function deleteBelow(
	manager: JetStreamManager,
	acknowledged: number,
	storedBefore: number,
	goOn: () => boolean,
): Promise<void> {
	const { state } = await manager.streams.info(STREAM);
	const last = Math.min(acknowledged, await lastBefore(manager, storedBefore));
	// A stream that never held a message begins at 0, where no message can be.
	const begin = Math.max(1, state.first_seq);
	for (let first = begin; first <= last && goOn(); first += AT_ONCE) {
		const count = Math.min(AT_ONCE, last - first + 1);
		await Promise.all(
			Array.from({ length: count }, (_, index) =>
				deleteOne(manager, first + index),
			),
		);
	}
}

/** A reader placed by time tells its place without reading anything. */
async function lastBefore(
	manager: JetStreamManager,
	time: number,
): Promise<number> {
	const reader = await addReader(manager, { time });
	await manager.consumers.delete(STREAM, reader.name);
	return reader.delivered.stream_seq;
}

/** With `erase` its bytes are written over. */
export async function deleteOne(
	manager: JetStreamManager,
	sequence: number,
	erase = false,
): Promise<void> {
	try {
		await manager.streams.deleteMessage(STREAM, sequence, erase);
	} catch (error) {
		// Another learner was faster.
		if (!GONE.has(apiCode(error))) throw error;
	}
}
