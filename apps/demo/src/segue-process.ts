import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environmentWith } from "#adapters/config";
import { freePort } from "#adapters/embedded";
import { ROOT } from "./catalogue.js";
import type { Runtime } from "./contract.js";

import { call } from "./http.js";

/** Time Segue has to be ready, and to finish after SIGTERM: milliseconds. */
const START = 60_000;
const STOP = 30_000;
const KEPT_LINES = 20;

/** A whole Segue of our own: the process `npm start` runs, on a free port, with its data in a temporary folder. */
export class SegueProcess {
	private readonly lastLines: string[] = [];
	private readonly exited: Promise<string>;
	private ended = false;
	private stopping: Promise<void> | null = null;

	private constructor(
		private readonly child: ChildProcess,
		readonly url: string,
		/** The data folder, by which the command line finds the instance. */
		readonly folder: string,
	) {
		for (const pipe of [child.stdout, child.stderr]) {
			pipe?.setEncoding("utf8").on("data", (text: string) => this.keep(text));
		}
		this.exited = new Promise((resolve) => {
			child.once("error", (error) => resolve(error.message));
			child.once("exit", (code, signal) =>
				resolve(signal ? `signal ${signal}` : `code ${code}`),
			);
		});
		void this.exited.then(() => {
			this.ended = true;
		});
	}

	/** @param main the built process, below the repository's root */
	static async start(main = "dist/run/segue.js"): Promise<SegueProcess> {
		const folder = await mkdtemp(join(tmpdir(), "segue-demo-"));
		const port = await freePort();
		// Its own database and stream, whatever the shell that runs the demo is set up for.
		const env = environmentWith({
			PORT: String(port),
			HOST: "127.0.0.1",
			SEGUE_DATA: folder,
			LOG_LEVEL: "info",
			DATABASE_URL: undefined,
			NATS_URL: undefined,
		});
		const child = spawn(process.execPath, [main], {
			cwd: ROOT,
			env,
			stdio: ["ignore", "pipe", "pipe"],
		});
		return new SegueProcess(child, `http://127.0.0.1:${port}`, folder);
	}

	/** Resolves when it answers; throws with its last log lines where it ends before, or is not ready in time. */
	async ready(signal: AbortSignal): Promise<Runtime> {
		const until = Date.now() + START;
		while (!(await this.answersReady())) {
			signal.throwIfAborted();
			if (this.ended) throw new Error(await this.epitaph());
			if (Date.now() > until)
				throw new Error(
					`Segue was not ready within ${START / 1000} s. ${this.lines()}`,
				);
			await sleep(50);
		}
		return JSON.parse(
			await readFile(join(this.folder, "runtime.json"), "utf8"),
		) as Runtime;
	}

	/** The true cause of a failure: its own untimely end where there was one (connections fail first), else the error itself. */
	async causeOf(error: unknown): Promise<unknown> {
		if (this.stopping !== null) return error;
		await Promise.race([this.exited, sleep(500, undefined, { ref: false })]);
		return this.ended ? new Error(await this.epitaph()) : error;
	}

	/** SIGTERM, waits until it and its children have ended, then removes the folder. Safe to call twice. */
	stop(): Promise<void> {
		this.stopping ??= this.end();
		return this.stopping;
	}

	private async end(): Promise<void> {
		this.child.kill("SIGTERM");
		const inTime = await Promise.race([
			this.exited.then(() => true),
			sleep(STOP, false, { ref: false }),
		]);
		if (!inTime) {
			this.child.kill("SIGKILL");
			throw new Error(
				`Segue did not end within ${STOP / 1000} s of SIGTERM; its data stays in ${this.folder}. ${this.lines()}`,
			);
		}
		await rm(this.folder, {
			recursive: true,
			force: true,
			maxRetries: 5,
			retryDelay: 200,
		});
	}

	private async answersReady(): Promise<boolean> {
		try {
			return (await call("GET", `${this.url}/health/ready`)).status === 200;
		} catch {
			return false;
		}
	}

	private async epitaph(): Promise<string> {
		return `Segue ended before the demo was over (${await this.exited}). ${this.lines()}`;
	}

	private lines(): string {
		return this.lastLines.length === 0
			? "It logged nothing."
			: `Its last lines:\n${this.lastLines.join("\n")}`;
	}

	private keep(text: string): void {
		this.lastLines.push(...text.split("\n").filter((line) => line !== ""));
		this.lastLines.splice(0, Math.max(0, this.lastLines.length - KEPT_LINES));
	}
}
