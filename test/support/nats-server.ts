import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, freePort, launchNatsServer } from "#adapters/embedded";

export interface TestNats {
	readonly url: string;
	readonly port: number;
	readonly folder: string;
	/** Of the process that runs now. */
	readonly pid: number;
	/** Signals it and waits for its end; SIGSTOP and SIGCONT only signal. */
	kill(signal?: NodeJS.Signals): Promise<void>;
	/** Brings it back on the same port with the same data, killing it first where it runs. */
	restart(): Promise<void>;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

/** A real nats-server with JetStream of the test's own: own port, own data. */
export async function startNats(
	options: { readonly port?: number } = {},
): Promise<TestNats> {
	const binary = findNatsServer();
	if (binary === null)
		throw new Error(
			"There is no nats-server. Run node scripts/ensure-nats-server.mjs.",
		);
	const port = options.port ?? (await freePort());
	const folder = await mkdtemp(join(tmpdir(), "segue-nats-"));
	const launch = () => launchNatsServer({ folder, binary, port });
	let child: ChildProcess = await launch();
	const running = () => child.exitCode === null && child.signalCode === null;
	const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
		if (!running()) return;
		const ended = once(child, "exit");
		child.kill(signal);
		if (signal !== "SIGSTOP" && signal !== "SIGCONT") await ended;
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
