import { isClosing } from "#core/experiment";
import { addObservation, emptySums } from "#core/policy";
import { bucketOf, stateOf } from "./fold.js";
import type { LoggedState, LogReads, StoredSums } from "./ports.js";

const PAGE = 2_000;

export interface Difference {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	/** In words: what is stored and what the log says. */
	readonly what: string;
}

export interface Verification {
	readonly equal: boolean;
	readonly decisions: number;
	readonly outcomes: number;
	readonly revisions: { readonly [experiment: string]: number };
	readonly differences: readonly Difference[];
}

/** Folds the log from nothing and compares with the stored sums bit for bit (invariant 1). Runs on a live database: each experiment is compared at the revision its sums were read at. */
export class Verify {
	constructor(
		private readonly log: LogReads,
		private readonly onProgress: (decisions: number) => void = () => {},
	) {}

	async execute(only?: string): Promise<Verification> {
		const differences: Difference[] = [];
		const revisions: Record<string, number> = {};
		let decisions = 0;
		let outcomes = 0;
		for (const experiment of only === undefined
			? await this.log.experiments()
			: [only]) {
			const stored = await this.log.storedSums(experiment);
			revisions[experiment] = stored.revision;
			const folded = new Map<string, Float64Array>();
			for await (const page of this.#pages(experiment, stored.revision)) {
				for (const state of page) addTo(folded, state);
				decisions += page.length;
				outcomes += page.reduce(
					(count, { outcomes }) =>
						count + outcomes.filter((event) => !isClosing(event)).length,
					0,
				);
				this.onProgress(decisions);
			}
			differences.push(...compare(stored, folded));
		}
		return {
			equal: differences.length === 0,
			decisions,
			outcomes,
			revisions,
			differences,
		};
	}

	async *#pages(
		experiment: string,
		revision: number,
	): AsyncGenerator<readonly LoggedState[]> {
		let after: string | null = null;
		while (true) {
			const page: readonly LoggedState[] = await this.log.page(
				experiment,
				revision,
				after,
				PAGE,
			);
			if (page.length > 0) yield page;
			if (page.length < PAGE) return;
			after = page[page.length - 1]?.row.id ?? null;
		}
	}
}

const keyOf = (version: number, arm: string, bucket: number): string =>
	`${version} ${arm} ${bucket}`;

function addTo(folded: Map<string, Float64Array>, state: LoggedState): void {
	const { exposed, reward } = stateOf(state);
	if (exposed === 0) return;
	const { row, definition } = state;
	const key = keyOf(
		row.version,
		row.arm,
		bucketOf(row.id, definition.bucketMs),
	);
	let sums = folded.get(key);
	if (!sums) {
		sums = emptySums(row.x.length);
		folded.set(key, sums);
	}
	addObservation(sums, row.x.length, row.x, 1, reward);
}

function compare(
	stored: StoredSums,
	folded: ReadonlyMap<string, Float64Array>,
): Difference[] {
	const differences: Difference[] = [];
	const seen = new Set<string>();
	for (const { version, arm, bucket, sums } of stored.buckets) {
		const key = keyOf(version, arm, bucket);
		seen.add(key);
		const what = firstDifference(
			sums,
			folded.get(key) ?? new Float64Array(sums.length),
		);
		if (what !== null)
			differences.push({
				experiment: stored.experiment,
				version,
				arm,
				bucket,
				what,
			});
	}
	for (const [key, sums] of folded) {
		if (seen.has(key)) continue;
		const [version, arm, bucket] = key.split(" ") as [string, string, string];
		const what = `nothing is stored, the log says n = ${sums[0]}`;
		differences.push({
			experiment: stored.experiment,
			version: Number(version),
			arm,
			bucket: Number(bucket),
			what,
		});
	}
	return differences;
}

function firstDifference(
	stored: Float64Array,
	folded: Float64Array,
): string | null {
	if (stored.length !== folded.length)
		return `${stored.length} entries are stored, the log says ${folded.length}`;
	for (let i = 0; i < stored.length; i++)
		if (!Object.is((stored[i] as number) + 0, (folded[i] as number) + 0))
			return `entry ${i} is stored as ${stored[i]}, the log says ${folded[i]}`;
	return null;
}
