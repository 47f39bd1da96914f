import type { Sheets } from "#core/linalg";
import { addInto } from "#core/policy";
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

/** One shard of an arm's bucket, its chunks in one, as base64. */
export interface ShardText {
	readonly arm: string;
	readonly bucket: number;
	/** Numbers in it. */
	readonly length: number;
	readonly data: string;
}

/**
 * The same of whole shards, letting decisions through in between: 1,000 arms of d = 64 are 17 MB. The first shard is decoded where its
 * sums will stay, so that there is as little as can be to collect, which would hold decisions up too.
 */
export async function assembleInSlices(
	shards: readonly ShardText[],
): Promise<BucketSums[]> {
	const slices = new Slices();
	const known = new Map<string, BucketSums>();
	for (const { arm, bucket, length, data } of shards) {
		const key = `${arm}\n${bucket}`;
		const sums = decoded(data, length);
		const before = known.get(key);
		if (before) addInto(before.sums, sums);
		else known.set(key, { arm, bucket, sums });
		if (slices.used) await slices.pause();
	}
	return inOrder(known.values());
}

/** Little endian, as the row has it and every machine that Segue runs on. */
function decoded(base64: string, length: number): Float64Array {
	const sums = new Float64Array(length);
	Buffer.from(sums.buffer).write(base64, "base64");
	return sums;
}

/** The sums of the shards before with this one's added; the first is copied where they will stay. */
export function addShard(
	before: Float64Array | null,
	bytes: Buffer,
	sheets?: Sheets,
): Float64Array {
	const length = bytes.length / 8;
	if (before === null) {
		const sums = sheets?.cut(length) ?? new Float64Array(length);
		new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength).set(bytes);
		return sums;
	}
	if (scratch.length < length) scratch = new Float64Array(length);
	new Uint8Array(scratch.buffer).set(bytes);
	addInto(before, scratch.subarray(0, length));
	return before;
}

/** Bytes from a socket begin anywhere, numbers do not; the same memory each time, since what is given back is collected. */
let scratch = new Float64Array(CHUNK_LENGTH);

function inOrder(buckets: Iterable<BucketSums>): BucketSums[] {
	return [...buckets].sort((a, b) =>
		a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : a.bucket - b.bucket,
	);
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

	buckets(): BucketSums[] {
		return inOrder(this.known.values());
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
