import type { Durability } from "#usecases/ingesting";

/** Told of what went wrong in the background; it is being retried. */
export type OnProblem = (what: string, error: unknown) => void;

export interface JetStreamOptions {
	/** One or several, comma-separated: `nats://127.0.0.1:4222`. User and password may be in the URL. */
	readonly servers: string;
	/** Name of the connection in the server's monitoring. */
	readonly name?: string;
	/** Bound of the stream on disk; halved until the server agrees. Default 2 GiB. */
	readonly maxBytes?: number;
	/** Messages that all learners together may hold; at the limit delivery stops in silence. Default 131,072: twice what 16 learners with two pulls each hold. */
	readonly maxAckPending?: number;
	/** How long a learner may hold a message without a sign of life. Default 5 s. */
	readonly ackWaitMs?: number;
	/** How long to try for the first connection. Default 30 s. */
	readonly connectTimeoutMs?: number;
	/** What the server gives: `power` where it syncs each message (`sync_interval: always`), which a client cannot see. Default `process`. */
	readonly durability?: Durability;
	readonly onProblem?: OnProblem;
}

export interface PostgresStreamOptions {
	readonly connectionString: string;
	/** Publishing is refused while this many messages wait for a learner. Default 100,000. */
	readonly maxUnacknowledged?: number;
	/** How long a learner may hold a message without a sign of life. Default 5 s. */
	readonly claimMs?: number;
	/** How often to look without having been woken. Default 500 ms. */
	readonly pollMs?: number;
	readonly onProblem?: OnProblem;
}

/** Both streams refuse more than this in one message: what a nats-server takes unless told otherwise. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Bodies handed to a learner by one pull stay below this. */
export const MAX_PULL_BYTES = 16 * 1_048_576;
