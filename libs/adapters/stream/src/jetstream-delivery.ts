import type { Msg } from "@nats-io/transport-node";

/** Where a delivered message stands, read from its reply subject (nats-architecture-and-design ADR-15). */
export interface Delivery {
	/** 1 on first delivery. */
	readonly deliveries: number;
	readonly streamSequence: number;
	/** 1, 2, 3, … per message this consumer delivered: a hole is a message lost on the way. */
	readonly consumerSequence: number;
	/** Milliseconds since the epoch. */
	readonly storedAt: number;
	/** Messages that this consumer had not delivered yet. */
	readonly pending: number;
}

const NANOS_PER_MS = 1_000_000n;

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<nanoseconds>.<pending>`, or from newer servers
 * `$JS.ACK.<domain>.<account>.<stream>.…`, with more tokens to come at the end. Null for a status without payload.
 */
export function readDelivery(message: Msg): Delivery | null {
	const tokens = message.reply?.split(".") ?? [];
	if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return null;
	const at = tokens.length === 9 ? 4 : 6;
	const [deliveries, streamSequence, consumerSequence, nanos, pending] =
		tokens.slice(at, at + 5);
	if (nanos === undefined || pending === undefined) return null;
	return {
		deliveries: Number(deliveries),
		streamSequence: Number(streamSequence),
		consumerSequence: Number(consumerSequence),
		storedAt: Number(BigInt(nanos) / NANOS_PER_MS),
		pending: Number(pending),
	};
}
