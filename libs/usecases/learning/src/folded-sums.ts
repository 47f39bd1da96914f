import { addInto, addObservation, emptySums } from "#core/policy";
import { bucketOf, stateOf } from "./fold.js";
import type { LoggedState, StoredBucket } from "./ports.js";

export interface Difference {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	/** In words: what is stored and what the log says. */
	readonly what: string;
}

/** The sums that the log says, folded decision by decision, of one experiment or several. */
export class FoldedSums {
	readonly #sums = new Map<string, Float64Array>();

	/** Begins from what was folded away earlier. */
	begin(experiment: string, { sums, ...bucket }: StoredBucket): void {
		addInto(this.#of(experiment, bucket, sums.length), sums);
	}

	add(state: LoggedState): void {
		const { exposed, reward } = stateOf(state);
		if (exposed === 0) return;
		const { row, definition } = state;
		const { version, arm, x } = row;
		const bucket = bucketOf(row.id, definition.bucketMs);
		const key = { version, arm, bucket };
		const sums = this.#of(row.experiment, key, emptySums(x.length).length);
		addObservation(sums, x.length, x, 1, reward);
	}

	/** Bit for bit; what is stored as 0 and not in the log is equal. */
	compare(
		stored: readonly {
			readonly experiment: string;
			readonly buckets: readonly StoredBucket[];
		}[],
	): readonly Difference[] {
		const differences: Difference[] = [];
		const unseen = new Map(this.#sums);
		for (const { experiment, buckets } of stored)
			for (const { sums, ...bucket } of buckets) {
				const key = keyOf(experiment, bucket);
				const folded = unseen.get(key) ?? new Float64Array(sums.length);
				unseen.delete(key);
				const what = firstDifference(sums, folded);
				if (what !== null) differences.push({ experiment, ...bucket, what });
			}
		for (const [key, [n]] of unseen) {
			const [experiment, version, arm, bucket] = key.split(" ") as [
				string,
				string,
				string,
				string,
			];
			differences.push({
				experiment,
				version: Number(version),
				arm,
				bucket: Number(bucket),
				what: `nothing is stored, the log says n = ${n}`,
			});
		}
		return differences;
	}

	#of(experiment: string, bucket: BucketName, length: number): Float64Array {
		const key = keyOf(experiment, bucket);
		let sums = this.#sums.get(key);
		if (!sums) {
			sums = new Float64Array(length);
			this.#sums.set(key, sums);
		}
		return sums;
	}
}

type BucketName = Pick<StoredBucket, "version" | "arm" | "bucket">;

const keyOf = (
	experiment: string,
	{ version, arm, bucket }: BucketName,
): string => `${experiment} ${version} ${arm} ${bucket}`;

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
