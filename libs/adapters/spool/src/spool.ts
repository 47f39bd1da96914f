// Longer than 300 lines since the order of a spool's file, index and recovery is one thing to be seen at once.
import { mkdir, readdir } from "node:fs/promises";
import { type Spool, type SpoolEntry, SpoolFull } from "#usecases/ingesting";
import { lockFolder } from "./folder-lock.js";
import { encodeFrame } from "./frame.js";
import { type Place, readPlace, syncFolder, writePlace } from "./place.js";
import { Segment, segmentNumber } from "./segment.js";

export interface SpoolOptions {
	/** Made when missing, `${SEGUE_DATA}/spool`. One process at a time. */
	readonly folder: string;
	/** Bound of the files together. Default 256 MiB. */
	readonly maxBytes?: number;
	/** Sync to disk before an append resolves: survives a power cut, not only a kill -9. Default false. */
	readonly sync?: boolean;
	/** Told where damaged bytes were set aside at the open. */
	readonly onDamage?: (keptIn: string) => void;
}

const DEFAULT_BYTES = 256 * 1_048_576;
const SEGMENT_BYTES = 8 * 1_048_576;
const PEEK_BYTES = 4 * 1_048_576;

interface Appending {
	readonly frame: Buffer;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

export async function openSpool(options: SpoolOptions): Promise<Spool> {
	await mkdir(options.folder, { recursive: true, mode: 0o700 });
	const unlock = await lockFolder(options.folder);
	try {
		return await FileSpool.recover(options, unlock);
	} catch (error) {
		await unlock();
		throw error;
	}
}

/**
 * Files of whole entries, numbered in order; the newest is appended to, the oldest read from; a drained one is deleted. The place
 * of reading lies in the file `position`. It may lag behind what was dropped (a kill between the two), never run ahead: an entry
 * is then read twice, which the stream's message id makes harmless.
 *
 * Everything runs one after another on `#tail`, except that appends which wait together are written together.
 */
class FileSpool implements Spool {
	readonly #folder: string;
	readonly #maxBytes: number;
	readonly #segmentBytes: number;
	readonly #sync: boolean;
	readonly #unlock: () => Promise<void>;
	readonly #segments: Segment[];
	#read: Place;
	#count = 0;
	#waiting: Appending[] = [];
	#waitingBytes = 0;
	#refused = false;
	#tail: Promise<unknown> = Promise.resolve();
	#closed = false;

	private constructor(
		options: SpoolOptions,
		segments: Segment[],
		read: Place,
		unlock: () => Promise<void>,
	) {
		this.#folder = options.folder;
		this.#maxBytes = options.maxBytes ?? DEFAULT_BYTES;
		this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.ceil(this.#maxBytes / 8));
		this.#sync = options.sync ?? false;
		this.#unlock = unlock;
		this.#segments = segments;
		this.#read = read;
	}

	static async recover(
		options: SpoolOptions,
		unlock: () => Promise<void>,
	): Promise<FileSpool> {
		const { folder, onDamage = () => {} } = options;
		const numbers = (await readdir(folder))
			.flatMap((file) => segmentNumber(file) ?? [])
			.sort((a, b) => a - b);
		const segments: Segment[] = [];
		for (const number of numbers)
			segments.push(await Segment.recover(folder, number, onDamage));
		const read = await readPlace(folder);
		const spool = new FileSpool(options, segments, read, unlock);
		await spool.#settle();
		return spool;
	}

	get size(): number {
		return this.#onDisk + this.#waitingBytes - this.#read.offset;
	}

	get count(): number {
		return this.#count + this.#waiting.length;
	}

	get full(): boolean {
		return this.#refused;
	}

	async append(entry: SpoolEntry): Promise<void> {
		if (this.#closed) throw new Error("The spool is closed.");
		const frame = encodeFrame(entry);
		if (this.#onDisk + this.#waitingBytes + frame.length > this.#maxBytes) {
			this.#refused = true;
			throw new SpoolFull();
		}
		this.#waitingBytes += frame.length;
		await new Promise<void>((resolve, reject) => {
			this.#waiting.push({ frame, resolve, reject });
			if (this.#waiting.length === 1) void this.#inTurn(() => this.#write());
		});
	}

	async peek(most: number): Promise<readonly SpoolEntry[]> {
		return await this.#inTurn(
			async () => (await this.#page(this.#read, most)).entries,
		);
	}

	async *entries(): AsyncIterable<SpoolEntry> {
		for (let place = this.#read; ; ) {
			const from = place;
			const page = await this.#inTurn(() =>
				this.#page(from, Number.POSITIVE_INFINITY),
			);
			if (page.entries.length === 0) return;
			yield* page.entries;
			place = page.next;
		}
	}

	async drop(count: number): Promise<void> {
		await this.#inTurn(async () => {
			for (let left = count; left > 0; left -= 1) {
				const segment = this.#segments[0];
				if (segment === undefined) break;
				this.#read = {
					segment: segment.number,
					offset: await segment.skip(this.#read.offset),
				};
				this.#count -= 1;
				await this.#removeDrained();
			}
			await writePlace(this.#folder, this.#read);
			if (count > 0) this.#refused = false;
		});
	}

	async rewrite(change: (body: Uint8Array) => Uint8Array): Promise<number> {
		for await (const { body } of this.entries())
			if (change(body) !== body)
				return await this.#inTurn(() => this.#rewrite(change));
		return 0;
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await this.#inTurn(async () => {
			for (const segment of this.#segments) await segment.close();
			await this.#unlock();
		});
	}

	get #onDisk(): number {
		return this.#segments.reduce((bytes, segment) => bytes + segment.length, 0);
	}

	/** Runs `work` when all that was asked for before has ended. */
	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#tail.then(work);
		this.#tail = turn.catch(() => {});
		return turn;
	}

	async #write(): Promise<void> {
		const together = this.#waiting;
		this.#waiting = [];
		const frames = Buffer.concat(together.map(({ frame }) => frame));
		try {
			const segment = await this.#segmentToWrite();
			await segment.append(frames, this.#sync);
			this.#count += together.length;
			for (const { resolve } of together) resolve();
		} catch (error) {
			for (const { reject } of together) reject(error);
		} finally {
			this.#waitingBytes -= frames.length;
		}
	}

	async #segmentToWrite(): Promise<Segment> {
		const newest = this.#segments.at(-1);
		if (newest !== undefined && newest.length < this.#segmentBytes)
			return newest;
		const number = Math.max(newest?.number ?? 0, this.#read.segment) + 1;
		const segment = await Segment.create(this.#folder, number);
		if (this.#sync) await syncFolder(this.#folder);
		if (this.#segments.length === 0)
			this.#read = { segment: number, offset: 0 };
		this.#segments.push(segment);
		return segment;
	}

	/** Entries from a place on (or from what is left behind it), up to `most` and about PEEK_BYTES, and the place behind them. */
	async #page(
		from: Place,
		most: number,
	): Promise<{ entries: SpoolEntry[]; next: Place }> {
		const entries: SpoolEntry[] = [];
		let next = from;
		let bytes = 0;
		for (const segment of this.#segments.filter(
			({ number }) => number >= from.segment,
		)) {
			let offset = segment.number === from.segment ? from.offset : 0;
			while (entries.length < most && bytes < PEEK_BYTES) {
				const found = await segment.read(offset);
				if (found === null) break;
				entries.push(found.entry);
				bytes += found.next - offset;
				offset = found.next;
				next = { segment: segment.number, offset };
			}
		}
		return { entries, next };
	}

	/**
	 * What waits goes into new files, and the place of reading with it; only then the old files go. A kill in between leaves both, whose
	 * entries have the same message ids.
	 */
	async #rewrite(change: (body: Uint8Array) => Uint8Array): Promise<number> {
		const old = [...this.#segments];
		const first = Math.max(old.at(-1)?.number ?? 0, this.#read.segment) + 1;
		const fresh: Segment[] = [];
		let changed = 0;
		try {
			let page = await this.#page(this.#read, Number.POSITIVE_INFINITY);
			while (page.entries.length > 0) {
				const frames = page.entries.map((entry) => {
					const body = change(entry.body);
					if (body !== entry.body) changed += 1;
					return encodeFrame({ ...entry, body });
				});
				const number = first + fresh.length;
				const segment = await Segment.create(this.#folder, number);
				fresh.push(segment);
				await segment.append(Buffer.concat(frames), this.#sync);
				page = await this.#page(page.next, Number.POSITIVE_INFINITY);
			}
			if (this.#sync) await syncFolder(this.#folder);
			await writePlace(this.#folder, { segment: first, offset: 0 });
		} catch (error) {
			for (const segment of fresh) await segment.remove().catch(() => {});
			throw error;
		}
		const { size } = this;
		this.#read = { segment: first, offset: 0 };
		this.#segments.splice(0, old.length, ...fresh);
		if (this.size < size) this.#refused = false;
		for (const segment of old) await segment.remove();
		return changed;
	}

	async #removeDrained(): Promise<void> {
		for (
			let oldest = this.#segments[0];
			oldest !== undefined && this.#read.offset >= oldest.length;
			oldest = this.#segments[0]
		) {
			this.#segments.shift();
			await oldest.remove();
			this.#read = {
				segment: this.#segments[0]?.number ?? oldest.number,
				offset: 0,
			};
		}
	}

	/** Makes the place that a former process left fit the files that it left. */
	async #settle(): Promise<void> {
		while (
			this.#segments[0] !== undefined &&
			this.#segments[0].number < this.#read.segment
		) {
			await this.#segments.shift()?.remove();
		}
		const oldest = this.#segments[0];
		if (oldest !== undefined && oldest.number !== this.#read.segment)
			this.#read = { segment: oldest.number, offset: 0 };
		if (oldest === undefined)
			this.#read = { segment: this.#read.segment, offset: 0 };
		else if (!(await oldest.startsEntryAt(this.#read.offset)))
			this.#read = { segment: oldest.number, offset: 0 };
		await this.#removeDrained();
		this.#count = await this.#countFrom(this.#read.offset);
		await writePlace(this.#folder, this.#read);
	}

	async #countFrom(offset: number): Promise<number> {
		let count = 0;
		let at = offset;
		for (const segment of this.#segments) {
			for (; at < segment.length; at = await segment.skip(at)) count += 1;
			at = 0;
		}
		return count;
	}
}
