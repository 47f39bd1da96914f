import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { send } from "../client.js";
import { type App, type Instance, startSegue } from "../segue.js";

const run = promisify(execFile);

/** A process of the built apps that may die, stand still, and come back as the same: on its port, in its folder. */
export class Part {
	#instance: Instance;
	#ready = true;
	/** Of the processes that ended. */
	#printed = "";

	constructor(
		private readonly app: App,
		private readonly env: Readonly<Record<string, string>>,
		first: Instance,
	) {
		this.#instance = first;
	}

	/** Of all its processes so far. */
	get output(): string {
		return this.#printed + this.#instance.output();
	}

	get url(): string {
		return this.#instance.url;
	}

	/** Whether whoever spreads requests would send it some: not from its end until it said that it is ready. */
	get ready(): boolean {
		return this.#ready;
	}

	/** Null where it has no such line. */
	async metric(name: string): Promise<number | null> {
		const { body } = await send(this.url, "GET", "/metrics");
		const line = String(body)
			.split("\n")
			.find((one) => one.startsWith(`${name} `));
		return line === undefined ? null : Number(line.split(" ").at(-1));
	}

	get #child() {
		return this.#instance.process;
	}

	get runs(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null;
	}

	/** SIGKILL; also where it stands still. */
	async kill(): Promise<void> {
		this.#ready = false;
		if (this.runs) await this.#instance.kill();
	}

	/** SIGSTOP, until it stands still: a signal is on its way for a while. */
	async pause(): Promise<void> {
		this.#child.kill("SIGSTOP");
		for (;;) {
			const pid = String(this.#child.pid);
			const { stdout } = await run("ps", ["-o", "stat=", "-p", pid]);
			if (/^T/i.test(stdout.trim())) return;
		}
	}

	resume(): void {
		this.#child.kill("SIGCONT");
	}

	/** After its end; until it is ready. */
	async startAgain(): Promise<void> {
		const { port, folder } = this.#instance;
		const { app, env } = this;
		const instance = await startSegue({ app, env, port, folder });
		this.#printed = this.output;
		this.#instance = instance;
		this.#ready = true;
	}

	/** As an operator stops it; throws where it does not end well. */
	stop(): Promise<void> {
		return this.#instance.stop();
	}
}
