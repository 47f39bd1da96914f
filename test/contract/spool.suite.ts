import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Spool, type SpoolEntry, SpoolFull } from "#usecases/ingesting";

export interface SpoolHarness {
	/** An empty spool; a former one of this harness is closed. */
	open(maxBytes: number): Promise<Spool>;
	stop(): Promise<void>;
}

const MANY_BYTES = 10_000_000;

export function entry(messageId: string, bytes = 10): SpoolEntry {
	const body = Uint8Array.from({ length: bytes }, (_, index) => index % 256);
	return { subject: "segue.log.pack", messageId, body };
}

export async function allOf(spool: Spool): Promise<SpoolEntry[]> {
	const found: SpoolEntry[] = [];
	for await (const one of spool.entries()) found.push(one);
	return found;
}

export const ids = (entries: readonly SpoolEntry[]) =>
	entries.map(({ messageId }) => messageId);

/** What every adapter of the port Spool must do. */
export function spoolSuite(
	name: string,
	start: () => Promise<SpoolHarness>,
): void {
	describe(`${name} as a Spool`, () => {
		let harness: SpoolHarness;
		beforeEach(async () => {
			harness = await start();
		});
		afterEach(() => harness.stop());

		test("entries come back in order, with subject, id and bytes, and stay until dropped", async () => {
			const spool = await harness.open(MANY_BYTES);
			const written = [
				entry("a"),
				{ ...entry("ü ☂", 0), subject: "segue.events._pack" },
				entry("c", 1_000),
			];
			for (const one of written) await spool.append(one);
			expect(await spool.peek(2)).toEqual(written.slice(0, 2));
			expect(await spool.peek(10)).toEqual(written);
			expect(await allOf(spool)).toEqual(written);
		});

		test("what waits can be rewritten: order, ids and count stay, and so it is drained", async () => {
			const spool = await harness.open(MANY_BYTES);
			for (const id of ["dropped", "a", "b", "c"])
				await spool.append(entry(id));
			await spool.drop(1);
			const body = Uint8Array.of(1, 2);
			expect(await spool.rewrite((old) => old)).toBe(0);
			let seen = 0;
			const rewritten = await spool.rewrite((old) =>
				old.length === 2 || ++seen % 3 !== 2 ? old : body,
			);
			expect(rewritten).toBeGreaterThan(0);
			await spool.append(entry("d"));
			const left = await allOf(spool);
			expect(ids(left)).toEqual(["a", "b", "c", "d"]);
			expect(left.some((one) => one.body.length === 2)).toBe(true);
			expect(spool.count).toBe(4);
			await spool.drop(3);
			expect(ids(await spool.peek(9))).toEqual(["d"]);
			await spool.drop(1);
			expect([spool.size, spool.count]).toEqual([0, 0]);
		});

		test("an empty spool has nothing and no size", async () => {
			const spool = await harness.open(MANY_BYTES);
			expect(await spool.peek(1)).toEqual([]);
			expect(await allOf(spool)).toEqual([]);
			expect(spool.size).toBe(0);
			await spool.drop(5);
			expect([spool.size, spool.count]).toEqual([0, 0]);
		});

		test("dropped entries are gone, and the size says what is left", async () => {
			const spool = await harness.open(MANY_BYTES);
			for (const id of ["a", "b", "c"]) await spool.append(entry(id));
			const three = spool.size;
			await spool.drop(1);
			expect(spool.size).toBe((three / 3) * 2);
			expect(spool.count).toBe(2);
			expect(ids(await spool.peek(10))).toEqual(["b", "c"]);
			await spool.drop(2);
			expect(spool.size).toBe(0);
			await spool.append(entry("d"));
			expect(ids(await spool.peek(10))).toEqual(["d"]);
		});

		test("appends made at once are all kept, in the order they were made", async () => {
			const spool = await harness.open(MANY_BYTES);
			const many = Array.from({ length: 500 }, (_, index) => `m${index}`);
			await Promise.all(many.map((id) => spool.append(entry(id))));
			expect(ids(await allOf(spool))).toEqual(many);
			expect(spool.count).toBe(500);
		});

		test("a large spool is read in pages, each with at least one entry", async () => {
			const spool = await harness.open(100_000_000);
			const many = Array.from({ length: 6 }, (_, index) => `m${index}`);
			for (const id of many) await spool.append(entry(id, 1_000_000));
			expect(ids(await allOf(spool))).toEqual(many);
			for (const id of many) {
				expect(ids(await spool.peek(100))[0]).toBe(id);
				await spool.drop(1);
			}
		});

		test("a full spool refuses until something is dropped, and keeps what it has", async () => {
			const spool = await harness.open(4_000);
			const kept: string[] = [];
			const fill = async () => {
				for (let index = 0; index < 100; index += 1) {
					await spool.append(entry(`m${index}`, 100));
					kept.push(`m${index}`);
				}
			};
			expect(spool.full).toBe(false);
			await expect(fill()).rejects.toBeInstanceOf(SpoolFull);
			expect(spool.full).toBe(true);
			expect(kept.length).toBeGreaterThan(10);
			expect(spool.size).toBeLessThanOrEqual(4_000);
			expect(ids(await allOf(spool))).toEqual(kept);
			await spool.drop(kept.length);
			expect(spool.full).toBe(false);
			await spool.append(entry("again", 100));
			expect(ids(await spool.peek(10))).toEqual(["again"]);
		});

		test("a full spool can be rewritten, and takes entries again where that made room", async () => {
			const spool = await harness.open(4_000);
			const fill = async () => {
				for (let index = 0; ; index += 1)
					await spool.append(entry(`m${index}`, 100));
			};
			await expect(fill()).rejects.toBeInstanceOf(SpoolFull);
			const { count, size } = spool;
			const body = Uint8Array.of(1, 2);
			const changes = await spool.rewrite((old) =>
				old.length === 100 ? Uint8Array.from(old).fill(1) : old,
			);
			expect(changes).toBe(count);
			expect([spool.full, spool.size]).toEqual([true, size]);
			expect(await spool.rewrite(() => body)).toBe(count);
			expect(spool.full).toBe(false);
			await spool.append(entry("again", 100));
			expect(spool.count).toBe(count + 1);
			expect((await allOf(spool))[count]).toEqual(entry("again", 100));
		});

		test("a spool that is filled and drained for ever stays within its bound", async () => {
			const spool = await harness.open(4_000);
			for (let round = 0; round < 40; round += 1) {
				await spool.append(entry(`a${round}`, 300));
				await spool.append(entry(`b${round}`, 300));
				expect(ids(await spool.peek(1))).toEqual([`a${round}`]);
				await spool.drop(2);
			}
			expect(spool.size).toBe(0);
		});
	});
}
