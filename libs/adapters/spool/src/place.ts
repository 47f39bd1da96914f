import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where reading goes on: a segment's number and a byte in it. */
export interface Place {
	readonly segment: number;
	readonly offset: number;
}

const FILE = "position";

export async function readPlace(folder: string): Promise<Place> {
	try {
		const { segment, offset } = JSON.parse(
			await readFile(join(folder, FILE), "utf8"),
		) as Place;
		if (
			Number.isSafeInteger(segment) &&
			Number.isSafeInteger(offset) &&
			segment >= 0 &&
			offset >= 0
		)
			return { segment, offset };
	} catch {
		// Missing at the first start, half-written after a power cut: all entries are read again.
	}
	return { segment: 0, offset: 0 };
}

/** Whole or not at all. */
export async function writePlace(folder: string, place: Place): Promise<void> {
	const path = join(folder, FILE);
	await writeFile(`${path}.new`, JSON.stringify(place), { mode: 0o600 });
	await rename(`${path}.new`, path);
}

/** Makes a new file's name survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}
