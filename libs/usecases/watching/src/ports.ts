import type { StreamIdentity } from "#usecases/ingesting";

/** Packs of one decider (boot) that no learner has seen, though it published later ones. */
export interface Gap {
	readonly boot: string;
	/** First and last sequence that is missing; between them some may be there. */
	readonly first: number;
	readonly last: number;
	readonly packs: number;
	/** Milliseconds since the epoch. */
	readonly noticedAt: number;
}

export interface GapsSeen {
	/** Became certain by this look: missing for longer than the grace. */
	readonly alarmed: readonly Gap[];
	/** Packs of alarmed gaps that arrived after all, since the last look. */
	readonly recovered: number;
	/** Alarmed gaps that nobody waits for any longer: a week old, or more than can be kept. */
	readonly givenUp: readonly Gap[];
	/** Alarmed and open now, oldest first, the first few. */
	readonly open: readonly Gap[];
	/** Packs that those and all other alarmed and open gaps miss. */
	readonly missing: number;
}

export interface PublishedGaps {
	/** Looks once. Of several who look at once one finds what is new, the others only what is open. */
	look(graceMs: number): Promise<GapsSeen>;
}

/** The stream as learners knew it last. */
export interface StreamMarks {
	/** Null before any stream was seen. */
	read(): Promise<StreamIdentity | null>;
	/** Puts another in the place of `known`; false where somebody else did. */
	replace(known: StreamIdentity | null, now: StreamIdentity): Promise<boolean>;
	/** Raises the last position of the stream of that name; never lowers it. */
	raise(now: StreamIdentity): Promise<void>;
}
