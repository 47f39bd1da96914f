import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KeptPack, PackBlocks } from "../src/pack-blocks.js";

const BLOCK = 2 ** 20;

describe("room for packs", () => {
	it("keeps every pack as it was until it is given back, whichever are given back", () => {
		const sizes = fc.array(
			fc.record({
				bytes: fc.oneof(
					fc.integer({ min: 1, max: 20_000 }),
					fc.integer({ min: 350_000, max: BLOCK + 2 }),
				),
				givesBack: fc.nat({ max: 40 }),
			}),
			{ minLength: 30, maxLength: 60 },
		);
		fc.assert(
			fc.property(sizes, (steps) => {
				const blocks = new PackBlocks();
				const kept: { readonly pack: KeptPack; readonly fill: number }[] = [];
				steps.forEach(({ bytes, givesBack }, step) => {
					const fill = step % 251;
					const message = new Uint8Array(bytes).fill(fill);
					kept.push({ pack: blocks.keep(message), fill });
					const [old] = kept.length > 5 ? kept.splice(givesBack % 6, 1) : [];
					if (old !== undefined) blocks.giveBack(old.pack);
				});
				for (const { pack, fill } of kept)
					expect(pack.bytes.every((byte) => byte === fill)).toBe(true);
			}),
			{ numRuns: 30 },
		);
	});

	it("uses its blocks again", () => {
		const blocks = new PackBlocks();
		const buffers = new Set<unknown>();
		const waiting: KeptPack[] = [];
		for (let step = 0; step < 1_000; step++) {
			const pack = blocks.keep(new Uint8Array(20_000));
			buffers.add(pack.bytes.buffer);
			waiting.push(pack);
			const oldest = waiting.length > 100 ? waiting.shift() : undefined;
			if (oldest !== undefined) blocks.giveBack(oldest);
		}
		expect(buffers.size).toBeLessThanOrEqual(4);
	});
});
