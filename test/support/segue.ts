import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "#adapters/embedded";
import { nodeArgumentsOf } from "../../bench/support/npm-script.js";

export { freePort };

const root = fileURLToPath(new URL("../../", import.meta.url));

export type App = "segue" | "decider" | "learner";

export interface Instance {
	readonly url: string;
	readonly port: number;
	readonly folder: string;
	readonly process: ChildProcess;
	/** Everything it printed. */
	readonly output: () => string;
	/** Resolves with exit code and signal. */
	readonly exited: Promise<{
		code: number | null;
		signal: NodeJS.Signals | null;
	}>;
	/** SIGTERM, waits; throws when it did not exit 0. */
	stop(): Promise<void>;
	/** SIGKILL to the one process, waits. */
	kill(): Promise<void>;
}

export interface StartOptions {
	readonly app?: App;
	readonly env?: Readonly<Record<string, string>>;
	/** Data folder to go on with; a new temporary one otherwise, removed at stop. */
	readonly folder?: string;
	readonly port?: number;
}

/** Starts a built app as its own process, as npm does, and waits until it says ready. */
export async function startSegue(
	options: StartOptions = {},
): Promise<Instance> {
	const app = options.app ?? "segue";
	const port = options.port ?? (await freePort());
	const folder =
		options.folder ?? (await mkdtemp(join(tmpdir(), "segue-test-")));
	const program = join(root, `dist/run/${app}.js`);
	const given = nodeArgumentsOf(app === "segue" ? "start" : `start:${app}`);
	const child = spawn(process.execPath, [...given, program], {
		cwd: root,
		env: {
			PATH: process.env.PATH,
			HOME: process.env.HOME,
			LOG_LEVEL: "info",
			...(app === "learner"
				? { SEGUE_LEARNER_PORT: String(port) }
				: { PORT: String(port) }),
			SEGUE_DATA: folder,
			...options.env,
		},
		stdio: ["ignore", "pipe", "pipe"],
	});
	let printed = "";
	for (const stream of [child.stdout, child.stderr])
		stream?.on("data", (chunk: Buffer) => {
			printed = (printed + chunk.toString()).slice(-200_000);
		});
	const exited = new Promise<{
		code: number | null;
		signal: NodeJS.Signals | null;
	}>((resolve) =>
		child.once("exit", (code, signal) => resolve({ code, signal })),
	);
	const url = `http://127.0.0.1:${port}`;
	try {
		await waitFor(
			async () => {
				if (child.exitCode !== null || child.signalCode !== null)
					throw new Error(`${app} ended early:\n${printed}`);
				return (await fetch(`${url}/health/ready`)).status === 200;
			},
			90_000,
			() => `${app} did not become ready:\n${printed}`,
		);
	} catch (error) {
		// Its children must not outlive the test that could not use it.
		child.kill("SIGTERM");
		await exited;
		throw error;
	}
	const clean = () =>
		options.folder
			? Promise.resolve()
			: rm(folder, { recursive: true, force: true });
	return {
		url,
		port,
		folder,
		process: child,
		output: () => printed,
		exited,
		async stop() {
			child.kill("SIGTERM");
			const { code, signal } = await exited;
			await clean();
			if (code !== 0)
				throw new Error(`${app} ended with ${code ?? signal}:\n${printed}`);
		},
		async kill() {
			child.kill("SIGKILL");
			await exited;
		},
	};
}

/** Asks again every 50 ms until `holds` is true; a throw from a refused connection counts as not yet. */
export async function waitFor(
	holds: () => Promise<boolean> | boolean,
	withinMs: number,
	otherwise: () => string,
): Promise<void> {
	const deadline = Date.now() + withinMs;
	while (Date.now() < deadline) {
		try {
			if (await holds()) return;
		} catch (error) {
			if (error instanceof Error && error.message.includes("ended early"))
				throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(otherwise());
}

/** What an instance wrote into its runtime file. */
export async function runtimeOf(folder: string): Promise<{
	pid: number;
	url: string;
	databaseUrl: string;
	natsUrl: string | null;
	stream: string;
}> {
	const file = join(folder, "runtime.json");
	// Written once the door is open, so whoever found it open may come a little early.
	await waitFor(
		() => existsSync(file),
		10_000,
		() => `There is no ${file}.`,
	);
	return JSON.parse(await readFile(file, "utf8"));
}

/** Runs the built command line and returns what it printed. */
export async function segueCli(
	args: readonly string[],
	env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
	const child = spawn(
		process.execPath,
		[join(root, "dist/run/cli.js"), ...args],
		{
			cwd: root,
			env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
			stdio: ["ignore", "pipe", "pipe"],
		},
	);
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (chunk: Buffer) => {
		stdout += chunk.toString();
	});
	child.stderr.on("data", (chunk: Buffer) => {
		stderr += chunk.toString();
	});
	const code = await new Promise<number | null>((resolve) =>
		child.once("close", resolve),
	);
	return { code, stdout, stderr };
}
