import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
	findNatsServer,
	freePort,
	startEmbeddedPostgres,
	startNatsServer,
} from "#adapters/embedded";
import { openJetStream } from "#adapters/stream";
import { nodeArgumentsOf } from "../support/npm-script.js";

const dist = fileURLToPath(new URL("../..", import.meta.url));
/** Room for all decisions of a whole benchmark of which no learner takes any, on a fast machine: a full stream has them refused. */
const STREAM_BYTES = 16 * 2 ** 30;
const quiet = { info() {}, warn() {}, error() {} };

/** Undone last-in-first-out, also at Ctrl-C. */
export class Undo {
	readonly #steps: (() => Promise<unknown>)[] = [];
	#running: Promise<void> | null = null;

	add(step: () => Promise<unknown>): void {
		this.#steps.push(step);
	}

	run(): Promise<void> {
		this.#running ??= (async () => {
			for (const step of this.#steps.reverse())
				await step().catch((error) => console.error(String(error)));
		})();
		return this.#running;
	}
}

/** Whatever starts is undone when `work` ends, fails, or is interrupted (then the exit code is 130). */
export async function withUndo<T>(
	work: (undo: Undo) => Promise<T>,
): Promise<T> {
	const undo = new Undo();
	const interrupted = () => void undo.run().then(() => process.exit(130));
	process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
	try {
		return await work(undo);
	} finally {
		await undo.run();
		process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
	}
}

export interface Servers {
	readonly folder: string;
	readonly databaseUrl: string;
	readonly natsUrl: string;
}

/** A PostgreSQL and a nats-server of the benchmark's own, in a temporary folder. */
export async function startServers(undo: Undo): Promise<Servers> {
	const binary = findNatsServer();
	if (binary === null)
		throw new Error(
			"There is no nats-server on PATH: run node scripts/ensure-nats-server.mjs first.",
		);
	const folder = await mkdtemp(join(tmpdir(), "segue-bench-"));
	undo.add(() => rm(folder, { recursive: true, force: true }));
	const postgres = await startEmbeddedPostgres({
		folder: join(folder, "postgres"),
		log: quiet,
	});
	undo.add(() => postgres.stop());
	const nats = await startNatsServer({
		folder: join(folder, "nats"),
		binary,
		log: quiet,
	});
	undo.add(() => nats.stop());
	const stream = await openJetStream({
		servers: nats.url,
		maxBytes: STREAM_BYTES,
	});
	await stream.close();
	return {
		folder,
		databaseUrl: postgres.connectionString,
		natsUrl: nats.url,
	};
}

export interface Running {
	readonly url: string;
	/** Asks the watch (watch.ts) inside the process; null where there is none. */
	ask(question: string): Promise<unknown>;
	stop(): Promise<void>;
}

interface NodeProgram {
	/** Below dist. */
	readonly program: string;
	readonly env: Readonly<Record<string, string>>;
	readonly port: number;
	/** Answers 200 once it is ready. */
	readonly ready: string;
	readonly nodeArguments?: readonly string[];
}

/** Starts a built program with the watch in it and resolves once it is ready. */
export async function startNode(
	{ program, env, port, ready, nodeArguments = [] }: NodeProgram,
	undo: Undo,
): Promise<Running> {
	const watch = new URL("./watch.js", import.meta.url).href;
	const child = spawn(
		process.execPath,
		["--import", watch, ...nodeArguments, join(dist, program)],
		{
			// A group of its own: Ctrl-C reaches it through the undo alone.
			detached: true,
			env: {
				PATH: process.env.PATH,
				HOME: process.env.HOME,
				...env,
			},
			stdio: ["ignore", "pipe", "pipe", "ipc"],
		},
	);
	let printed = "";
	for (const stream of [child.stdout, child.stderr])
		stream?.on("data", (chunk: Buffer) => {
			printed = (printed + chunk.toString()).slice(-20_000);
		});
	const exited = new Promise<void>((resolve) =>
		child.once("exit", () => resolve()),
	);
	const stop = async () => {
		child.kill("SIGTERM");
		await exited;
	};
	undo.add(stop);
	const url = `http://127.0.0.1:${port}`;
	await untilReady(child, `${url}${ready}`, () => printed);
	return { url, ask: (question) => askWatch(child, question), stop };
}

async function untilReady(
	child: ChildProcess,
	url: string,
	printed: () => string,
): Promise<void> {
	const deadline = Date.now() + 60_000;
	while (Date.now() < deadline) {
		if (child.exitCode !== null || child.signalCode !== null)
			throw new Error(`A server ended early:\n${printed()}`);
		const answer = await fetch(url).catch(() => null);
		if (answer?.status === 200) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${url} did not become ready:\n${printed()}`);
}

function askWatch(child: ChildProcess, question: string): Promise<unknown> {
	return new Promise((resolve) => {
		child.once("message", resolve);
		child.send(question);
	});
}

export async function startDecider(
	servers: Servers,
	undo: Undo,
	nodeArguments: readonly string[] = [],
): Promise<Running> {
	const port = await freePort();
	const env = {
		...environment(servers),
		PORT: String(port),
		SEGUE_DATA: join(servers.folder, "decider"),
	};
	return startNode(
		{
			program: "run/decider.js",
			env,
			port,
			ready: "/health/ready",
			nodeArguments: [...nodeArgumentsOf("start:decider"), ...nodeArguments],
		},
		undo,
	);
}

export async function startLearner(
	servers: Servers,
	undo: Undo,
): Promise<Running> {
	const port = await freePort();
	const env = {
		...environment(servers),
		SEGUE_LEARNER_PORT: String(port),
		SEGUE_DATA: join(servers.folder, "learner"),
	};
	return startNode(
		{
			program: "run/learner.js",
			env,
			port,
			ready: "/health/ready",
			nodeArguments: nodeArgumentsOf("start:learner"),
		},
		undo,
	);
}

/** @param answer the bytes it answers every decision with */
export async function startBareFastify(
	answer: string,
	undo: Undo,
): Promise<Running> {
	const port = await freePort();
	return startNode(
		{
			program: "bench/decide/bare-fastify.js",
			env: { PORT: String(port), ANSWER: answer },
			port,
			ready: "/ready",
		},
		undo,
	);
}

function environment({ databaseUrl, natsUrl }: Servers) {
	return {
		DATABASE_URL: databaseUrl,
		NATS_URL: natsUrl,
		SEGUE_DURABILITY: "process",
		LOG_LEVEL: "warn",
	};
}
