import { ArmBlock, blockLength, paddedLength } from "./arm-block.js";
import { BlockArena, type HasBlock } from "./block-arena.js";
import { NotPositiveDefinite } from "./cholesky.js";
import { Kernel } from "./kernel.js";
import type { Sheets } from "./sheets.js";

/** Longest x that the kernel takes. */
const MOST_COORDINATES = 1024;
/** Most blocks of one call of the kernel. */
const MOST_BLOCKS = 1024;

/** The kernel's memory: what one call of `score` reads and writes, room for one factor, then the arena. */
const X = 0;
const ADDRESSES = X + 8 * MOST_COORDINATES;
const MEANS = ADDRESSES + 4 * MOST_BLOCKS;
const WIDTHS = MEANS + 8 * MOST_BLOCKS;
const FACTOR = WIDTHS + 8 * MOST_BLOCKS;
const ARENA = 2 ** 20;

/** Bytes of the arena. */
export interface ArenaLimits {
	readonly least: number;
	readonly most: number;
}

/** Scoring and factorising in WebAssembly. What does not fit its memory is left to the caller's twins. */
export class KernelEngine {
	readonly #arena: BlockArena;

	private constructor(
		private readonly kernel: Kernel,
		{ least, most }: ArenaLimits,
	) {
		this.#arena = new BlockArena(kernel, ARENA, least, most);
	}

	/** Null where there is no WebAssembly with SIMD. */
	static start(limits: ArenaLimits): KernelEngine | null {
		const kernel = Kernel.load({
			least: ARENA + limits.least,
			most: ARENA + limits.most,
		});
		return kernel && new KernelEngine(kernel, limits);
	}

	/** Scores the first so many arms, and says how many: fewer than all where the arena is too small for them. */
	score(
		arms: readonly HasBlock[],
		x: Float64Array,
		means: Float64Array,
		widths: Float64Array,
	): number {
		const d = x.length;
		if (d > MOST_COORDINATES) return 0;
		const fit = this.#arena.roomFor(arms.length, 8 * blockLength(d));
		const padded = paddedLength(d);
		const { functions } = this.kernel;
		let { doubles } = this.kernel;
		doubles.set(x, X / 8);
		for (let j = d; j < padded; j++) doubles[X / 8 + j] = 0;
		for (let from = 0; from < fit; from += MOST_BLOCKS) {
			const count = Math.min(fit - from, MOST_BLOCKS);
			this.#arena.place(arms, from, count, ADDRESSES / 4);
			functions.score(count, padded, X, ADDRESSES, MEANS, WIDTHS);
			// Placing them may have made the memory larger.
			doubles = this.kernel.doubles;
			for (let a = 0; a < count; a++) {
				means[from + a] = doubles[MEANS / 8 + a] as number;
				widths[from + a] = doubles[WIDTHS / 8 + a] as number;
			}
		}
		return fit;
	}

	/** As factorTwin; null where d is too large for the kernel. */
	factor(
		system: Float64Array,
		d: number,
		ridge: number,
		sheets?: Sheets,
	): ArmBlock | null {
		const padded = 8 * paddedLength(d);
		// L and N have whole tiles, 16, 32, 48 … entries a block of rows.
		const tiles = padded * (paddedLength(d) / 2 + 2);
		const block = 8 * blockLength(d);
		const b = FACTOR;
		// A's packed triangle lies behind b; M by rows is written over it, when it is no longer needed.
		const N = b + padded;
		const L = N + tiles;
		const reciprocals = L + tiles;
		const y = reciprocals + padded;
		const out = y + padded;
		if (out + block > ARENA) return null;
		const { doubles, functions } = this.kernel;
		doubles.set(system, b / 8);
		const failed = functions.factor(
			d,
			ridge,
			b + 8 * d,
			b,
			L,
			N,
			reciprocals,
			y,
			out,
		);
		if (failed > 0)
			throw new NotPositiveDefinite(failed - 1, doubles[y / 8] as number);
		const values = doubles.subarray(out / 8, (out + block) / 8);
		if (sheets === undefined) return new ArmBlock(d, values.slice());
		const kept = sheets.cut(values.length);
		kept.set(values);
		return new ArmBlock(d, kept);
	}
}
