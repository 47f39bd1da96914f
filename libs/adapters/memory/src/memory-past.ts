import type { DecisionRow } from "#core/log";
import type {
	BucketSums,
	LoggedDecisions,
	PastSums,
	SumsTimeline,
} from "#usecases/deciding";
import type { MemoryPosteriorSource, MovedSums } from "./memory-deciding.js";

/** The past of a memory source's sums. */
export class MemoryPastSums implements PastSums {
	/** What `floor` answers; a test raises it as an erasure would. */
	oldest = 0;

	constructor(private readonly source: MemoryPosteriorSource) {}

	async floor(): Promise<number> {
		return this.oldest;
	}

	async open(experiment: string, version: number): Promise<SumsTimeline> {
		const heads = await this.source.heads();
		const history = this.source.history.filter(
			(moved) => moved.experiment === experiment && moved.version === version,
		);
		return new MemoryTimeline(history, heads.get(experiment) ?? 0, this.oldest);
	}
}

class MemoryTimeline implements SumsTimeline {
	private present: ReadonlyMap<string, BucketSums> = new Map();

	constructor(
		private readonly history: readonly MovedSums[],
		readonly newest: number,
		readonly floor: number,
	) {}

	all(): readonly BucketSums[] {
		return [...this.present.values()];
	}

	async moveTo(
		revision: number,
		signal?: AbortSignal,
	): Promise<readonly BucketSums[]> {
		signal?.throwIfAborted();
		const next = new Map<string, BucketSums>();
		for (const moved of this.history)
			if (moved.revision <= revision)
				next.set(`${moved.arm} ${moved.bucket}`, moved);
		const gone = [...this.present].flatMap(([key, { arm, bucket, sums }]) =>
			next.has(key)
				? []
				: [{ arm, bucket, sums: new Float64Array(sums.length) }],
		);
		const moved = [...next].flatMap(([key, bucket]) =>
			this.present.get(key) === bucket ? [] : [bucket],
		);
		this.present = next;
		return [...moved, ...gone];
	}
}

/** Rows of a memory log, as pages of the stored one. */
export class MemoryLoggedDecisions implements LoggedDecisions {
	constructor(private readonly rows: readonly DecisionRow[]) {}

	async newest(): Promise<string | null> {
		return this.all().at(-1)?.id ?? null;
	}

	async between(
		after: string | null,
		newest: string,
		most: number,
		experiment?: string,
	): Promise<readonly DecisionRow[]> {
		return this.all(experiment)
			.filter(({ id }) => id > (after ?? "") && id <= newest)
			.slice(0, most);
	}

	/** The first ones: a test that needs others draws its own. */
	async sample(
		most: number,
		_seed: number,
		experiment?: string,
	): Promise<readonly string[]> {
		return this.all(experiment)
			.slice(0, most)
			.map(({ id }) => id);
	}

	async byIds(ids: readonly string[]): Promise<readonly DecisionRow[]> {
		return this.rows.filter(({ id }) => ids.includes(id));
	}

	private all(experiment?: string): readonly DecisionRow[] {
		return this.rows
			.filter(
				(row) => experiment === undefined || row.experiment === experiment,
			)
			.sort((a, b) => (a.id < b.id ? -1 : 1));
	}
}
