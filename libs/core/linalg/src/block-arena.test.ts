import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { type ArmBlock, blockLength, packBlock } from "./arm-block.js";
import { BlockArena, type HasBlock } from "./block-arena.js";
import { Kernel } from "./kernel.js";
import { KernelEngine } from "./kernel-engine.js";
import { packedLength } from "./packed-symmetric.js";
import { scoreBlocksByTwin } from "./score-blocks.js";

const SEED = Number(process.env.SEED ?? 20251124);
const D = 12;
const BYTES = 8 * blockLength(D);

/** An engine whose arena holds so many blocks. */
function engineFor(least: number, most = least): KernelEngine {
	const engine = KernelEngine.start({
		least: least * BYTES,
		most: most * BYTES,
	});
	if (engine === null) throw new Error("The kernel does not start.");
	return engine;
}

/** An arm whose mean is `mean` for every x of which the first entry is 1 and the others are 0. */
function arm(mean: number): HasBlock & { readonly block: ArmBlock } {
	const theta = new Float64Array(D);
	theta[0] = mean;
	return { block: packBlock(theta, new Float64Array(packedLength(D)), D) };
}

const x = new Float64Array(D);
x[0] = 1;

function meansOf(engine: KernelEngine, arms: readonly HasBlock[]): number[] {
	const means = new Float64Array(arms.length);
	const widths = new Float64Array(arms.length);
	const done = engine.score(arms, x, means, widths);
	return [...means.subarray(0, done)];
}

/** Changes what an arm's own array says: only a copy made after this knows. */
function rewrite({ block }: HasBlock, mean: number): void {
	block.values[0] = mean;
}

describe("copies of blocks in the kernel's memory", () => {
	test("are made when first needed and kept: a changed arm costs one copy", () => {
		const engine = engineFor(8);
		const [a, b, c] = [arm(1), arm(2), arm(3)];
		expect(meansOf(engine, [a, b, c])).toEqual([1, 2, 3]);
		for (const each of [a, b, c]) rewrite(each, 0);
		expect(meansOf(engine, [a, arm(9), c])).toEqual([1, 9, 3]);
		expect(meansOf(engine, [b])).toEqual([2]);
	});

	test("are overwritten in a ring, the oldest first, and made anew when needed again", () => {
		const engine = engineFor(4);
		const arms = [1, 2, 3, 4, 5].map(arm);
		for (const [i, each] of arms.entries())
			expect(meansOf(engine, [each])).toEqual([i + 1]);
		for (const each of arms) rewrite(each, 0);
		// The fifth lies where the first lay.
		expect(meansOf(engine, [arms[1] as HasBlock])).toEqual([2]);
		expect(meansOf(engine, [arms[0] as HasBlock])).toEqual([0]);
	});

	test("that copying others would overwrite are copied too, and those that this would overwrite", () => {
		const engine = engineFor(8);
		const arms = [1, 2, 3, 4, 5, 6, 7, 8].map(arm);
		for (const each of arms) meansOf(engine, [each]);
		// The new one is to be laid over the first, the first over the second.
		const call = [arm(9), ...arms.slice(0, 2)];
		expect(meansOf(engine, call)).toEqual([9, 1, 2]);
		expect(meansOf(engine, [...call].reverse())).toEqual([2, 1, 9]);
	});

	test("of another engine are not taken for its own", () => {
		const [one, other] = [engineFor(4), engineFor(4)];
		const [a, b] = [arm(1), arm(2)];
		expect(meansOf(one, [a, b])).toEqual([1, 2]);
		expect(meansOf(other, [b])).toEqual([2]);
		expect(meansOf(other, [a, b])).toEqual([1, 2]);
		expect(meansOf(one, [b, a])).toEqual([2, 1]);
	});

	test("are as many in a call as half of the memory holds; the caller's twin does the others", () => {
		const engine = engineFor(8);
		const arms = Array.from({ length: 20 }, (_, i) => arm(i));
		expect(meansOf(engine, arms)).toEqual([0, 1, 2, 3]);
	});

	test("get more memory for a call that needs it, up to the limit", () => {
		const engine = engineFor(4, 32);
		const arms = Array.from({ length: 20 }, (_, i) => arm(i));
		expect(meansOf(engine, arms.slice(0, 10))).toHaveLength(10);
		expect(meansOf(engine, arms)).toHaveLength(16);
	});

	test("outlive the growth of the memory, and do without where it cannot grow", () => {
		const page = 65_536;
		const engine = KernelEngine.start({ least: page, most: 8 * page });
		if (engine === null) throw new Error("The kernel does not start.");
		const arms = Array.from({ length: 300 }, (_, i) => arm(i));
		expect(meansOf(engine, arms.slice(0, 9))).toEqual([
			0, 1, 2, 3, 4, 5, 6, 7, 8,
		]);
		for (const each of arms.slice(0, 9)) rewrite(each, -1);
		expect(meansOf(engine, arms)).toEqual(arms.map((_, i) => i));

		const kernel = Kernel.load({ least: page, most: 2 * page });
		if (kernel === null) throw new Error("The kernel does not start.");
		const arena = new BlockArena(kernel, 0, page, 16 * page);
		expect(arena.roomFor(16, page / 2)).toBe(2);
		expect(arena.roomFor(1, page / 2)).toBe(1);
	});

	test("get more memory where the same ones are overwritten again and again", () => {
		const engine = engineFor(4, 8);
		const arms = [1, 2, 3, 4, 5].map(arm);
		for (let turn = 0; turn < 3; turn++)
			for (const each of arms) meansOf(engine, [each]);
		for (const each of arms) rewrite(each, 0);
		expect(arms.flatMap((each) => meansOf(engine, [each]))).toEqual([
			1, 2, 3, 4, 5,
		]);
	});

	test("are read where they are when the memory grows in the midst of a call", () => {
		const page = 65_536;
		const engine = KernelEngine.start({ least: page, most: 8 * page });
		if (engine === null) throw new Error("The kernel does not start.");
		const arms = Array.from({ length: (3 * page) / BYTES }, (_, i) => arm(i));
		for (let turn = 0; turn < 4; turn++)
			for (const [i, each] of arms.entries())
				expect(meansOf(engine, [each])).toEqual([i]);
	});

	test(`give every call the twin's numbers, whatever was asked and replaced before (SEED=${SEED})`, () => {
		const random = seededRandom(SEED);
		const engine = engineFor(7, 28);
		const next = () => random() - 0.5;
		const fresh = () => ({
			block: packBlock(
				Float64Array.from({ length: D }, next),
				Float64Array.from({ length: packedLength(D) }, next),
				D,
			),
		});
		const pool = Array.from({ length: 12 }, fresh);
		const any = () => Math.floor(random() * pool.length);
		for (let call = 0; call < 3_000; call++) {
			if (random() < 0.3) pool[any()] = fresh();
			const arms = Array.from(
				{ length: 1 + Math.floor(random() * 6) },
				() => pool[any()] as HasBlock,
			);
			const vector = Float64Array.from({ length: D }, next);
			const got = [new Float64Array(6), new Float64Array(6)] as const;
			const want = [new Float64Array(6), new Float64Array(6)] as const;
			const done = engine.score(arms, vector, ...got);
			scoreBlocksByTwin(arms.slice(0, done), vector, ...want);
			expect(got, `call ${call}`).toEqual(want);
		}
	});
});
