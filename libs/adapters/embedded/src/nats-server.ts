import { type ChildProcess, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { connect as connectNats } from "@nats-io/transport-node";
import type { Child, Log } from "./child.js";
import { freePort, rememberedPort } from "./free-port.js";
import { stopLeftOver } from "./left-over.js";
import { spawnServer } from "./spawn-server.js";
import { Supervisor } from "./supervisor.js";

export interface NatsServerOptions {
	/** Of the embedded nats-server alone; made where it is missing. */
	readonly folder: string;
	readonly binary: string;
	readonly log: Log;
	/** Every message synced to disk before its acknowledgement; needs nats-server ≥ 2.10. Default false. */
	readonly syncAlways?: boolean;
	/** Between two askings whether JetStream still answers, and how long each waits for an answer. Default 5 s. */
	readonly askEveryMs?: number;
}

export interface NatsChild extends Child {
	readonly url: string;
}

interface LaunchOptions {
	readonly folder: string;
	readonly binary: string;
	readonly port: number;
	readonly syncAlways?: boolean;
}

const GRACE_MS = 10_000;
const START_WITHIN_MS = 30_000;
const PORT_TRIES = 3;
const ASK_EVERY_MS = 5_000;
/** Askings in a row. */
const PATIENCE = 4;

/** The nats-server on PATH; null where there is none. */
export function findNatsServer(): string | null {
	try {
		const options = { encoding: "utf8" } as const;
		const found = execFileSync(
			"/bin/sh",
			["-c", "command -v nats-server"],
			options,
		).trim();
		if (found.startsWith("/")) return found;
	} catch {
		// Not on PATH.
	}
	return null;
}

/** Its version, such as [2, 9, 10]. Throws where the binary does not say. */
export function natsServerVersion(binary: string): [number, number, number] {
	const said = execFileSync(binary, ["--version"], { encoding: "utf8" });
	const match = said.match(/v(\d+)\.(\d+)\.(\d+)/);
	if (!match)
		throw new Error(`${binary} --version says no version: ${said.trim()}`);
	return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/**
 * Starts a nats-server with JetStream on loopback as a child in its own process group and keeps it
 * running on the same port until stop(). One whose JetStream answers no more is ended and started again: a nats-server
 * whose disk was full stays so when there is room again. One that an earlier, killed Segue left running in this
 * folder is stopped first. Throws a sentence where it does not start.
 */
export async function startNatsServer(
	options: NatsServerOptions,
): Promise<NatsChild> {
	const folder = resolve(options.folder);
	await mkdir(folder, { recursive: true, mode: 0o700 });
	if (options.syncAlways) mustSync(options.binary);
	const everyMs = options.askEveryMs ?? ASK_EVERY_MS;
	for (let tries = 1; ; tries++) {
		const port =
			tries === 1
				? await rememberedPort(join(folder, "port"))
				: await freePort();
		const launch = async (): Promise<ChildProcess> => {
			await clearLeftOver(folder, options.log);
			return launchNatsServer({ ...options, folder, port });
		};
		try {
			const supervisor = await Supervisor.start({
				name: "nats-server",
				launch,
				stopSignal: "SIGTERM",
				graceMs: GRACE_MS,
				log: options.log,
				watchdog: {
					serves: () => answersJetStream(port, everyMs),
					everyMs,
					patience: PATIENCE,
				},
			});
			return {
				description: `nats-server on 127.0.0.1:${port}, data in ${folder}`,
				url: `nats://127.0.0.1:${port}`,
				get pid() {
					return supervisor.pid;
				},
				stop: () => supervisor.stop(),
			};
		} catch (error) {
			if (tries === PORT_TRIES) throw error;
			options.log.warn(
				{ err: error, port },
				"nats-server did not start; once more",
			);
		}
	}
}

/** Spawns one nats-server, unwatched, and resolves once it greets; rejects with nothing left running. */
export async function launchNatsServer(
	options: LaunchOptions,
): Promise<ChildProcess> {
	const { folder, binary, port } = options;
	// Tells it from another server that took the port meanwhile.
	const name = `segue-${randomUUID()}`;
	await writeFile(configOf(folder), config(options, name), { mode: 0o600 });
	return spawnServer({
		name: "nats-server",
		command: [binary, "-c", configOf(folder)],
		folder,
		environment: {},
		as: null,
		logFile: logOf(folder),
		serves: () => greets(port, name),
		withinMs: START_WITHIN_MS,
	});
}

function configOf(folder: string): string {
	return join(folder, "nats.conf");
}

function logOf(folder: string): string {
	return join(folder, "server.log");
}

function pidFileOf(folder: string): string {
	return join(folder, "nats.pid");
}

/** The configuration language takes JSON strings. The log is kept by the server, which turns it over at 10 MB. */
function config(
	{ folder, port, syncAlways }: LaunchOptions,
	name: string,
): string {
	return `# Written by Segue at every start.
listen: "127.0.0.1:${port}"
server_name: ${name}
pid_file: ${JSON.stringify(pidFileOf(folder))}
log_file: ${JSON.stringify(logOf(folder))}
logfile_size_limit: 10MB
jetstream {
  store_dir: ${JSON.stringify(join(folder, "jetstream"))}
  max_memory_store: 64MB
${syncAlways ? "  sync_interval: always\n" : ""}}
`;
}

function mustSync(binary: string): void {
	const [major, minor, patch] = natsServerVersion(binary);
	if (major > 2 || (major === 2 && minor >= 10)) return;
	throw new Error(
		`SEGUE_DURABILITY=power needs a nats-server that syncs every message, 2.10 or later, and ${binary} is ${major}.${minor}.${patch}. Install a newer one, set SEGUE_STREAM=postgres, or set SEGUE_DURABILITY=process.`,
	);
}

async function clearLeftOver(folder: string, log: Log): Promise<void> {
	await stopLeftOver({
		name: "nats-server",
		pidFile: pidFileOf(folder),
		marks: ["nats-server", configOf(folder)],
		stopSignal: "SIGTERM",
		graceMs: GRACE_MS,
		log,
	});
	await rm(pidFileOf(folder), { force: true });
}

/** Whether the first line of a connection is that server's INFO, and JetStream is on. */
function greets(port: number, name: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		let heard = "";
		const answer = (yes: boolean) => {
			socket.destroy();
			resolve(yes);
		};
		socket.setTimeout(1_000, () => answer(false));
		socket.once("error", () => answer(false));
		socket.once("close", () => answer(false));
		socket.on("data", (chunk) => {
			heard += chunk.toString();
			if (heard.includes("\r\n"))
				answer(
					heard.includes(`"${name}"`) && heard.includes('"jetstream":true'),
				);
		});
	});
}

/** Whether JetStream's own API answers, and not that it is off. */
async function answersJetStream(
	port: number,
	timeout: number,
): Promise<boolean> {
	const connection = await connectNats({
		servers: `127.0.0.1:${port}`,
		reconnect: false,
		timeout,
	}).catch(() => null);
	if (connection === null) return false;
	try {
		const answer = await connection.request("$JS.API.INFO", "", {
			timeout,
		});
		return !("error" in answer.json<object>());
	} catch {
		return false;
	} finally {
		await connection.close();
	}
}
