import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.js";

/** A nats-server of the test's own, which it may kill, freeze and bring back on the same port. */
export class NatsProcess {
	readonly url: string;
	readonly #port: number;
	readonly #store: string;
	#child: ChildProcess | null = null;

	private constructor(port: number, store: string) {
		this.#port = port;
		this.#store = store;
		this.url = `nats://127.0.0.1:${port}`;
	}

	static async start(): Promise<NatsProcess> {
		const server = new NatsProcess(
			await freePort(),
			await mkdtemp(join(tmpdir(), "segue-nats-")),
		);
		await server.revive();
		return server;
	}

	async revive(): Promise<void> {
		const options = [
			"-js",
			"-a",
			"127.0.0.1",
			"-p",
			`${this.#port}`,
			"-sd",
			this.#store,
		];
		this.#child = spawn("nats-server", options, { stdio: "ignore" });
		await eventually(() => knock(this.#port));
	}

	async kill(): Promise<void> {
		const child = this.#child;
		this.#child = null;
		if (child === null) return;
		const gone = once(child, "exit");
		child.kill("SIGKILL");
		await gone;
	}

	freeze(): void {
		this.#child?.kill("SIGSTOP");
	}

	thaw(): void {
		this.#child?.kill("SIGCONT");
	}

	/** Between a kill and a revive: all that was stored is gone. */
	async forget(): Promise<void> {
		await rm(this.#store, { recursive: true, force: true });
	}

	async stop(): Promise<void> {
		await this.kill();
		await this.forget();
	}
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	server.close();
	await once(server, "close");
	return typeof address === "object" && address !== null ? address.port : 0;
}

async function knock(port: number): Promise<void> {
	const socket = connect(port, "127.0.0.1");
	try {
		await once(socket, "connect");
	} finally {
		socket.destroy();
	}
}
