import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findNatsServer, freePort, launchNatsServer } from "#adapters/embedded";

const run = promisify(execFile);

export interface TestNats {
	readonly url: string;
	readonly port: number;
	readonly folder: string;
	/** Of the process that runs now. */
	readonly pid: number;
	/** Signals it and waits for its end; after SIGSTOP until it stands still, after SIGCONT not at all. */
	kill(signal?: NodeJS.Signals): Promise<void>;
	/** Brings it back on the same port with the same data, killing it first where it runs. */
	restart(): Promise<void>;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

/** A real nats-server with JetStream of the test's own: own port, own data; `args` go to it as they are, as `--user` and `--pass`. */
export async function startNats(
	options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<TestNats> {
	const found = findNatsServer();
	if (found === null)
		throw new Error(
			"There is no nats-server. Run node scripts/ensure-nats-server.mjs.",
		);
	const port = options.port ?? (await freePort());
	const folder = await mkdtemp(join(tmpdir(), "segue-nats-"));
	const binary = options.args
		? await withArguments(found, options.args, folder)
		: found;
	const launch = () => launchNatsServer({ folder, binary, port });
	let child: ChildProcess = await launch();
	const running = () => child.exitCode === null && child.signalCode === null;
	const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
		if (!running()) return;
		child.kill(signal);
		if (signal === "SIGSTOP") await stopped(child.pid as number);
		else if (signal !== "SIGCONT" && running()) await once(child, "exit");
	};
	return {
		url: `nats://127.0.0.1:${port}`,
		port,
		folder,
		get pid() {
			return child.pid as number;
		},
		kill,
		async restart() {
			await kill();
			child = await launch();
		},
		async stop() {
			await kill();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** A signal is on its way for a while: a busy machine lets the server answer meanwhile. */
async function stopped(pid: number): Promise<void> {
	for (;;) {
		const { stdout } = await run("ps", ["-o", "stat=", "-p", String(pid)]);
		if (/^T/i.test(stdout.trim())) return;
	}
}

/** A program that is the binary with more arguments, since the launcher knows only those that Segue gives. */
async function withArguments(
	binary: string,
	args: readonly string[],
	folder: string,
): Promise<string> {
	const quoted = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
	const program = join(folder, "nats-server");
	await writeFile(
		program,
		`#!/bin/sh\nexec '${binary}' "$@" ${quoted.join(" ")}\n`,
		{ mode: 0o700 },
	);
	return program;
}
