import { randomUUID } from "node:crypto";
import {
	link,
	mkdir,
	readFile,
	rename,
	unlink,
	writeFile,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { isAlive, startOf } from "./process-table.js";

export class DataFolderInUse extends Error {
	constructor(
		readonly folder: string,
		readonly pid: number,
	) {
		super(
			`The data folder ${folder} is in use by process ${pid}. Stop that Segue, or set SEGUE_DATA to another folder.`,
		);
		this.name = "DataFolderInUse";
	}
}

export interface DataFolderClaim {
	/** Absolute. */
	readonly folder: string;
	/** Gives the folder up; a second call does nothing. */
	release(): Promise<void>;
}

interface Holder {
	readonly pid: number;
	/** Tells the process from a later one with the same id. */
	readonly start: string | null;
}

const TRIES = 5;

/**
 * Makes the folder (mode 0700) where it is missing and claims it for this process, so that two
 * never share embedded servers and spool. A claim left by a process that has ended is taken.
 * Throws DataFolderInUse.
 */
export async function claimDataFolder(
	folder: string,
): Promise<DataFolderClaim> {
	const home = resolve(folder);
	await mkdir(home, { recursive: true, mode: 0o700 });
	const lock = join(home, "segue.pid");
	const mine = JSON.stringify({
		pid: process.pid,
		start: await startOf(process.pid),
	});
	// A link makes name and content appear at once: nobody ever reads a half-written claim.
	const draft = join(home, `.segue.pid-${randomUUID()}`);
	await writeFile(draft, mine, { mode: 0o600 });
	try {
		await take(home, lock, draft);
	} finally {
		await unlink(draft);
	}
	return { folder: home, release: () => giveUp(lock, mine) };
}

async function take(home: string, lock: string, draft: string): Promise<void> {
	let seen: Holder | null = null;
	for (let tries = 0; tries < TRIES; tries++) {
		if (await linked(draft, lock)) return;
		const text = await readFile(lock, "utf8").catch(() => null);
		if (text === null) continue;
		seen = parseHolder(text);
		if (seen !== null && (await holds(seen)))
			throw new DataFolderInUse(home, seen.pid);
		await setAside(lock, text);
	}
	throw new DataFolderInUse(home, seen?.pid ?? 0);
}

/** Removes the stale claim, and only that one: another process may have replaced it a moment ago. */
async function setAside(lock: string, stale: string): Promise<void> {
	const aside = `${lock}-${randomUUID()}`;
	try {
		await rename(lock, aside);
	} catch {
		return;
	}
	if ((await readFile(aside, "utf8")) !== stale) await linked(aside, lock);
	await unlink(aside);
}

async function holds(holder: Holder): Promise<boolean> {
	if (!(await isAlive(holder.pid))) return false;
	return holder.start === null || holder.start === (await startOf(holder.pid));
}

function parseHolder(text: string): Holder | null {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== "object" || value === null) return null;
		const { pid, start } = value as { pid?: unknown; start?: unknown };
		if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1)
			return null;
		return { pid, start: typeof start === "string" ? start : null };
	} catch {
		return null;
	}
}

/** False where the name exists already. */
async function linked(from: string, to: string): Promise<boolean> {
	try {
		await link(from, to);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
		throw error;
	}
}

async function giveUp(lock: string, mine: string): Promise<void> {
	const text = await readFile(lock, "utf8").catch(() => null);
	if (text === mine) await unlink(lock).catch(() => undefined);
}
