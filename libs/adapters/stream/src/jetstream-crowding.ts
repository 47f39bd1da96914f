import type { JetStreamManager } from "@nats-io/jetstream";
import { STREAM } from "./jetstream-layout.js";

/** Of the stream's bound. Publishers stop at seven eighths (jetstream-room.ts): what comes while learners drop must still fit. */
const CROWDED_SHARE = 3 / 4;
const ROOMY_SHARE = 1 / 2;

/**
 * The instant before which messages must go for half of the stream to be free, as far as learners have acknowledged them; null while less
 * than three quarters are filled, or nothing is acknowledged. Of messages of equal size and without holes; where it
 * is less, it is soon said again.
 */
export async function crowdedBefore(
	manager: JetStreamManager,
	acknowledged: number,
): Promise<number | null> {
	const { config, state } = await manager.streams.info(STREAM);
	const isCrowded =
		config.max_bytes > 0 && state.bytes > config.max_bytes * CROWDED_SHARE;
	if (!isCrowded || acknowledged < state.first_seq) return null;
	const excess = state.bytes - config.max_bytes * ROOMY_SHARE;
	const places = state.last_seq - state.first_seq + 1;
	const count = Math.ceil((excess / state.bytes) * places);
	const last = Math.min(acknowledged, state.first_seq + count - 1);
	for (let sequence = last; sequence <= state.last_seq; sequence++) {
		// Null for one that was erased.
		const message = await manager.streams.getMessage(STREAM, { seq: sequence });
		if (message !== null) return message.time.getTime() + 1;
	}
	return null;
}
