import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { traceCalls } from "./system-calls.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Reads lines, and writes each. */
function startCat(): ChildProcess {
	const cat = spawn("cat");
	const ended = once(cat, "exit");
	cleanups.push(() => {
		cat.kill("SIGKILL");
		return ended;
	});
	return cat;
}

async function say(cat: ChildProcess, word: string): Promise<void> {
	const answer = once(cat.stdout as NodeJS.ReadableStream, "data");
	cat.stdin?.write(word);
	await answer;
}

test("calls that still run when the trace ends are told, with their arguments and without an end; who ended before it is left out", async (context) => {
	const folder = await mkdtemp(join(tmpdir(), "segue-calls-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	const cats = [startCat(), startCat(), startCat()];
	const pids = cats.map(({ pid }) => pid as number);
	const file = join(folder, "calls");
	const ended = spawn("true");
	await once(ended, "exit");
	const trace = await traceCalls([ended.pid as number, ...pids], file);
	if (typeof trace === "string") return context.skip(trace);
	for (const [i, cat] of cats.entries()) await say(cat, `word-${i}`);
	const lastOf = (lines: readonly string[], pid: number) =>
		lines.filter((line) => line.startsWith(`${pid} `)).at(-1);
	await expect
		.poll(
			async () => {
				const lines = (await readFile(file, "utf8")).split("\n");
				return pids.every((pid) => lastOf(lines, pid)?.includes(" read(0"));
			},
			{ timeout: 30_000 },
		)
		.toBe(true);
	const [gone] = cats as [ChildProcess];
	gone.stdin?.end();
	await once(gone, "exit");
	const calls = await trace.stop();
	for (const [i, pid] of pids.entries()) {
		const own = calls.filter((call) => call.pid === pid);
		expect(
			own.filter(({ text }) => /^write\(1/.test(text)).map(({ text }) => text),
		).toEqual([expect.stringContaining(`"word-${i}"`)]);
		const running = own.filter(({ ended }) => !Number.isFinite(ended));
		if (pid === gone.pid) expect(running).toEqual([]);
		else {
			expect(running).toHaveLength(1);
			expect(running[0]?.text).toMatch(/^read\(0/);
			expect(running[0]?.begun).toBeGreaterThan(own.at(-2)?.begun as number);
		}
	}
});
