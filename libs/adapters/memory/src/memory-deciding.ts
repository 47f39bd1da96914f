import type { Definition, LiveFeature } from "#core/experiment";
import type { Sheets } from "#core/linalg";
import type { LiveAsk } from "#core/live";
import type { DecisionRow } from "#core/log";
import type {
	Announcements,
	BucketSums,
	Clock,
	DecisionLog,
	DecisionReads,
	DefinitionSource,
	EventTail,
	Ids,
	LiveContext,
	PosteriorRead,
	PosteriorSource,
	StoredDecision,
} from "#usecases/deciding";
import { SpoolFull } from "#usecases/ingesting";

/** Memory twins of the ports of deciding. Each can be made to fail as its original does. */

export class MemoryClock implements Clock {
	constructor(private time: number) {}

	now(): number {
		return this.time;
	}

	advance(ms: number): void {
		this.time += ms;
	}
}

/** UUIDv7s that repeat from run to run: the clock's time, then a counter. */
export class MemoryIds implements Ids {
	private minted = 0;

	constructor(private readonly clock: Clock) {}

	mint(): string {
		const time = this.clock.now().toString(16).padStart(12, "0");
		const counter = (++this.minted).toString(16).padStart(15, "0");
		return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.slice(0, 3)}-8${counter.slice(3, 6)}-${counter.slice(6)}000`;
	}
}

class Away extends Error {
	constructor() {
		super("The database is away.");
	}
}

export class MemoryDefinitionSource implements DefinitionSource {
	away = false;
	private readonly current = new Map<string, Definition>();

	set(definition: Definition): void {
		this.current.set(definition.experiment.key, definition);
	}

	async all(): Promise<readonly Definition[]> {
		if (this.away) throw new Away();
		return [...this.current.values()];
	}
}

/** A bucket's sums as a revision left them. */
export interface MovedSums extends BucketSums {
	readonly experiment: string;
	readonly version: number;
	readonly revision: number;
}

/** Where more moved, sums are cut from sheets, as those that PostgreSQL gives. */
const FEW_BUCKETS = 16;

function copied(sums: Float64Array, sheets?: Sheets): Float64Array {
	const copy = sheets?.cut(sums.length) ?? new Float64Array(sums.length);
	copy.set(sums);
	return copy;
}

/** Sums that a test moves as a learner would; also announces what moved. */
export class MemoryPosteriorSource implements PosteriorSource, Announcements {
	away = false;
	/** How many reads were served. */
	reads = 0;
	/** Whatever moved, in the order of revisions. */
	readonly history: MovedSums[] = [];
	private readonly sums = new Map<string, MovedSums>();
	private readonly revisions = new Map<string, number>();
	private heard: ((experiment: string, revision: number) => void) | null = null;

	/** One commit: adds deltas to the sums and takes one revision. */
	learn(
		experiment: string,
		version: number,
		deltas: readonly BucketSums[],
	): number {
		const revision = (this.revisions.get(experiment) ?? 0) + 1;
		this.revisions.set(experiment, revision);
		for (const { arm, bucket, sums } of deltas) {
			const key = `${experiment} ${version} ${arm} ${bucket}`;
			const before = this.sums.get(key)?.sums;
			const added = sums.map((entry, i) => entry + (before?.[i] ?? 0));
			const moved = { experiment, version, arm, bucket, sums: added, revision };
			this.sums.set(key, moved);
			this.history.push(moved);
		}
		return revision;
	}

	announce(experiment: string): void {
		this.heard?.(experiment, this.revisions.get(experiment) ?? 0);
	}

	async read(
		experiment: string,
		version: number,
		sinceRevision: number,
		sheets?: Sheets,
	): Promise<PosteriorRead> {
		if (this.away) throw new Away();
		this.reads++;
		const moved = [...this.sums.values()].filter(
			(moved) =>
				moved.experiment === experiment &&
				moved.version === version &&
				moved.revision > sinceRevision,
		);
		const changed =
			moved.length > FEW_BUCKETS
				? moved.map((one) => ({ ...one, sums: copied(one.sums, sheets) }))
				: moved;
		return { revision: this.revisions.get(experiment) ?? 0, changed };
	}

	async heads(): Promise<ReadonlyMap<string, number>> {
		if (this.away) throw new Away();
		return new Map(this.revisions);
	}

	async onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<{ close(): Promise<void> }> {
		this.heard = heard;
		return {
			close: async () => {
				this.heard = null;
			},
		};
	}
}

export class MemoryDecisionLog implements DecisionLog {
	readonly rows: DecisionRow[] = [];
	/** Where rows go, or that nothing more is taken. */
	place: "stream" | "spool" | "full" = "stream";

	async decision(row: DecisionRow): Promise<"stream" | "spool"> {
		if (this.place === "full") throw new SpoolFull();
		this.rows.push(row);
		return this.place;
	}
}

export class MemoryLive implements LiveContext {
	ready = true;
	/** By unit, event type and window, such as `u1 skip 30000`; 0 where nothing is said. */
	readonly values = new Map<string, number | null>();

	read(
		{ event, windowMs }: LiveFeature,
		{ unit }: LiveAsk,
	): number | null | undefined {
		if (!this.ready) return undefined;
		const value = this.values.get(`${unit} ${event} ${windowMs}`);
		return value === undefined ? 0 : value;
	}
}

type Found = Awaited<ReturnType<DecisionReads["find"]>>;

export class MemoryDecisionReads implements DecisionReads {
	away = false;
	readonly stored = new Map<string, StoredDecision | NonNullable<Found>>();

	async find(id: string): Promise<Found> {
		if (this.away) throw new Away();
		return this.stored.get(id) ?? null;
	}
}

interface TailedMessage {
	readonly subject: string;
	readonly body: Uint8Array;
	readonly storedAt: number;
}

/** A stream's tails: each gets what there was from its time on and what a test publishes, and has caught up when the test says so. */
export class MemoryEventTail implements EventTail {
	connected = true;
	/** What the last tail asked for: from when, and which subjects. */
	since: number | null = null;
	filter: string | null = null;
	catchUp: () => void = () => {};
	private readonly messages: TailedMessage[] = [];
	private readonly tails = new Set<(message: TailedMessage) => void>();

	get open(): number {
		return this.tails.size;
	}

	publish(message: TailedMessage): void {
		this.messages.push(message);
		for (const deliver of this.tails) deliver(message);
	}

	async tail(
		filter: string,
		since: number,
		deliver: (message: TailedMessage) => void,
	): Promise<{ readonly caughtUp: Promise<void>; close(): Promise<void> }> {
		if (!this.connected) throw new Error("The stream is away.");
		this.since = since;
		this.filter = filter;
		const wanted = (message: TailedMessage) => {
			if (message.subject.startsWith(filter.slice(0, -1))) deliver(message);
		};
		for (const message of this.messages)
			if (message.storedAt >= since) wanted(message);
		this.tails.add(wanted);
		const caughtUp = new Promise<void>((resolve) => {
			this.catchUp = resolve;
		});
		return {
			caughtUp,
			close: async () => {
				this.tails.delete(wanted);
			},
		};
	}
}
