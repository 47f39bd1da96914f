import { afterEach, describe, expect, test, vi } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { type ArmBlock, packBlock, thetaOf, triangleOf } from "./arm-block.js";
import { NotPositiveDefinite } from "./cholesky.js";
import { factorBlock, factorTwin } from "./factor-block.js";
import { KernelEngine } from "./kernel-engine.js";
import { addOuter, packedLength } from "./packed-symmetric.js";
import { scoreBlocks, scoreBlocksByTwin } from "./score-blocks.js";
import { hasKernel } from "./shared-engine.js";

const SEED = Number(process.env.SEED ?? 20251124);
const MOST_D = 256;

/** Node has WebAssembly with SIMD: a kernel that does not start here is broken, not missing. */
function startedEngine(): KernelEngine {
	const engine = KernelEngine.start({ least: 2 ** 22, most: 2 ** 22 });
	if (engine === null) throw new Error("The kernel does not start.");
	return engine;
}

/** Zeros of both signs, subnormals, whole numbers and both ends of what a factor may hold. */
function hostileNumber(random: () => number): number {
	const sign = random() < 0.5 ? -1 : 1;
	const kinds = [0, 5e-324, 2.3e-308, 1e-160, 2 ** -12, 1, 8, 64, 1e9, 1e77];
	const kind = kinds[Math.floor(random() * kinds.length)] as number;
	return sign * (random() < 0.5 ? kind : kind * random());
}

function numbers(length: number, next: () => number): Float64Array {
	return Float64Array.from({ length }, next);
}

/** First entry in which two arrays differ in a bit, in words; empty where none does. */
function difference(got: Float64Array, want: Float64Array): string {
	if (got.length !== want.length) return `${got.length} for ${want.length}`;
	const at = got.findIndex((value, i) => !Object.is(value, want[i]));
	return at < 0 ? "" : `[${at}] is ${got[at]} instead of ${want[at]}`;
}

function expectSameScores(
	engine: KernelEngine,
	blocks: readonly ArmBlock[],
	x: Float64Array,
	what: string,
): void {
	const arms = blocks.map((block) => ({ block }));
	const [means, widths, twinMeans, twinWidths] = Array.from(
		{ length: 4 },
		() => new Float64Array(blocks.length),
	) as [Float64Array, Float64Array, Float64Array, Float64Array];
	expect(engine.score(arms, x, means, widths), what).toBe(blocks.length);
	scoreBlocksByTwin(arms, x, twinMeans, twinWidths);
	expect(difference(means, twinMeans), `${what}, means`).toBe("");
	expect(difference(widths, twinWidths), `${what}, widths`).toBe("");
	for (const width of widths) expect(width, what).toBeGreaterThanOrEqual(0);
}

/** b and A of n vectors. */
function systemOf(
	d: number,
	vectors: readonly Float64Array[],
	n: number,
): Float64Array {
	const system = new Float64Array(d + packedLength(d));
	for (const x of vectors) {
		for (let i = 0; i < d; i++)
			system[i] = (system[i] as number) + n * (x[i] as number);
		addOuter(system, d, x, n);
	}
	return system;
}

describe(`the kernel and its twin (SEED=${SEED})`, () => {
	const engine = startedEngine();

	test("score to the same bits for every d from 1 to 256: subnormals, zeros of both signs, any number of arms, arms that share a block", () => {
		const random = seededRandom(SEED);
		for (let d = 1; d <= MOST_D; d++) {
			const next = () => hostileNumber(random);
			const block = () =>
				packBlock(numbers(d, next), numbers(packedLength(d), next), d);
			const [first, second] = [block(), block()];
			const few = [first, second, first, block(), first];
			const blocks = few.slice(0, 1 + (d % few.length));
			const x = numbers(d, () => Math.min(8, Math.max(-8, next())));
			expectSameScores(engine, blocks, x, `d = ${d}`);
		}
	});

	test("score to the same bits what was factorised from collinear data with λ = 2⁻¹², for every d", () => {
		const random = seededRandom(SEED);
		for (let d = 1; d <= MOST_D; d++) {
			const x = numbers(d, () => Math.round(random() * 65_536 - 32_768) / 4096);
			const system = systemOf(d, [x], 2 ** 14);
			const block = engine.factor(system, d, 2 ** -12);
			if (block === null) throw new Error(`d = ${d} does not fit the kernel.`);
			expectSameScores(engine, [block, block, block], x, `d = ${d}`);
		}
	});

	test("score to the same bits more arms than one call of the kernel takes", () => {
		const random = seededRandom(SEED);
		const next = () => random() - 0.5;
		const blocks = Array.from({ length: 2051 }, () =>
			packBlock(numbers(6, next), numbers(packedLength(6), next), 6),
		);
		expectSameScores(engine, blocks, numbers(6, next), "2,051 arms");
	});

	test("factorise to the same bits for every d from 1 to 256, well and badly conditioned", () => {
		const random = seededRandom(SEED);
		for (let d = 1; d <= MOST_D; d++) {
			const vectors = Array.from({ length: 1 + (d % 5) }, () =>
				numbers(d, () =>
					random() < 0.2 ? 0 : Math.round(random() * 65_536 - 32_768) / 4096,
				),
			);
			const [n, ridge] = d % 2 === 0 ? [1, d] : [2 ** 13, 2 ** -12];
			const system = systemOf(d, vectors, n);
			const block = engine.factor(system, d, ridge);
			const twin = factorTwin(system, d, ridge);
			expect(
				difference(block?.values as Float64Array, twin.values),
				`d = ${d}`,
			).toBe("");
		}
	});

	test("refuse the same pivot in the same words, in every row of a block of rows", () => {
		for (let d = 1; d <= 9; d++) {
			const system = new Float64Array(d + packedLength(d));
			for (let i = 0; i < d; i++)
				system[d + (i * (i + 3)) / 2] = i === d - 1 ? -3 : 1;
			const words = `not positive definite: pivot ${d - 1} is -2.5`;
			expect(() => engine.factor(system, d, 0.5)).toThrow(words);
			expect(() => factorTwin(system, d, 0.5)).toThrow(words);
			system[d] = Number.NaN;
			expect(() => engine.factor(system, d, 0.5)).toThrow(NotPositiveDefinite);
			expect(() => factorTwin(system, d, 0.5)).toThrow(NotPositiveDefinite);
		}
	});

	test("leave to the twin what is too large for the kernel's memory", () => {
		const d = 1025;
		const M = new Float64Array(packedLength(d));
		M[0] = 2;
		const block = packBlock(new Float64Array(d).fill(1), M, d);
		const [means, widths] = [new Float64Array(1), new Float64Array(1)];
		const x = new Float64Array(d).fill(1);
		expect(engine.score([{ block }], x, means, widths)).toBe(0);
		scoreBlocks([{ block }], x, means, widths);
		expect([means[0], widths[0]]).toEqual([d, 2]);
	});

	test("leave to the twin a factor that is too large for the kernel's memory", () => {
		const d = 300;
		const system = systemOf(d, [new Float64Array(d).fill(1)], 1);
		expect(engine.factor(system, d, 1)).toBeNull();
		const theta = thetaOf(factorBlock(system, d, 1));
		for (const entry of theta) expect(entry).toBeCloseTo(1 / (d + 1), 12);
	});
});

test("a block gives back the θ and the triangle it was made of, and refuses other lengths", () => {
	for (let d = 1; d <= 13; d++) {
		const theta = numbers(d, () => d);
		const M = Float64Array.from({ length: packedLength(d) }, (_, i) => i + 1);
		const block = packBlock(theta, M, d);
		expect(thetaOf(block)).toEqual(theta);
		expect(triangleOf(block)).toEqual(M);
	}
	expect(() => packBlock(new Float64Array(2), new Float64Array(2), 2)).toThrow(
		"needs 2 entries of θ and 3 of M, not 2 and 2",
	);
});

describe("without WebAssembly SIMD", () => {
	afterEach(() => vi.unstubAllGlobals());

	test("there is no kernel, so that the twins serve", () => {
		const limits = { least: 2 ** 16, most: 2 ** 16 };
		const { WebAssembly: platform } = globalThis as unknown as {
			WebAssembly: object;
		};
		vi.stubGlobal("WebAssembly", undefined);
		expect(KernelEngine.start(limits)).toBeNull();
		// What a platform without SIMD does with the kernel's bytes.
		const Module = class {
			constructor() {
				throw new Error("invalid value type 's128'");
			}
		};
		vi.stubGlobal(
			"WebAssembly",
			Object.assign(Object.create(platform), { Module }),
		);
		expect(KernelEngine.start(limits)).toBeNull();
	});
});

test("the shared kernel is here", () => {
	expect(hasKernel()).toBe(true);
});
