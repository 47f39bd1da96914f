import { randomUUID } from "node:crypto";
import {
	mkdir,
	readdir,
	readFile,
	rename,
	unlink,
	writeFile,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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

const CLAIM = /^segue-[0-9a-f-]{36}\.pid$/;
const TRIES = 12;
const LONGEST_PAUSE_MS = 60;

/**
 * Makes the folder (mode 0700) where it is missing and claims it for this process, so that two
 * never share embedded servers and spool. A claim left by a process that has ended is removed.
 * Throws DataFolderInUse.
 *
 * Each claim is a file of its own name, written first and looked around from second: of two that
 * claim at once at least one sees the other and withdraws, so there are never two holders. Both may
 * withdraw; each then tries again after a pause of random length. One pid file replaced when stale
 * would not do: two that find it stale can remove each other's replacement.
 */
export async function claimDataFolder(
	folder: string,
): Promise<DataFolderClaim> {
	const home = resolve(folder);
	await mkdir(home, { recursive: true, mode: 0o700 });
	const start = await startOf(process.pid);
	for (let tries = 1; ; tries++) {
		const mine = await announce(home, { pid: process.pid, start });
		const other = await otherHolder(home, mine);
		const release = () => unlink(join(home, mine)).catch(() => undefined);
		if (other === null) return { folder: home, release };
		await release();
		if (tries === TRIES) throw new DataFolderInUse(home, other.pid);
		await sleep(Math.random() * LONGEST_PAUSE_MS);
	}
}

/** Returns the name of the claim, which appears whole or not at all. */
async function announce(home: string, holder: Holder): Promise<string> {
	const name = `segue-${randomUUID()}.pid`;
	const draft = join(home, `${name}.new`);
	await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
	await rename(draft, join(home, name));
	return name;
}

/** A living holder of another claim, or null; claims of the dead are removed on the way. */
async function otherHolder(home: string, mine: string): Promise<Holder | null> {
	let found: Holder | null = null;
	for (const name of await readdir(home)) {
		if (name === mine || !CLAIM.test(name)) continue;
		const text = await readFile(join(home, name), "utf8").catch(() => null);
		if (text === null) continue;
		const holder = parseHolder(text);
		if (holder !== null && (await holds(holder))) found = holder;
		else await unlink(join(home, name)).catch(() => undefined);
	}
	return found;
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
