import { type BucketSums, Slices } from "#usecases/deciding";

/** Float64 in one row: 1.6 KB, so that four versions of a row fit a page and updates stay HOT. */
export const CHUNK_LENGTH = 200;

export interface ChunkRecord {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	readonly shard: number;
	readonly chunk: number;
	readonly data: Buffer;
}

/** A run of a sums vector that begins with the named chunk. */
type Run = Pick<ChunkRecord, "arm" | "bucket" | "chunk" | "data">;

/** Adds the shards of each arm and bucket; addition on the grid is exact, so their order does not matter. */
export function assembleBuckets(chunks: readonly Run[]): BucketSums[] {
	const assembly = new Assembly(chunks);
	for (const chunk of chunks) assembly.add(chunk);
	return assembly.buckets();
}

/** The same, letting decisions through in between: 1,000 arms of d = 64 are 17 MB. */
export async function assembleInSlices(
	chunks: readonly Run[],
): Promise<BucketSums[]> {
	const slices = new Slices();
	const assembly = new Assembly(chunks);
	for (const chunk of chunks) {
		assembly.add(chunk);
		if (slices.used) await slices.pause();
	}
	return assembly.buckets();
}

class Assembly {
	private readonly lengths = new Map<string, number>();
	private readonly known = new Map<string, BucketSums>();

	constructor(chunks: readonly Run[]) {
		for (const { arm, bucket, chunk, data } of chunks) {
			const key = `${arm}\n${bucket}`;
			const length = chunk * CHUNK_LENGTH + data.length / 8;
			if (length > (this.lengths.get(key) ?? 0)) this.lengths.set(key, length);
		}
	}

	add({ arm, bucket, chunk, data }: Run): void {
		const key = `${arm}\n${bucket}`;
		let known = this.known.get(key);
		if (!known) {
			const sums = new Float64Array(this.lengths.get(key) ?? 0);
			known = { arm, bucket, sums };
			this.known.set(key, known);
		}
		addChunk(known.sums, chunk, data);
	}

	/** By arm and bucket. */
	buckets(): BucketSums[] {
		return [...this.known.values()].sort((a, b) =>
			a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : a.bucket - b.bucket,
		);
	}
}

function addChunk(sums: Float64Array, chunk: number, data: Buffer): void {
	const offset = chunk * CHUNK_LENGTH;
	for (let i = 0; i < data.length / 8; i++)
		sums[offset + i] = (sums[offset + i] as number) + data.readDoubleLE(i * 8);
}

/** Number of chunk rows a sums vector is stored in. */
export function chunkCount(length: number): number {
	return Math.ceil(length / CHUNK_LENGTH);
}

/** The part of a sums vector that one chunk row holds. */
export function chunkOf(sums: Float64Array, chunk: number): Float64Array {
	return sums.subarray(chunk * CHUNK_LENGTH, (chunk + 1) * CHUNK_LENGTH);
}

/** Sums are exact while every entry is below 2²⁹; from half of that on the learner alarms. */
export const ALARM = 2 ** 28;

/** stored + delta, entry by entry, as the row's new bytes. */
export function addedBytes(stored: Buffer, delta: Float64Array): Buffer {
	const sum = Buffer.allocUnsafe(delta.length * 8);
	for (let i = 0; i < delta.length; i++)
		sum.writeDoubleLE(stored.readDoubleLE(i * 8) + (delta[i] as number), i * 8);
	return sum;
}
