import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "libs/adapters/embedded/src");

export const silent = {
	info: () => undefined,
	warn: () => undefined,
	error: () => undefined,
};

/** Whether a process of that id runs and is not a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
	try {
		process.kill(pid, 0);
	} catch {
		return false;
	}
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
	return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
}

/** Asks every 50 ms until there is an answer; the test's own time limit bounds it. */
export async function answering<T>(ask: () => Promise<T>): Promise<T> {
	for (;;) {
		try {
			return await ask();
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
}

/**
 * Starts an embedded server from a Node process of its own, kills that process with SIGKILL once the
 * server answers, and returns the id of the server, which is left running.
 */
export async function startAndKillParent(
	start: "startEmbeddedPostgres" | "startNatsServer",
	options: object,
): Promise<number> {
	const folder = await compile();
	try {
		const script = `
			const { ${start} } = await import(${JSON.stringify(join(folder, "index.js"))});
			const log = { info() {}, warn() {}, error() {} };
			const child = await ${start}({ ...${JSON.stringify(options)}, log });
			console.log(child.pid);`;
		const parent = spawn(
			process.execPath,
			["--input-type=module", "-e", script],
			{ cwd: root, stdio: ["ignore", "pipe", "inherit"] },
		);
		const [said] = (await once(parent.stdout, "data")) as [Buffer];
		const ended = once(parent, "exit");
		parent.kill("SIGKILL");
		await ended;
		return Number(said.toString());
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** The lib as JavaScript, below node_modules, where its packages are found. */
async function compile(): Promise<string> {
	const cache = join(root, "node_modules/.cache/segue");
	await mkdir(cache, { recursive: true });
	const folder = await mkdtemp(join(cache, "embedded-"));
	await writeFile(join(folder, "package.json"), '{"type":"module"}');
	for (const name of await readdir(source)) {
		if (name.endsWith(".test.ts")) continue;
		const text = await readFile(join(source, name), "utf8");
		const { outputText } = ts.transpileModule(text, {
			compilerOptions: {
				module: ts.ModuleKind.ESNext,
				target: ts.ScriptTarget.ES2022,
				verbatimModuleSyntax: true,
			},
		});
		await writeFile(join(folder, name.replace(/\.ts$/, ".js")), outputText);
	}
	return folder;
}
