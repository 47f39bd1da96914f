import {
	type FileHandle,
	open,
	readFile,
	unlink,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { SpoolEntry } from "#usecases/ingesting";
import { decodeFrame, HEADER_BYTES } from "./frame.js";

const NAME = /^(\d{10})\.spool$/;

/** The number in a file's name, or null for other files. */
export function segmentNumber(file: string): number | null {
	const found = NAME.exec(file);
	return found === null ? null : Number(found[1]);
}

/** One file of the spool: whole entries one after another, appended to and read, never changed. */
export class Segment {
	private constructor(
		readonly number: number,
		readonly path: string,
		readonly handle: FileHandle,
		/** Bytes of whole entries. */
		public length: number,
	) {}

	static async create(folder: string, number: number): Promise<Segment> {
		const path = pathOf(folder, number);
		return new Segment(number, path, await open(path, "wx+", 0o600), 0);
	}

	/**
	 * Opens what a former process left. A torn end (it was killed while writing, and had not answered) is cut off. What is damaged
	 * otherwise is cut off too, but kept beside it as `….damaged`, since it may have been answered for.
	 */
	static async recover(
		folder: string,
		number: number,
		onDamage: (keptIn: string) => void,
	): Promise<Segment> {
		const path = pathOf(folder, number);
		const bytes = await readFile(path);
		let length = 0;
		let frame = decodeFrame(bytes);
		while (frame.kind === "entry") {
			length += frame.bytes;
			frame = decodeFrame(bytes.subarray(length));
		}
		if (frame.kind === "damaged") {
			const keptIn = `${path}.${length}.damaged`;
			await writeFile(keptIn, bytes.subarray(length), { mode: 0o600 });
			onDamage(keptIn);
		}
		const handle = await open(path, "r+");
		if (length < bytes.length) await handle.truncate(length);
		return new Segment(number, path, handle, length);
	}

	/** Writes whole entries behind the last; after a failure the file is as before. */
	async append(frames: Buffer, sync: boolean): Promise<void> {
		try {
			for (let written = 0; written < frames.length; ) {
				const { bytesWritten } = await this.handle.write(
					frames,
					written,
					frames.length - written,
					this.length + written,
				);
				written += bytesWritten;
			}
			if (sync) await this.handle.datasync();
		} catch (error) {
			await this.handle.truncate(this.length).catch(() => {});
			throw error;
		}
		this.length += frames.length;
	}

	/** The entry at `offset` and where the next one starts; null at the end. */
	async read(
		offset: number,
	): Promise<{ readonly entry: SpoolEntry; readonly next: number } | null> {
		const bytes = await this.#bytesOfEntry(offset);
		if (bytes === 0) return null;
		const buffer = Buffer.allocUnsafe(bytes);
		await this.handle.read(buffer, 0, bytes, offset);
		const frame = decodeFrame(buffer);
		if (frame.kind !== "entry") {
			throw new Error(
				`${this.path} is damaged at byte ${offset}: it was changed by someone else. Restart Segue, which sets the damaged part aside.`,
			);
		}
		return { entry: frame.entry, next: offset + frame.bytes };
	}

	/** Where the entry behind the one at `offset` starts; the same offset at the end. */
	async skip(offset: number): Promise<number> {
		return offset + (await this.#bytesOfEntry(offset));
	}

	/** True at the end, too. */
	async startsEntryAt(offset: number): Promise<boolean> {
		return await this.read(offset).then(
			() => true,
			() => false,
		);
	}

	async close(): Promise<void> {
		await this.handle.close();
	}

	async remove(): Promise<void> {
		await this.handle.close();
		await unlink(this.path);
	}

	async #bytesOfEntry(offset: number): Promise<number> {
		if (offset >= this.length) return 0;
		const header = Buffer.alloc(HEADER_BYTES);
		await this.handle.read(header, 0, HEADER_BYTES, offset);
		return Math.min(
			HEADER_BYTES + header.readUInt32LE(0),
			this.length - offset,
		);
	}
}

function pathOf(folder: string, number: number): string {
	return join(folder, `${String(number).padStart(10, "0")}.spool`);
}
