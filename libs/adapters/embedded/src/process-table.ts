import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const POLL_MS = 20;

/** Whether a process of this id runs (a zombie, which holds nothing any more, does not). */
export async function isAlive(pid: number): Promise<boolean> {
	try {
		process.kill(pid, 0);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
	}
	const stat = await linuxStat(pid);
	return stat === null || stat.state !== "Z";
}

/** The command line of a process, or null where there is no such process. */
export async function commandLine(pid: number): Promise<string | null> {
	try {
		const raw = await readFile(`/proc/${pid}/cmdline`, "utf8");
		return raw.split("\0").join(" ").trim();
	} catch {
		return ps(pid, "args=");
	}
}

/**
 * What tells a process from a later one with the same id: the instant it started.
 * Null where there is no such process.
 */
export async function startOf(pid: number): Promise<string | null> {
	const stat = await linuxStat(pid);
	if (stat === null) return ps(pid, "lstart=");
	const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(
		() => "",
	);
	return `${boot.trim()}/${stat.startTicks}`;
}

/** Resolves to true once the process has ended, or to false after `withinMs`. */
export async function waitForEnd(
	pid: number,
	withinMs: number,
): Promise<boolean> {
	for (let waited = 0; await isAlive(pid); waited += POLL_MS) {
		if (waited >= withinMs) return false;
		await sleep(POLL_MS);
	}
	return true;
}

/** Signals a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces and parentheses. */
async function linuxStat(
	pid: number,
): Promise<{ state: string; startTicks: string } | null> {
	const raw = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
	if (raw === null) return null;
	const fields = raw.slice(raw.lastIndexOf(")") + 2).split(" ");
	return { state: fields[0] ?? "", startTicks: fields[19] ?? "" };
}

async function ps(pid: number, column: string): Promise<string | null> {
	const found = await run("ps", ["-o", column, "-p", String(pid)]).catch(
		() => null,
	);
	return found?.stdout.trim() || null;
}
