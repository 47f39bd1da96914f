import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

/**
 * One system call of a traced process: `begun` and `ended` are places in the order of all calls of
 * all of them; `ended` is infinite where the trace ended first.
 */
export interface SystemCall {
	readonly pid: number;
	/** As strace writes it, paths and what was passed included. */
	readonly text: string;
	readonly begun: number;
	readonly ended: number;
}

export interface Trace {
	/** Lets the processes go on untraced and tells what they did. */
	stop(): Promise<readonly SystemCall[]>;
}

const CALLS = "read,recvfrom,write,writev,pwrite64,pwritev,fsync,fdatasync";

/**
 * Follows processes that run, and the children they make from now on, into `file`. A sentence where
 * this machine has no strace or does not let it look.
 */
export async function traceCalls(
	pids: readonly number[],
	file: string,
): Promise<Trace | string> {
	if (spawnSync("strace", ["-V"]).error)
		return "There is no strace here, so nothing shows when a sync happens.";
	const child = spawn("strace", [
		...["-f", "-y", "-s", "4096", "-e", `trace=${CALLS}`],
		...["-e", "signal=none", "-o", file],
		...pids.flatMap((pid) => ["-p", String(pid)]),
	]);
	const refusal = await attached(child, pids);
	if (refusal !== null)
		return `strace may not look at other processes here, so nothing shows when a sync happens: ${refusal}`;
	return {
		async stop() {
			const ended = once(child, "exit");
			child.kill("SIGINT");
			await ended;
			return parseCalls(await readFile(file, "utf8"));
		},
	};
}

/** Resolves once strace has all of them, or with its words where it may not. */
function attached(
	child: ChildProcess,
	pids: readonly number[],
): Promise<string | null> {
	return new Promise((resolve) => {
		let said = "";
		child.stderr?.on("data", (chunk: Buffer) => {
			said += chunk.toString();
			const isDone = (pid: number) =>
				said.includes(`Process ${pid} attached`) ||
				// It has ended by itself meanwhile, as an idle session of a database may.
				said.includes(`ptrace(PTRACE_SEIZE, ${pid}): No such process`);
			if (pids.every(isDone)) resolve(null);
		});
		child.once("exit", () => resolve(said.trim()));
	});
}

/** Calls that were under way while another thread spoke are two lines: `… <unfinished ...>` and `<... name resumed>…`. */
function parseCalls(text: string): SystemCall[] {
	const begun = new Map<number, { text: string; begun: number }>();
	const calls: SystemCall[] = [];
	for (const [at, line] of text.split("\n").entries()) {
		const [, id, said] = line.match(/^(\d+)\s+(.*)$/) ?? [];
		if (id === undefined || said === undefined) continue;
		const pid = Number(id);
		const unfinished = said.match(
			/^(.*) <(?:unfinished|detached) \.\.\.>$/,
		)?.[1];
		const resumed = said.match(/^<\.\.\. \w+ resumed>(.*)$/)?.[1];
		const first = begun.get(pid);
		if (unfinished !== undefined)
			begun.set(pid, { text: unfinished, begun: at });
		else if (resumed === undefined)
			calls.push({ pid, text: said, begun: at, ended: at });
		else if (first !== undefined) {
			begun.delete(pid);
			calls.push({ ...first, pid, text: first.text + resumed, ended: at });
		}
	}
	// What a call does can be seen before strace sees it end: an answer arrives while its write still runs.
	for (const [pid, first] of begun)
		calls.push({ ...first, pid, ended: Number.POSITIVE_INFINITY });
	return calls;
}
