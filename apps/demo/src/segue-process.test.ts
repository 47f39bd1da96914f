import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, closeConnections } from "./http.js";
import { SegueProcess } from "./segue-process.js";

const never = new AbortController().signal;
let folder = "";

/** A stand-in for Segue's main.js: what matters here is how it starts and ends. */
async function program(name: string, code: string): Promise<SegueProcess> {
	const file = join(folder, `${name}.mjs`);
	await writeFile(file, code);
	return SegueProcess.start(file);
}

const SERVES = `
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
const server = createServer((request, response) => request.url === "/crash" ? process.exit(9) : response.end("{}"));
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
	const { SEGUE_DATA, DATABASE_URL, NATS_URL } = process.env;
	const runtime = { pid: process.pid, url: "", natsUrl: NATS_URL ?? null, stream: DATABASE_URL ?? "postgres" };
	writeFileSync(SEGUE_DATA + "/runtime.json", JSON.stringify(runtime));
});`;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-demo-test-"));
});
afterAll(async () => {
	closeConnections();
	await rm(folder, { recursive: true, force: true });
});

describe("SegueProcess", () => {
	it("is ready when it answers, uses no database of the shell's, and leaves no process and no folder", async () => {
		process.env.DATABASE_URL = "postgres://127.0.0.1:1/not-this-one";
		process.env.NATS_URL = "nats://127.0.0.1:1";
		const segue = await program("serves", SERVES).finally(() => {
			delete process.env.DATABASE_URL;
			delete process.env.NATS_URL;
		});
		const runtime = await segue.ready(never);
		expect(runtime).toMatchObject({ natsUrl: null, stream: "postgres" });
		await Promise.all([segue.stop(), segue.stop()]);
		expect(() => process.kill(runtime.pid, 0)).toThrow("ESRCH");
		expect(existsSync(segue.folder)).toBe(false);
	});

	it("says with its last lines why it ended when nobody asked it to", async () => {
		const segue = await program(
			"dies",
			'console.log("no space left on device"); process.exitCode = 3;',
		);
		await expect(segue.ready(never)).rejects.toThrow(
			/^Segue ended before the demo was over \(code 3\)\. Its last lines:\nno space left on device$/,
		);
		await segue.stop();
		expect(existsSync(segue.folder)).toBe(false);
	});

	it("is named as the cause when its end broke a connection", async () => {
		const segue = await program("crashes", SERVES);
		await segue.ready(never);
		const broken = await call("GET", `${segue.url}/crash`).catch(
			(error: unknown) => error,
		);
		expect(broken).toBeInstanceOf(Error);
		const cause = await segue.causeOf(broken);
		expect(cause).toMatchObject({
			message: expect.stringContaining("(code 9)"),
		});
		await segue.stop();
	});

	it("is waited for no longer once the demo is interrupted", async () => {
		const segue = await program("never-ready", "setInterval(() => {}, 1000);");
		const interrupt = new AbortController();
		const waiting = expect(segue.ready(interrupt.signal)).rejects.toThrow(
			"interrupted",
		);
		interrupt.abort(new Error("interrupted"));
		await waiting;
		await segue.stop();
	});
});
