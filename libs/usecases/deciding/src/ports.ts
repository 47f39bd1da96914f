import type { Definition, JsonObject, LiveFeature } from "#core/experiment";
import type { Sheets } from "#core/linalg";
import type { ErasedUnit, LiveAsk, LiveValue } from "#core/live";
import type { DecisionRow, Event } from "#core/log";
import type { ArmModel } from "#core/policy";
import type { PrivacyPolicy, StandingConsent } from "#core/privacy";
import type { DrawnDecision } from "./decision.js";

export interface Clock {
	/** Milliseconds since the epoch. */
	now(): number;
}

export interface Ids {
	/** A new UUIDv7, growing within the process, whose time is the clock's now. */
	mint(): string;
}

/** The definitions a decider obeys, held in memory and refreshed by notice and by poll. */
export interface Definitions {
	get(experiment: string): Definition | undefined;
	/** The error that an experiment is answered with which there is, but was not read; null where there is none such. */
	whyLeftOut?(experiment: string): unknown;
}

/** Where definitions come from: the current one of every experiment. */
export interface DefinitionSource {
	/** But for those that cannot be read. */
	all(): Promise<readonly Definition[]>;
	/** Why the experiment was left out of them; null where it was not. Absent: none ever is. */
	whyLeftOut?(experiment: string): unknown;
}

/** What a decider knows of an experiment's posterior at one instant: models and revision are of one snapshot. */
export interface PosteriorSnapshot {
	readonly revision: number;
	/** One per arm of the definition, in its order. Scored within the turn that asked for them: then a refresh may use their memory again. θ stays. */
	readonly models: readonly ArmModel[];
	/** True when the posterior has not been confirmed by its source for too long, or was never read. */
	readonly stale: boolean;
}

export interface Posteriors {
	/** Synchronous: a decision never waits for the database. `referenceBucket` is what read-time weights count from. */
	snapshot(definition: Definition, referenceBucket: number): PosteriorSnapshot;
}

/** News that an experiment has a newer revision; may be lost, since deciders also poll. */
export interface Announcements {
	onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<{ close(): Promise<void> }>;
}

/** The part of a stream that live windows are rebuilt from and fed by. */
export interface EventTail {
	/** False while the stream is known to be out of reach. */
	readonly connected: boolean;
	tail(
		filter: string,
		since: number,
		deliver: (message: {
			readonly subject: string;
			readonly body: Uint8Array;
			readonly storedAt: number;
		}) => void,
	): Promise<{ readonly caughtUp: Promise<void>; close(): Promise<void> }>;
}

/** What else must be known of the past to fill live windows from the stream. */
export interface StreamPast {
	/** Who was erased later than the instant, milliseconds since the epoch, as live windows know units. */
	erasedSince(
		instant: number,
	): Promise<{ readonly units: readonly ErasedUnit[] }>;
	/** From when on the stream has every message, milliseconds since the epoch; null where it has all there ever were. */
	wholeSince(): Promise<number | null>;
	/** Before which instant, by the stream's clock, messages may have been dropped that were in it; null where none were. */
	droppedBefore(): Promise<number | null>;
}

/** One arm's exact sums in one time bucket, already added over shards: `[n, b(d), A lower triangle by rows]`. */
export interface BucketSums {
	readonly arm: string;
	/** Floor of decision time / bucket width. */
	readonly bucket: number;
	readonly sums: Float64Array;
}

export interface PosteriorRead {
	readonly revision: number;
	/** Buckets that moved since the revision asked for (all of them when asked for 0). Each replaces what was known of its arm and bucket. */
	readonly changed: readonly BucketSums[];
}

export interface PosteriorSource {
	/** Sums and revision in one snapshot. Where many buckets moved, their sums may be cut from `sheets`. */
	read(
		experiment: string,
		version: number,
		sinceRevision: number,
		sheets: Sheets | undefined,
	): Promise<PosteriorRead>;
	/** Newest revision per experiment. */
	heads(): Promise<ReadonlyMap<string, number>>;
}

export interface DecisionLog {
	/** Resolves when the row survives a kill -9, saying where it lies. Rejects with SpoolFull. */
	decision(row: DecisionRow, timeoutMs: number): Promise<"stream" | "spool">;
}

export interface LiveContext {
	/** The feature's value at `now`: null where there is none, undefined where it cannot be told, since windows are not filled (yet). */
	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
		/** Where only events that were allowed count. */
		consented?: Consented,
	): LiveValue | null | undefined;
}

/** Under what events were let into a window. */
export interface Consented {
	/** Key of the feature's gate (#core/privacy). */
	readonly gate: string;
	/** When the unit's stored consent began to stand, milliseconds; 0 where none is stored. */
	readonly since: number;
}

/** What units allow. */
export interface Consents {
	/** What is stored of the unit, at once where it is in memory. Null where that cannot be told within `budgetMs`. Never rejects. */
	lookUp(
		unit: string,
		budgetMs: number,
	): StandingConsent | null | Promise<StandingConsent | null>;
}

/** Consent that clients' own servers signed. */
export interface ConsentTokens {
	/** What the token says, which nobody has judged yet. Throws invalid where it is not to be believed, or is another unit's. */
	read(token: string, unit: string): Promise<unknown>;
}

/** What decisions ask about privacy. */
export interface Privacy {
	readonly policy: PrivacyPolicy;
	readonly consents: Consents;
	readonly tokens: ConsentTokens;
}

/** Features of units that change seldom. */
export interface Profiles {
	/**
	 * The unit's values, none where it has no profile: at once where they are in memory. Else they are asked for; null where they were
	 * not had within `budgetMs`. Never rejects.
	 */
	lookUp(
		unit: string,
		budgetMs: number,
	): JsonObject | null | Promise<JsonObject | null>;
}

/** A stored decision with its events, as `GET /v1/decisions/:id` shows it. */
export interface StoredDecision {
	readonly row: DecisionRow;
	readonly learned: {
		readonly exposed: boolean;
		readonly reward: number;
		readonly revision: number | null;
		/** What the decision moved by itself, without any event; null: nothing. */
		readonly moved?: StoredMovement | null;
		/** The close of its window, where it teaches only from then on; null while open. `at` is milliseconds since the epoch. */
		readonly closing?: {
			readonly at: number;
			readonly revision: number | null;
			readonly moved: StoredMovement | null;
		} | null;
	} | null;
	readonly events: readonly LedgerEvent[];
}

/** Events that name a decision which has not come: those that wait for it, and those that were refused. Never none. */
export interface DecisionToCome {
	readonly row: null;
	readonly events: readonly LedgerEvent[];
}

/** By how much a row of the log moved the decision's exposure and its exposed reward, in which revision of the experiment. */
export interface StoredMovement {
	readonly exposed: number;
	readonly reward: number;
	readonly revision: number;
}

/** Of the ledger of one decision. */
export type LedgerEvent = StoredEvent | MalformedEvent;

export interface StoredEvent extends Event {
	readonly verdict: string;
	/** Why it earns nothing, where the verdict is `no value`. */
	readonly detail?: string;
	/** Null: it moved nothing. */
	readonly moved?: StoredMovement | null;
	readonly storedAt: number;
}

/** What names the decision, but is no event that could be read. */
export interface MalformedEvent {
	readonly verdict: "malformed";
	/** Where that much could be read. */
	readonly id?: string;
	/** What is wrong with it. */
	readonly detail: string;
	readonly storedAt: number;
}

export interface DecisionReads {
	/** The decision from the database, or its events alone where the decision has not come yet, or null. */
	find(id: string): Promise<StoredDecision | DecisionToCome | null>;
}

export interface RecentDecisions {
	/** The cheap part of `find`: from memory or the spool. */
	known(id: string): Promise<DecisionRow | null>;
	/**
	 * A decision that the database may not have yet: from memory, the spool, or the stream. Null only where none of them has it;
	 * throws overloaded where that cannot be told.
	 */
	find(id: string): Promise<DecisionRow | null>;
}

/** A decision as it is kept for who may ask for it again. */
export interface KeptDecision {
	readonly answer: DrawnDecision;
	/** What the log must have before the answer goes out; null where it has it. */
	readonly row: DecisionRow | null;
}

/** A client's requestId, under which one request stands. */
export interface RequestKey {
	readonly key: string;
	/** SHA-256 of the request, hex. */
	readonly hash: string;
	/** How long the decision stands under the key. */
	readonly spanMs: number;
}

/** The session or unit that a sticky experiment decides for once, whatever its requests say. */
export interface StickyKey {
	readonly kind: "session" | "unit";
	readonly key: string;
	readonly spanMs: number;
	/** The keys of the eligible arms: a decision of another arm stands no longer. */
	readonly arms: readonly string[];
	/** What the arm at a place of `arms` has for this request, worked out when it is asked for. */
	readonly payloadAt: (place: number) => JsonObject;
}

/** One ask under the keys that it has, each of which holds one decision for a while. */
export interface RepeatableAsk {
	readonly experiment: string;
	/** Whom the decision is for: erased with it. */
	readonly unit: string;
	readonly request: RequestKey | null;
	readonly sticky: StickyKey | null;
	/** What stands from now on where nothing does, its explanation under the requestId alone; null to look only. */
	readonly decision: KeptDecision | null;
}

export interface StandingDecision extends KeptDecision {
	/** The key it was found under. */
	readonly under: "request" | StickyKey["kind"];
	/** Of the request it was kept for; null under a sticky key. */
	readonly requestHash: string | null;
}

/** Decisions that are asked for again, known to every decider, also after a restart. */
export interface Repeats {
	/**
	 * The decision that stands under the ask's requestId, else the one under its sticky key; null where the ask's own does from now on,
	 * under both (looking only: where none stands). One found under the sticky key is kept under the requestId as it goes out again:
	 * `repeated`, with what its arm has now. Of several asks at once, here or elsewhere, one is kept and the others get it. Rejects
	 * within `timeoutMs`, which means *unknown*: the ask's decision may be kept or not.
	 */
	keep(ask: RepeatableAsk, timeoutMs: number): Promise<StandingDecision | null>;
}

export type { JsonObject };
