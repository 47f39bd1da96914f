import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { findNatsServer, natsServerVersion } from "#adapters/embedded";
import {
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { startNats } from "../support/nats-server.js";
import { freePort, runtimeOf, startSegue, waitFor } from "../support/segue.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Processes whose command line names the folder. */
async function processesOf(folder: string): Promise<string[]> {
	const child = spawn("ps", ["-eo", "pid,args"]);
	let text = "";
	child.stdout.on("data", (chunk: Buffer) => {
		text += chunk.toString();
	});
	await new Promise((resolve) => child.once("close", resolve));
	return text.split("\n").filter((line) => line.includes(folder));
}

test("the first log lines say which database, stream and durability are in use, and where the data lies", async () => {
	const instance = await startSegue();
	cleanups.push(() => instance.stop());
	const first = instance.output().split("\n").slice(0, 12).join("\n");
	expect(first).toMatch(/embedded PostgreSQL/i);
	expect(first).toMatch(/nats:\/\/127\.0\.0\.1:\d+/);
	expect(first).toMatch(/process/);
	expect(first).toContain(instance.folder);
	expect(first).not.toMatch(/postgres:\/\/[^:]+:[^*@]+@/);
});

test.each(["SIGTERM", "SIGINT"] as const)(
	"npm start ends with exit code 0 and leaves nothing behind when its process group gets %s twice",
	{
		timeout: 90_000,
	},
	async (signal) => {
		const folder = await mkdtemp(join(tmpdir(), "segue-npm-"));
		cleanups.push(() => rm(folder, { recursive: true, force: true }));
		const port = await freePort();
		const npm = spawn("npm", ["start"], {
			detached: true,
			env: { ...process.env, PORT: String(port), SEGUE_DATA: folder },
			stdio: ["ignore", "pipe", "pipe"],
		});
		let printed = "";
		npm.stdout.on("data", (chunk: Buffer) => {
			printed += chunk.toString();
		});
		npm.stderr.on("data", (chunk: Buffer) => {
			printed += chunk.toString();
		});
		const exited = new Promise<number | null>((resolve) =>
			npm.once("exit", resolve),
		);
		const url = `http://127.0.0.1:${port}`;
		await waitFor(
			async () => (await fetch(`${url}/health/ready`)).status === 200,
			60_000,
			() => printed,
		);
		process.kill(-(npm.pid as number), signal);
		await new Promise((resolve) => setTimeout(resolve, 300));
		try {
			process.kill(-(npm.pid as number), signal);
		} catch {
			// Already gone.
		}
		expect(await exited, printed).toBe(0);
		expect(await processesOf(folder)).toEqual([]);
	},
);

test("two instances with other ports and folders run side by side", {
	timeout: 60_000,
}, async () => {
	const [one, two] = await Promise.all([startSegue(), startSegue()]);
	cleanups.push(
		() => one.stop(),
		() => two.stop(),
	);
	await runExperiment(one.url, sampleExperiment);
	expect(
		(await send(one.url, "POST", "/v1/decisions", sampleRequest(1))).status,
	).toBe(200);
	expect(
		(await send(two.url, "POST", "/v1/decisions", sampleRequest(1))).status,
	).toBe(404);
});

test("a second Segue on the same data folder stops with one sentence that names it", {
	timeout: 60_000,
}, async () => {
	const instance = await startSegue();
	cleanups.push(() => instance.stop());
	await expect(startSegue({ folder: instance.folder })).rejects.toThrow(
		instance.folder,
	);
	expect((await fetch(`${instance.url}/health/ready`)).status).toBe(200);
});

test("after kill -9 of Segue alone, the next start takes care of the children left running", {
	timeout: 60_000,
}, async () => {
	const first = await startSegue();
	const { folder } = first;
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	await runExperiment(first.url, sampleExperiment);
	const { body } = await send(
		first.url,
		"POST",
		"/v1/decisions",
		sampleRequest(1),
	);
	await first.kill();
	const second = await startSegue({ folder });
	expect(
		(await send(second.url, "GET", `/v1/decisions/${body.decisionId}`)).status,
	).toBe(200);
	const servers = (await processesOf(folder)).filter((line) =>
		/nats-server/.test(line),
	);
	expect(servers.length).toBeLessThanOrEqual(1);
	await second.stop();
	expect(await processesOf(folder)).toEqual([]);
});

test("it starts below a folder of mode 0700", { timeout: 60_000 }, async () => {
	const outer = await mkdtemp(join(tmpdir(), "segue-private-"));
	cleanups.push(() => rm(outer, { recursive: true, force: true }));
	const folder = join(outer, "data");
	await mkdir(folder, { mode: 0o700 });
	const instance = await startSegue({ folder });
	const { databaseUrl } = await runtimeOf(folder);
	expect(databaseUrl).toContain("127.0.0.1");
	await instance.stop();
});

test("configuration mistakes are all named at once", async () => {
	await expect(
		startSegue({
			env: { SEGUE_DURABILITY: "iron", SEGUE_DECIDE_DEADLINE_MS: "-1" },
		}),
	).rejects.toThrow(
		/SEGUE_DURABILITY[\s\S]*SEGUE_DECIDE_DEADLINE_MS|SEGUE_DECIDE_DEADLINE_MS[\s\S]*SEGUE_DURABILITY/,
	);
});

test("durability power is refused where the broker cannot give it, and said where it can", {
	timeout: 60_000,
}, async () => {
	const starting = startSegue({ env: { SEGUE_DURABILITY: "power" } });
	const binary = findNatsServer();
	const [major, minor] = natsServerVersion(binary as string);
	if (major === 2 && minor < 10) {
		await expect(starting).rejects.toThrow(/2\.10 or later/);
		return;
	}
	const instance = await starting;
	cleanups.push(() => instance.stop());
	expect(instance.output()).toContain("durability: power");
});

test("a decision that no learner has stored yet is found by its decider, also after a kill -9 and a restart", {
	timeout: 90_000,
}, async () => {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	const database = await createTestDatabase();
	cleanups.push(() => database.drop());
	const env = {
		DATABASE_URL: database.connectionString,
		NATS_URL: nats.url,
	};
	const first = await startSegue({ app: "decider", env });
	const { folder } = first;
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	await runExperiment(first.url, sampleExperiment);
	const { body } = await send(
		first.url,
		"POST",
		"/v1/decisions",
		sampleRequest(1),
	);
	const path = `/v1/decisions/${body.decisionId}`;
	expect((await send(first.url, "GET", path)).body.learned).toBeNull();
	await first.kill();
	const second = await startSegue({ app: "decider", env, folder });
	cleanups.push(() => second.stop());
	const found = await send(second.url, "GET", path);
	expect(found.status, JSON.stringify(found.body)).toBe(200);
	expect(found.body).toMatchObject({ arm: body.arm, learned: null });
});

test("a part that hangs is left, named, and the exit code says so", {
	timeout: 60_000,
}, async () => {
	const built = new URL(
		"../../dist/apps/boot/src/shutdown.js",
		import.meta.url,
	);
	const script = `
		import { endOnSignal, Shutdown } from ${JSON.stringify(built.href)};
		const words = { failed: console.error, late: (step) => console.log(step + " is late") };
		const shutdown = new Shutdown(words, { stepMs: 200, wholeMs: 400, leastMs: 1 });
		shutdown.add("the first", async () => console.log("the first is undone"));
		shutdown.add("the second", () => new Promise(() => {}));
		endOnSignal(shutdown, () => {});
		console.log("up");
		setInterval(() => {}, 1_000);
	`;
	const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
	cleanups.push(async () => child.kill("SIGKILL"));
	let printed = "";
	child.stdout.on("data", (chunk: Buffer) => {
		printed += chunk.toString();
		if (printed === "up\n") child.kill("SIGTERM");
	});
	const code = await new Promise((resolve) => child.once("close", resolve));
	expect(printed).toBe("up\nthe second is late\nthe first is undone\n");
	expect(code).toBe(1);
});
