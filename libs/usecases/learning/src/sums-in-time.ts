import { addInto, addObservation, emptySums } from "#core/policy";
import { bucketOf, stateOf } from "./fold.js";
import type {
	BucketOfSums,
	RevisionReads,
	SumsNow,
	TouchedDecision,
} from "./ports.js";

/** Decisions that a read should bring at most, about: what one read holds of memory and of the event loop. */
const WINDOW_DECISIONS = 500;
/** After so many, whatever waits for the event loop is run: a decider derives between decisions. */
const BREATH_DECISIONS = 50;
const MOST_REVISIONS = 1_024;

/** What the revisions in (from, to] touched, by revision. */
interface Window {
	readonly from: number;
	readonly to: number;
	readonly byRevision: ReadonlyMap<number, readonly TouchedDecision[]>;
}

/**
 * The sums of one experiment version at any revision, moved forwards or backwards from the one they were known at: a decision that
 * was touched in between gives back its share of before and adds that of after. Sums are exact, so both ways end in the same bits.
 */
export class SumsInTime {
	private readonly byKey = new Map<string, BucketOfSums>();
	private window: Window | null = null;
	private revisionsAtOnce = 16;

	private revision: number;
	/** What retention folded away: in the sums at every revision but 0, at which nothing was learned. */
	private readonly closed: readonly BucketOfSums[];
	/** The newest revision there was at the beginning: as far as it moves. */
	readonly newest: number;
	/** Oldest revision whose sums can be told; revision 0, nothing learned, always can. */
	readonly floor: number;

	private constructor(
		private readonly reads: RevisionReads,
		private readonly experiment: string,
		private readonly version: number,
		now: SumsNow,
		begin: "nothing" | "now",
	) {
		this.newest = now.revision;
		this.floor = now.floor;
		this.closed = now.closed;
		this.revision = begin === "now" ? now.revision : 0;
		if (begin === "now")
			for (const bucket of now.buckets) this.byKey.set(keyOf(bucket), bucket);
	}

	/** Begins with nothing or with the present sums: with what is fewer revisions away from `near`, or as told. */
	static async open(
		reads: RevisionReads,
		experiment: string,
		version: number,
		near: number,
		begin?: "nothing" | "now",
	): Promise<SumsInTime> {
		const now = await reads.sumsNow(experiment, version);
		const nearer = near <= now.revision - near ? "nothing" : "now";
		return new SumsInTime(reads, experiment, version, now, begin ?? nearer);
	}

	/** The sums now held, but those that are all 0. Never changed afterwards: a move makes new ones. */
	all(): readonly BucketOfSums[] {
		return [...this.byKey.values()].filter(({ sums }) =>
			sums.some((entry) => entry !== 0),
		);
	}

	/** Moves to a revision up to the newest. Returns the buckets that moved, each whole. Rejects with the signal's reason, after which no more can be asked. */
	async moveTo(
		revision: number,
		signal?: AbortSignal,
	): Promise<readonly BucketOfSums[]> {
		if (revision < 0 || revision > this.newest)
			throw new RangeError(
				`The sums of ${this.experiment} are known at revisions 0 to ${this.newest}, not at ${revision}.`,
			);
		const moved = new Map<string, BucketOfSums>();
		while (this.revision !== revision) {
			signal?.throwIfAborted();
			const { from, to, byRevision } = await this.windowTowards(revision);
			const next = Math.min(to, Math.max(from, revision));
			const low = Math.min(this.revision, next);
			const high = Math.max(this.revision, next);
			const touched = new Set<TouchedDecision>();
			for (let between = low + 1; between <= high; between++)
				for (const decision of byRevision.get(between) ?? [])
					touched.add(decision);
			if (this.revision === 0) this.turnClosed(1, moved);
			if (next === 0) this.turnClosed(-1, moved);
			let since = 0;
			for (const decision of touched) {
				this.move(decision, next, moved);
				if (++since % BREATH_DECISIONS === 0)
					await new Promise((resolve) => setImmediate(resolve));
			}
			this.revision = next;
		}
		return [...moved.values()];
	}

	private move(
		decision: TouchedDecision,
		to: number,
		moved: Map<string, BucketOfSums>,
	): void {
		const before = stateAt(decision, this.revision);
		const after = stateAt(decision, to);
		const deltaN = after.exposed - before.exposed;
		const deltaR =
			after.exposed * after.reward - before.exposed * before.reward;
		if (deltaN === 0 && deltaR === 0) return;
		const { row, definition } = decision;
		const d = row.x.length;
		const bucket = bucketOf(row.id, definition.bucketMs);
		const sums = this.moving(row.arm, bucket, emptySums(d).length, moved);
		addObservation(sums, d, row.x, deltaN, deltaR);
	}

	private turnClosed(weight: 1 | -1, moved: Map<string, BucketOfSums>): void {
		for (const { arm, bucket, sums } of this.closed)
			addInto(this.moving(arm, bucket, sums.length, moved), sums, weight);
	}

	/** The bucket's sums as this move makes them. */
	private moving(
		arm: string,
		bucket: number,
		length: number,
		moved: Map<string, BucketOfSums>,
	): Float64Array {
		const key = keyOf({ arm, bucket });
		let entry = moved.get(key);
		if (entry === undefined) {
			const sums = new Float64Array(length);
			const known = this.byKey.get(key);
			if (known) addInto(sums, known.sums);
			entry = { arm, bucket, sums };
			moved.set(key, entry);
			this.byKey.set(key, entry);
		}
		return entry.sums;
	}

	/** A window that the first step towards the revision lies in. */
	private async windowTowards(revision: number): Promise<Window> {
		const forwards = revision > this.revision;
		const step = forwards ? this.revision + 1 : this.revision;
		if (this.window && step > this.window.from && step <= this.window.to)
			return this.window;
		const from = forwards
			? this.revision
			: Math.max(revision, this.revision - this.revisionsAtOnce);
		const to = forwards
			? Math.min(this.newest, this.revision + this.revisionsAtOnce)
			: this.revision;
		const touched = await this.reads.touched(
			this.experiment,
			this.version,
			from,
			to,
		);
		const wanted = touched.length === 0 ? 2 : WINDOW_DECISIONS / touched.length;
		this.revisionsAtOnce = Math.min(
			MOST_REVISIONS,
			Math.max(1, Math.round((to - from) * Math.min(2, wanted))),
		);
		this.window = { from, to, byRevision: byRevision(touched) };
		return this.window;
	}
}

const keyOf = ({ arm, bucket }: { arm: string; bucket: number }): string =>
	`${arm} ${bucket}`;

function byRevision(
	touched: readonly TouchedDecision[],
): ReadonlyMap<number, readonly TouchedDecision[]> {
	const groups = new Map<number, TouchedDecision[]>();
	for (const decision of touched) {
		const revisions = new Set([
			decision.revision,
			...decision.outcomes.map((outcome) => outcome.revision),
		]);
		for (const revision of revisions) {
			if (revision === null) continue;
			const group = groups.get(revision);
			if (group) group.push(decision);
			else groups.set(revision, [decision]);
		}
	}
	return groups;
}

/** E and R as the log had them at the revision: see docs/invariants.md, on revisions. */
function stateAt(
	{ row, definition, revision, outcomes }: TouchedDecision,
	at: number,
): { exposed: 0 | 1; reward: number } {
	if (revision > at) return { exposed: 0, reward: 0 };
	const known = outcomes.flatMap((outcome) =>
		outcome.revision === null || outcome.revision <= at ? [outcome.event] : [],
	);
	return stateOf({ row, definition, outcomes: known });
}

/** The sums of the past of every experiment version. */
export class PastSumsOfLog {
	constructor(private readonly reads: RevisionReads) {}

	open(experiment: string, version: number, near: number): Promise<SumsInTime> {
		return SumsInTime.open(this.reads, experiment, version, near);
	}

	floor(experiment: string): Promise<number> {
		return this.reads.floor(experiment);
	}
}
