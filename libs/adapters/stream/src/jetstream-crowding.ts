import type { JetStreamManager } from "@nats-io/jetstream";
import { STREAM } from "./jetstream-layout.js";

/** Of the stream's bound. Publishers stop at seven eighths (jetstream-room.ts): what comes while learners drop must still fit. */
const HIGH_WATER = 3 / 4;
const LOW_WATER = 1 / 2;
/** So much must be learned for it to be worth while: a stream full of backlog would be cut at each message. */
const LEAST_LEARNED = 1 / 16;

/**
 * The instant before which messages must go for the stream to be filled to the low-water mark, as far as learners have acknowledged
 * them; null below the high-water mark, or where they have acknowledged little. Counts messages, as if of equal size and without holes:
 * where the first ones are smaller it stays above the mark, and goes on once it is high again.
 */
export async function crowdedBefore(
	manager: JetStreamManager,
	readFloor: () => Promise<number>,
): Promise<number | null> {
	const { config, state } = await manager.streams.info(STREAM);
	if (config.max_bytes <= 0) return null;
	const filled = state.bytes / config.max_bytes;
	if (filled <= HIGH_WATER) return null;
	const acknowledged = await readFloor();
	const places = state.last_seq - state.first_seq + 1;
	const learned = filled * ((acknowledged - state.first_seq + 1) / places);
	if (learned < LEAST_LEARNED) return null;
	const count = Math.ceil((1 - LOW_WATER / filled) * state.messages);
	const last = Math.min(acknowledged, state.first_seq + count - 1);
	for (let sequence = last; sequence <= state.last_seq; sequence++) {
		// Null for one that was erased.
		const message = await manager.streams.getMessage(STREAM, { seq: sequence });
		if (message !== null) return message.time.getTime() + 1;
	}
	return null;
}
