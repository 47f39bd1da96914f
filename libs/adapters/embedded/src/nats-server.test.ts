import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	answering,
	isRunning,
	silent,
	startAndKillParent,
} from "../../../../test/support/embedded.js";
import {
	findNatsServer,
	type NatsChild,
	natsServerVersion,
	startNatsServer,
} from "./nats-server.js";

const binary = findNatsServer() ?? "nats-server";
let home: string;
let started: NatsChild[];
beforeEach(async () => {
	started = [];
	home = await mkdtemp(join(tmpdir(), "segue-nats-"));
});
afterEach(async () => {
	await Promise.all(started.map((child) => child.stop()));
	await rm(home, { recursive: true, force: true });
});

async function start(folder = join(home, "nats")): Promise<NatsChild> {
	const child = await startNatsServer({ folder, binary, log: silent });
	started.push(child);
	return child;
}

async function withStreams<T>(
	url: string,
	work: (
		streams: Awaited<ReturnType<typeof jetstreamManager>>["streams"],
	) => Promise<T>,
): Promise<T> {
	const connection = await connect({ servers: url, reconnect: false });
	try {
		return await work((await jetstreamManager(connection)).streams);
	} finally {
		await connection.close();
	}
}

describe("startNatsServer", () => {
	it("serves JetStream on loopback and keeps streams and port over a stop and a start", async () => {
		const first = await start();
		expect(first.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
		await withStreams(first.url, (streams) =>
			streams.add({ name: "KEPT", subjects: ["kept.>"] }),
		);
		const { pid } = first;
		await first.stop();
		expect(await isRunning(pid)).toBe(false);
		const second = await start();
		expect(second.url).toBe(first.url);
		const kept = await withStreams(second.url, (streams) =>
			streams.info("KEPT"),
		);
		expect(kept.config.subjects).toEqual(["kept.>"]);
	});

	it("starts it again on the same port when it is killed", async () => {
		const child = await start();
		const before = child.pid;
		process.kill(before, "SIGKILL");
		await answering(async () => expect(child.pid).not.toBe(before));
		await withStreams(child.url, (streams) => streams.list().next());
	});

	it("replaces, never doubles, the one that a killed Segue left running", async () => {
		const folder = join(home, "nats");
		const leftOver = await startAndKillParent("startNatsServer", {
			folder,
			binary,
		});
		expect(await isRunning(leftOver)).toBe(true);
		const child = await start(folder);
		expect(await isRunning(leftOver)).toBe(false);
		await withStreams(child.url, (streams) => streams.list().next());
	});

	it("runs two side by side", async () => {
		const [one, other] = await Promise.all([
			start(join(home, "one")),
			start(join(home, "other")),
		]);
		await withStreams(one.url, (streams) =>
			streams.add({ name: "MINE", subjects: ["mine"] }),
		);
		const names = await withStreams(other.url, (streams) =>
			streams.names().next(),
		);
		expect(names).toEqual([]);
	});

	it("refuses to promise syncing where the server cannot, naming what to do", async () => {
		const [major, minor] = natsServerVersion(binary);
		const asked = startNatsServer({
			folder: join(home, "nats"),
			binary,
			log: silent,
			syncAlways: true,
		});
		if (major === 2 && minor < 10)
			await expect(asked).rejects.toThrow(/2\.10 or later/);
		else started.push(await asked);
	});

	it("says which program could not be started", async () => {
		await expect(
			startNatsServer({
				folder: join(home, "nats"),
				binary: "/nowhere/nats-server",
				log: silent,
			}),
		).rejects.toThrow("/nowhere/nats-server");
	});
});
