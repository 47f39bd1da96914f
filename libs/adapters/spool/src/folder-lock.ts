import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Locks held by this process: a pid alone cannot tell them from one that a former process with the same pid left. */
const held = new Set<string>();

/**
 * Keeps a second process out of the folder. The file names its holder by pid and, where /proc tells it, start time, so that a
 * lock left by a kill -9 is taken over even if its pid lives on in another process.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
	const path = join(folder, "lock");
	const self = { pid: process.pid, started: await startOf(process.pid) };
	for (;;) {
		try {
			await writeFile(path, JSON.stringify(self), { flag: "wx", mode: 0o600 });
			held.add(path);
			return async () => {
				held.delete(path);
				await unlink(path).catch(() => {});
			};
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
		const holder = await readHolder(path);
		if (held.has(path) || (holder !== null && (await isAlive(holder)))) {
			throw new Error(
				`The spool in ${folder} is in use by process ${holder?.pid}. Stop that one, or set SEGUE_DATA to another folder.`,
			);
		}
		await unlink(path).catch(() => {});
	}
}

interface Holder {
	readonly pid: number;
	readonly started: string | null;
}

async function readHolder(path: string): Promise<Holder | null> {
	try {
		const { pid, started } = JSON.parse(await readFile(path, "utf8")) as Holder;
		return Number.isSafeInteger(pid) && pid > 0 ? { pid, started } : null;
	} catch {
		return null;
	}
}

async function isAlive(holder: Holder): Promise<boolean> {
	if (holder.pid === process.pid) return false;
	try {
		process.kill(holder.pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
	return holder.started === (await startOf(holder.pid));
}

/** Clock ticks from boot to the start of the process (proc(5), stat field 22), or null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
	try {
		const stat = await readFile(`/proc/${pid}/stat`, "utf8");
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
	} catch {
		return null;
	}
}
