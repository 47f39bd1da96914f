import type { Left, RemovedMessages } from "#usecases/erasing";

/** Ports of the stream: the only way anything durable moves between deciders and learners. */

/** `segue.log.pack` (packs of decisions), `segue.events.<type>` (one event), `segue.events._pack` (packs of mixed types). */
export type Subject = string;

export interface StreamMessage {
	readonly subject: Subject;
	readonly body: Uint8Array;
	/** When the stream stored it: milliseconds since the epoch, the stream's own clock. */
	readonly storedAt: number;
	/** Position in the stream, growing; identifies the message in dead letters. */
	readonly position: number;
	/** 1 on first delivery. */
	readonly deliveries: number;
}

/** A message a learner holds: it must be acknowledged after the commit, or comes back. */
export interface HeldMessage extends StreamMessage {
	acknowledge(): void;
	/** Tells the stream that work goes on, so that it does not redeliver yet. */
	extend(): void;
}

/** What a resolved publish or append survives: `process` a kill -9, `power` a power cut as well. */
export type Durability = "process" | "power";

export interface Stream {
	/** Names the stream for people: `jetstream nats://127.0.0.1:4222` or `postgres`. */
	readonly description: string;
	readonly durability: Durability;
	/**
	 * Resolves when the stream holds the message durably. Rejects within `timeoutMs`, which means *unknown*: retry with the same `messageId`.
	 * Two rejections mean *certainly not stored*: StreamAway (nothing was sent) and MessageTooLarge (no retry will help).
	 */
	publish(
		subject: Subject,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void>;
	/** Up to `most` messages (fewer where they are large) for the one shared durable consumer group of learners; waits up to `waitMs` for the first. */
	pull(most: number, waitMs: number): Promise<readonly HeldMessage[]>;
	/** Messages not yet acknowledged by learners (waiting or held). */
	backlog(): Promise<number>;
	/**
	 * Delivers every message stored at or after `since` that matches `filter` (`segue.events.>` or `segue.log.>`), then new ones as they come.
	 * At least once. `caughtUp` resolves when everything stored before the call has been delivered.
	 */
	tail(
		filter: Subject,
		since: number,
		deliver: (message: StreamMessage) => void,
	): Promise<Tail>;
	/** Drops acknowledged messages stored before `storedBefore`; where it is aborted, some of them. */
	purge(storedBefore: number, signal?: AbortSignal): Promise<void>;
	/** Before which instant messages must be purged lest the stream refuse new ones for what it keeps of old ones; null where there is room. */
	crowdedBefore(): Promise<number | null>;
	/**
	 * Takes items out of messages that learners have acknowledged, as far as that is got through within `withinMs`. What no learner has
	 * acknowledged stays, and so may a message of which a part must stay.
	 */
	erase(
		takeOut: (body: Uint8Array) => Left,
		withinMs: number,
	): Promise<RemovedMessages>;
	/** Tells every decider that an experiment has a newer revision. May be lost; deciders also poll. */
	announce(experiment: string, revision: number): void;
	onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<Subscription>;
	/** False while the stream is known to be out of reach. */
	readonly connected: boolean;
	/** Which stream this is; null where it lies in the database that Segue's own tables lie in, so that they cannot part. */
	identity(): Promise<StreamIdentity | null>;
	close(): Promise<void>;
}

/** A stream as people and restores may exchange it. */
export interface StreamIdentity {
	/** Differs for every stream ever made: its name and when it was made. */
	readonly name: string;
	/** The highest position it ever gave; only an older copy of it has a lower one. */
	readonly lastPosition: number;
}

export interface Subscription {
	close(): Promise<void>;
}

export interface Tail extends Subscription {
	readonly caughtUp: Promise<void>;
}

/** A local append-only file that keeps what the stream could not take; survives kill -9. */
export interface Spool {
	/** Rejects with SpoolFull when the bound is reached. Resolves when the entry is written. */
	append(entry: SpoolEntry): Promise<void>;
	/** Entries in order of appending, oldest first, without removing them; fewer than `most` where they are large, but at least one. */
	peek(most: number): Promise<readonly SpoolEntry[]>;
	/** Every entry that is there now, oldest first, without removing any. */
	entries(): AsyncIterable<SpoolEntry>;
	/** Removes the first `count` entries, once the stream has them. */
	drop(count: number): Promise<void>;
	/** Changes the bodies of entries that wait; a body given back as it was stays. Their count and order stay. Returns how many changed. */
	rewrite(change: (body: Uint8Array) => Uint8Array): Promise<number>;
	/** Bytes that wait to be dropped. */
	readonly size: number;
	/** Entries that wait to be dropped. */
	readonly count: number;
	/** True from a refused append until something is dropped, or rewritten to be shorter. */
	readonly full: boolean;
	close(): Promise<void>;
}

export interface SpoolEntry {
	readonly subject: Subject;
	readonly messageId: string;
	readonly body: Uint8Array;
}

export class SpoolFull extends Error {
	constructor() {
		super(
			"The spool is full: the stream has been away for too long. Retry later.",
		);
		this.name = "SpoolFull";
	}
}

/** The stream is known to be out of reach; the message was not sent. */
export class StreamAway extends Error {
	constructor(description: string) {
		super(
			`The stream (${description}) is out of reach. Publish again once it is back.`,
		);
		this.name = "StreamAway";
	}
}

export class MessageTooLarge extends Error {
	constructor(bytes: number, most: number) {
		super(
			`The message has ${bytes} bytes; the stream takes at most ${most}. Send fewer or shorter values; in a decision, the rules of excluded arms count too.`,
		);
		this.name = "MessageTooLarge";
	}
}

export interface Clock {
	/** Milliseconds since the epoch. */
	now(): number;
}
