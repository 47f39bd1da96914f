import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, test } from "vitest";
import { findNatsServer, startNatsServer } from "#adapters/embedded";
import { answering, silent } from "../support/embedded.js";
import { LONG } from "../support/faults/form.js";
import { mountSmallDisk } from "../support/small-disk.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connected(url: string) {
	const connection = await connect({ servers: url, reconnect: false });
	cleanups.push(() => connection.close());
	const { streams } = await jetstreamManager(connection);
	return { streams, stream: jetstream(connection) };
}

describe("a nats-server that Segue runs itself", () => {
	// To give up on one that does not answer takes long: the long form alone.
	test.runIf(LONG)(
		"serves again, with what it had stored, once its full disk has room: nobody starts it",
		async (context) => {
			const folder = await mkdtemp(join(tmpdir(), "segue-nats-"));
			cleanups.push(() => rm(folder, { recursive: true, force: true }));
			const disk = await mountSmallDisk(join(folder, "jetstream"), 16);
			if (typeof disk === "string") return context.skip(disk);
			cleanups.push(() => disk.remove());
			const child = await startNatsServer({
				folder,
				binary: findNatsServer() ?? "nats-server",
				log: silent,
				askEveryMs: 500,
			});
			cleanups.push(() => child.stop());
			const first = await connected(child.url);
			await first.streams.add({ name: "KEPT", subjects: ["kept"] });
			const { pid } = child;
			let stored = 0;
			for (let isStored = true; isStored; ) {
				if (stored === 5) await disk.fill(64 * 1_024);
				isStored = await first.stream
					.publish("kept", new Uint8Array(20_000), { timeout: 1_000 })
					.then(
						() => true,
						() => false,
					);
				if (isStored) stored += 1;
			}
			await answering(async () => expect(child.pid).not.toBe(pid));
			await disk.empty();
			const kept = await answering(async () =>
				(await connected(child.url)).streams.info("KEPT"),
			);
			expect(kept.state.messages).toBeGreaterThanOrEqual(stored);
			expect(stored).toBeGreaterThanOrEqual(5);
		},
	);
});
