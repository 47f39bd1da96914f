import { readFile } from "node:fs/promises";
import type { Log } from "./child.js";
import { commandLine, isAlive, signal, waitForEnd } from "./process-table.js";

export interface LeftOver {
	/** For the log, such as `PostgreSQL`. */
	readonly name: string;
	/** Its first line is the process id. */
	readonly pidFile: string;
	/** Words that the command line of that server, of that folder, holds. */
	readonly marks: readonly string[];
	readonly stopSignal: NodeJS.Signals;
	/** How long it may take before it is killed. */
	readonly graceMs: number;
	readonly log: Log;
}

/** What was found behind a pid file: nothing alive, a stranger that got the id since, or the server, which is now stopped. */
export type Found = "nobody" | "stranger" | "stopped";

/** Stops the server that a kill -9 of an earlier Segue left running, so that it is never doubled. */
export async function stopLeftOver(leftOver: LeftOver): Promise<Found> {
	const pid = await pidIn(leftOver.pidFile);
	if (pid === null || pid === process.pid || !(await isAlive(pid)))
		return "nobody";
	const line = await commandLine(pid);
	if (line === null) return "nobody";
	if (!leftOver.marks.every((mark) => line.includes(mark))) return "stranger";
	leftOver.log.warn(
		{ pid },
		`${leftOver.name} of an earlier run is still running; it is stopped and started anew`,
	);
	signal(pid, leftOver.stopSignal);
	if (!(await waitForEnd(pid, leftOver.graceMs))) {
		signal(pid, "SIGKILL");
		await waitForEnd(pid, leftOver.graceMs);
	}
	return "stopped";
}

async function pidIn(file: string): Promise<number | null> {
	const text = await readFile(file, "utf8").catch(() => "");
	const pid = Number(text.split("\n", 1)[0]);
	return Number.isInteger(pid) && pid > 1 ? pid : null;
}
