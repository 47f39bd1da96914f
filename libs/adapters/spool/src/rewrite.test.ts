import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryBroker, MemoryErasure } from "#adapters/memory";
import { EraseUnit } from "#usecases/erasing";
import type { Spool } from "#usecases/ingesting";
import { mountSmallDisk } from "../../../../test/support/small-disk.js";
import { openSpool } from "./index.js";

const ENTRIES = 60;
const GOES = "the-unit-that-goes";
const STAYS = "the-unit-that-stays";

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-rewrite-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(at = folder): Promise<Spool> {
	const spool = await openSpool({ folder: at, maxBytes: 256 * 1_024 });
	cleanups.push(() => spool.close());
	return spool;
}

/** Packs of events, every third of the unit that goes, the first five of them drained. */
async function fill(spool: Spool): Promise<void> {
	for (let i = 0; i < ENTRIES; i++) {
		const unit = i % 3 === 0 ? GOES : STAYS;
		const events = [{ id: `e${i}`, unit, note: "x".repeat(2_000) }];
		await spool.append({
			subject: "segue.events._pack",
			messageId: `m${i}`,
			body: new TextEncoder().encode(JSON.stringify({ events })),
		});
	}
	await spool.drop(5);
}

const emptied = new TextEncoder().encode('{"events":[]}');
const without = (body: Uint8Array) =>
	Buffer.from(body).includes(GOES) ? emptied : body;

async function contents(spool: Spool) {
	const ids: string[] = [];
	let held = 0;
	for await (const { messageId, body } of spool.entries()) {
		ids.push(messageId);
		if (Buffer.from(body).includes(GOES)) held += 1;
	}
	return { ids, held };
}

const expected = Array.from({ length: ENTRIES - 5 }, (_, i) => `m${i + 5}`);

const copyOf = async (from: string, files: (name: string) => boolean) => {
	const to = await mkdtemp(join(tmpdir(), "segue-rewrite-"));
	cleanups.push(() => rm(to, { recursive: true, force: true }));
	for (const file of (await readdir(from)).filter(files))
		await cp(join(from, file), join(to, file));
	return to;
};

test("a rewriting that is killed loses nothing: before the place of reading moved it is as if it had not begun, after that it is done", async () => {
	const spool = await open();
	await fill(spool);
	const data = (name: string) => name !== "lock";
	const before = await copyOf(folder, data);
	await spool.rewrite(without);
	const segments = (name: string) => name.endsWith(".spool");
	const fresh = (await readdir(folder)).filter(segments);
	for (const moved of [false, true]) {
		const killed = await copyOf(before, data);
		for (const file of moved ? [...fresh, "position"] : fresh)
			await cp(join(folder, file), join(killed, file));
		const again = await open(killed);
		const { ids, held } = await contents(again);
		expect(ids).toEqual(moved ? expected : [...expected, ...expected]);
		expect(held > 0).toBe(!moved);
		await again.rewrite(without);
		expect(await contents(again)).toEqual({ ids, held: 0 });
		await again.drop(ids.length);
		expect((await readdir(killed)).filter(segments)).toEqual([]);
	}
});

test("a spool on a full disk stays as it is, the erasure's receipt says so, and the next one takes the unit out", async (context) => {
	const disk = await mountSmallDisk(folder, 1);
	if (typeof disk === "string") return context.skip(disk);
	cleanups.push(() => disk.remove());
	const spool = await open();
	await fill(spool);
	const troubles: string[] = [];
	const clock = { now: () => Date.now() };
	const erase = new EraseUnit(
		{
			erasure: new MemoryErasure(clock),
			stream: new MemoryBroker().open(),
			spool,
			memory: { forget: () => {} },
			clock,
		},
		(what) => troubles.push(what),
		0,
	);
	await disk.fill(40 * 1_024);
	const files = await readdir(folder);
	const { removed, remains } = await erase.execute(GOES);
	expect(removed.spoolEntries).toBe(0);
	expect(remains.map(({ where }) => where)).toContain("spools of deciders");
	expect(troubles).toHaveLength(1);
	expect(await readdir(folder)).toEqual(files);
	expect((await contents(spool)).ids).toEqual(expected);
	await spool.append({ subject: "s", messageId: "more", body: emptied });
	await disk.empty();
	const next = await erase.execute(GOES);
	expect(next.removed.spoolEntries).toBe(18);
	expect(await contents(spool)).toEqual({
		ids: [...expected, "more"],
		held: 0,
	});
	expect(troubles).toHaveLength(1);
});
