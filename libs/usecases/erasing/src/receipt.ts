import type { ErasedFromDatabase, RemovedMessages } from "./ports.js";
import type { RemovedRows } from "./removed-rows.js";

/** What remains of the unit somewhere, why, and until when. */
export interface Remains {
	readonly where: string;
	readonly why: string;
	/** ISO 8601; null where Segue cannot know. */
	readonly until: string | null;
}

/** Says what an erasure did. It does not name the unit. */
export interface Receipt {
	/** Everything of the unit up to this instant is refused from now on: ISO 8601. */
	readonly erasedAt: string;
	readonly removed: RemovedRows & {
		readonly spoolEntries: number;
		readonly streamMessages: number;
	};
	/** The revision of each touched experiment from which on the unit is in none of its sums. */
	readonly revisions: { readonly [experiment: string]: number };
	readonly remains: readonly Remains[];
}

export interface OutsideDatabase {
	/** Null where the spool was not rewritten. */
	readonly spoolEntries: number | null;
	/** Null where the stream was not looked through. */
	readonly messages: RemovedMessages | null;
	/** Milliseconds. */
	readonly now: number;
	readonly streamKeepMs: number;
}

/** Live windows reach back an hour at most, and a bucket of six minutes. */
const WINDOWS_MS = 66 * 60_000;
/** Learners purge the stream once a minute. */
const UPKEEP_MS = 60_000;
const CLOCKS =
	"A decision made for the unit while it was being erased, or up to 2 s later by a decider or a stream whose clock is behind, is refused like the old ones.";

export function makeReceipt(
	{ erasedAt, removed, revisions, foldedBefore }: ErasedFromDatabase,
	outside: OutsideDatabase,
): Receipt {
	const { spoolEntries, messages, now, streamKeepMs } = outside;
	const instant = (ms: number) => new Date(ms).toISOString();
	const streamUntil = instant(now + streamKeepMs + UPKEEP_MS);
	return {
		erasedAt: instant(erasedAt),
		removed: {
			...removed,
			spoolEntries: spoolEntries ?? 0,
			streamMessages:
				messages === null ? 0 : messages.deleted + messages.shortened,
		},
		revisions: Object.fromEntries(revisions),
		remains: [
			{
				where: "backups and write-ahead log of the database",
				why: "They hold the rows as they were. After restoring a backup from before this instant erase the unit again: the tombstone is not in it.",
				until: null,
			},
			...streamRemains(messages, streamUntil),
			{
				where:
					spoolEntries === null
						? "spools of deciders"
						: "spools of other deciders",
				why: "Entries that wait there, or were set aside as damaged: what waits goes to the stream once that is back, and is refused there.",
				until: null,
			},
			{
				where: "memory of deciders",
				why: "Other deciders forget the unit's live windows, its profile, its consent and what they decided for it within 2 s of hearing from the database again; until then a new decision of theirs may use and log them, and goes when the unit is erased again. Live counts of an item, an arm or an experiment run out by the time said; they name nobody.",
				until: instant(now + WINDOWS_MS),
			},
			...(foldedBefore === null
				? []
				: [
						{
							where: "sums of days that retention folded away",
							why: `Decisions before ${instant(foldedBefore)} are no longer in the log. Those that were the unit's, how many is not known, stay in the sums, tied to nobody, and cannot be subtracted.`,
							until: null,
						},
					]),
			{
				where: "decisions on their way",
				why: CLOCKS,
				until: instant(erasedAt + 2_000),
			},
		],
	};
}

function streamRemains(
	messages: RemovedMessages | null,
	until: string,
): Remains[] {
	if (messages?.complete && messages.left === 0) return [];
	const count =
		messages === null || !messages.complete
			? "Messages that were not looked through"
			: `${messages.left} messages`;
	return [
		{
			where: "stream",
			why: `${count} may hold the unit: not learned yet, or with other units' events that deciders count from. Learners refuse what they find there; each message is deleted once it is acknowledged and old enough, which is by the time said where learners run.`,
			until,
		},
	];
}
