import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { end, hasEnded } from "./supervisor.js";

export interface ServerProgram {
	/** For people, such as `PostgreSQL`. */
	readonly name: string;
	/** Program and arguments. */
	readonly command: readonly [string, ...string[]];
	readonly folder: string;
	/** The whole environment: nothing of Segue's own, which holds secrets and would change what is started. */
	readonly environment: NodeJS.ProcessEnv;
	readonly as: { readonly uid: number; readonly gid: number } | null;
	/** What it prints is appended here. */
	readonly logFile: string;
	/** Whether it serves by now; a throw gives the start up. */
	readonly serves: () => Promise<boolean>;
	readonly withinMs: number;
}

const KNOCK_MS = 25;
const GRACE_MS = 5_000;

/**
 * Spawns a server in a process group of its own, so that a Ctrl-C meant for Segue does not reach it,
 * and resolves once it serves. Rejects with a sentence, leaving nothing running.
 */
export async function spawnServer(
	program: ServerProgram,
): Promise<ChildProcess> {
	const [file, ...args] = program.command;
	const log = await open(program.logFile, "a", 0o600);
	const child = spawn(file, args, {
		...program.as,
		cwd: program.folder,
		env: program.environment,
		detached: true,
		stdio: ["ignore", log.fd, log.fd],
	});
	try {
		await once(child, "spawn");
	} catch (error) {
		throw new Error(
			`${program.name} cannot be started: ${(error as Error).message}`,
			{ cause: error },
		);
	} finally {
		await log.close();
	}
	try {
		await untilItServes(child, program);
		return child;
	} catch (error) {
		await end(child, "SIGINT", GRACE_MS);
		throw error;
	}
}

async function untilItServes(
	child: ChildProcess,
	{ name, serves, withinMs, logFile }: ServerProgram,
): Promise<void> {
	const deadline = Date.now() + withinMs;
	while (!hasEnded(child)) {
		if (await serves()) return;
		if (Date.now() > deadline)
			throw new Error(
				`${name} did not answer within ${withinMs / 1000} s; see ${logFile}.`,
			);
		await sleep(KNOCK_MS);
	}
	throw new Error(
		`${name} ended while it started (${child.exitCode ?? child.signalCode}); see ${logFile}.`,
	);
}
