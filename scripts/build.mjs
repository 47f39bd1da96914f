// Builds dist where it is missing or older than its sources. Says nothing on stdout, which belongs to what is started.
import { spawn } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...path) => join(root, ...path);
const SOURCES = [
	"apps",
	"libs",
	"bench",
	"tsconfig.json",
	"tsconfig.build.json",
	"nest-cli.json",
	"package.json",
	"package-lock.json",
	"scripts",
];
const STAMP = at("dist", ".built");
const NEST = at("node_modules", ".bin", "nest");
const CACHE = at("node_modules", ".cache", "segue");
const LOCK = join(CACHE, "build.lock");

/** Newest change below a path, in ms; a folder's own time tells of files that were removed. */
function newest(path) {
	if (path.endsWith(".test.ts") || !existsSync(path)) return 0;
	const stat = statSync(path);
	if (!stat.isDirectory()) return stat.mtimeMs;
	return readdirSync(path).reduce(
		(most, name) => Math.max(most, newest(join(path, name))),
		stat.mtimeMs,
	);
}

function isStale() {
	if (!existsSync(STAMP)) return true;
	return (
		Math.max(...SOURCES.map((source) => newest(at(source)))) >
		statSync(STAMP).mtimeMs
	);
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === "EPERM";
	}
}

/** A build that was killed leaves its lock, perhaps before it wrote its id. */
function isLeftOver() {
	try {
		const holder = Number(readFileSync(LOCK, "utf8"));
		const age = Date.now() - statSync(LOCK).mtimeMs;
		return holder > 0 ? !isAlive(holder) : age > 10_000;
	} catch {
		return false; // It was given back just now.
	}
}

/** One build at a time in a checkout: two would write into each other's files. */
async function locked(work) {
	mkdirSync(CACHE, { recursive: true });
	for (;;) {
		try {
			writeFileSync(LOCK, String(process.pid), { flag: "wx" });
			break;
		} catch (error) {
			if (error.code !== "EEXIST") throw error;
			if (isLeftOver()) rmSync(LOCK, { force: true });
			else await sleep(100);
		}
	}
	try {
		return await work();
	} finally {
		rmSync(LOCK, { force: true });
	}
}

/** A signal during the build ends the compiler too; nothing is in flight yet. */
function compile() {
	const child = spawn(NEST, ["build"], { cwd: root, stdio: ["ignore", 2, 2] });
	const stop = () => {
		child.kill();
		rmSync(LOCK, { force: true });
		process.exit(0);
	};
	process.on("SIGTERM", stop).on("SIGINT", stop);
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("exit", (code, signal) => resolve(code ?? signal));
	}).finally(() => process.off("SIGTERM", stop).off("SIGINT", stop));
}

/** Resolves to true once dist is as new as its sources; false, with the compiler's words on stderr, where it cannot be built. */
export async function buildIfStale() {
	if (!existsSync(NEST)) {
		if (existsSync(at("dist", "run"))) return true;
		console.error(
			"There is no dist and nothing to build it with: run npm ci (with development dependencies) first.",
		);
		return false;
	}
	if (!isStale()) return true;
	return locked(async () => {
		if (!isStale()) return true;
		const startedAt = new Date();
		console.error("Building …");
		const outcome = await compile();
		if (outcome !== 0) {
			console.error(
				`The build failed (${outcome}): the compiler's words are above.`,
			);
			return false;
		}
		try {
			const { bundle } = await import("./bundle.mjs");
			await bundle(root);
		} catch (error) {
			console.error(
				`The apps were compiled, but not bundled:\n${error.message}`,
			);
			return false;
		}
		writeFileSync(STAMP, "");
		// What changed while the compiler ran counts as newer.
		utimesSync(STAMP, startedAt, startedAt);
		return true;
	});
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	if (!(await buildIfStale())) process.exitCode = 1;
}
