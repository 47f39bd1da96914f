// Builds dist where it is missing or older than its sources. Says nothing on stdout, which belongs to what is started.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
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
	// Written at each install: what was bundled may no longer be what is installed.
	"node_modules/.package-lock.json",
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

/** Each in a process of its own, whose words go to stderr: this one may become the app. Rejects with a sentence. */
async function compileAndBundle(stopped) {
	const run = (command, ...args) => {
		const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
		stopped.addEventListener("abort", () => child.kill());
		return new Promise((resolve, reject) => {
			child.once("error", reject);
			child.once("exit", (code, signal) => resolve(code ?? signal));
		});
	};
	const compiled = await run(NEST, "build");
	if (compiled !== 0)
		throw new Error(
			`The build failed (${compiled}): the compiler's words are above.`,
		);
	const bundled = await run(process.execPath, at("scripts", "bundle.mjs"));
	if (bundled !== 0)
		throw new Error(
			`The apps were compiled, but not bundled (${bundled}), for the reason above. Where rolldown is missing, run npm ci with development and optional dependencies; an import that is meant to be missing is listed in scripts/bundle.mjs.`,
		);
}

/** A signal during the build ends the compiler too; nothing is in flight yet. */
async function untilSignal(work) {
	const signal = new AbortController();
	const stop = () => {
		signal.abort();
		rmSync(LOCK, { force: true });
		process.exit(0);
	};
	process.on("SIGTERM", stop).on("SIGINT", stop);
	try {
		return await work(signal.signal);
	} finally {
		process.off("SIGTERM", stop).off("SIGINT", stop);
	}
}

/** Of the lock, which says what was bundled; empty where there is none, as in a published package. */
function hashOfLock() {
	const lock = at("package-lock.json");
	if (!existsSync(lock)) return "";
	return createHash("sha256").update(readFileSync(lock)).digest("hex");
}

/** Whether what was built elsewhere can be run; says why not. */
function canRunAsItIs() {
	if (!existsSync(at("dist", "run"))) {
		console.error(
			"There is no dist and nothing to build it with: run npm ci (with development dependencies) first.",
		);
		return false;
	}
	const lock = hashOfLock();
	const bundled = existsSync(STAMP) ? readFileSync(STAMP, "utf8") : "";
	if (lock === "" || lock === bundled) return true;
	console.error(
		"dist was bundled with other packages than package-lock.json names, and there is nothing to build it with: run npm ci && npm run build where development dependencies are installed, and bring dist from there.",
	);
	return false;
}

/** Resolves to true once dist is as new as its sources; false, with words on stderr, where it cannot be built. */
export async function buildIfStale() {
	if (!existsSync(NEST)) return canRunAsItIs();
	if (!isStale()) return true;
	return locked(async () => {
		if (!isStale()) return true;
		const startedAt = new Date();
		console.error("Building …");
		const lock = hashOfLock();
		try {
			await untilSignal(compileAndBundle);
		} catch (error) {
			console.error(error.message);
			return false;
		}
		writeFileSync(STAMP, lock);
		// What changed while the compiler ran counts as newer.
		utimesSync(STAMP, startedAt, startedAt);
		return true;
	});
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	if (!(await buildIfStale())) process.exitCode = 1;
}
