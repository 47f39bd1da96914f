import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { send } from "../client.js";
import { type Instance, startSegue } from "../segue.js";

const run = promisify(execFile);

/** A learner of the built apps that may die, stand still, and come back as the same: on its port, in its folder. */
export class Learner {
	#instance: Instance;

	private constructor(
		private readonly env: Readonly<Record<string, string>>,
		first: Instance,
	) {
		this.#instance = first;
	}

	static async start(env: Readonly<Record<string, string>>): Promise<Learner> {
		return new Learner(env, await startSegue({ app: "learner", env }));
	}

	get output(): string {
		return this.#instance.output();
	}

	/** Batches that it committed, as its metrics say. */
	async batches(): Promise<number> {
		const { body } = await send(this.#instance.url, "GET", "/metrics");
		return Number(/^segue_learner_batches_total (\d+)$/m.exec(body)?.[1] ?? 0);
	}

	get #child() {
		return this.#instance.process;
	}

	get runs(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null;
	}

	/** SIGKILL; also where it stands still. */
	async kill(): Promise<void> {
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
		this.#instance = await startSegue({
			app: "learner",
			env: this.env,
			port,
			folder,
		});
	}

	/** As an operator stops it; throws where it does not end well. */
	stop(): Promise<void> {
		return this.#instance.stop();
	}
}
