import { type ArmBlock, packBlock } from "./arm-block.js";
import {
	cholesky,
	invertTriangle,
	NotPositiveDefinite,
	solve,
} from "./cholesky.js";
import { sharedEngine } from "./shared-engine.js";
import type { Sheets } from "./sheets.js";

/** 2⁻⁵³: half a unit in the last place of 1. */
const U = 2 ** -53;
/** Beyond this share of the trace it is not rounding that makes a pivot too small. */
const MOST_SHARE = 2 ** -26;
const STEP = 16;

/**
 * The smallest ridge that rounding cannot eat. Cholesky in float64 factors A + λI + E with ‖E‖₂ ≤ γ/(1 − γ) · trace(A + λI), γ = (d + 1)u
 * (Higham, Accuracy and Stability of Numerical Algorithms, Theorem 10.3, and ‖|L||Lᵀ|‖₂ ≤ ‖L‖²_F = trace). Twice that bound keeps
 * ‖E‖₂ ≤ λ/2, so that every pivot is at least λ/2 and ‖L⁻¹‖² ≤ 2/λ, whatever the data: collinear, constant, huge in one coordinate.
 * It is above λ = 1 from a trace of 2⁵²/(d + 1) on: 10¹³ observations of |x|² = 14 at d = 32.
 */
export function ridgeFloor(trace: number, d: number): number {
	return 2 * (d + 1) * U * trace;
}

/**
 * θ and M = L⁻¹ of A + λI = L Lᵀ, from b and A's packed lower triangle, one behind the other; λ is `ridge`, or the floor above where that
 * is larger. In exact arithmetic no pivot is below λ; one below λ/2 tells of sums that were rounded before, as weighted buckets are:
 * then λ is raised by steps of 16 up to 2⁻²⁶ of the trace. Throws NotPositiveDefinite beyond: no data has such sums.
 * The kernel's result is cut from `sheets` where they are given.
 */
export function factorBlock(
	system: Float64Array,
	d: number,
	ridge: number,
	sheets?: Sheets,
): ArmBlock {
	const trace = traceOf(system, d);
	for (let lambda = Math.max(ridge, ridgeFloor(trace, d)); ; lambda *= STEP)
		try {
			return factorOnce(system, d, lambda, sheets);
		} catch (error) {
			const isRounding = lambda > 0 && lambda * STEP <= MOST_SHARE * trace;
			if (!(error instanceof NotPositiveDefinite && isRounding)) throw error;
		}
}

function traceOf(system: Float64Array, d: number): number {
	let trace = 0;
	for (let i = 0; i < d; i++) trace += system[d + (i * (i + 3)) / 2] as number;
	return trace;
}

function factorOnce(
	system: Float64Array,
	d: number,
	lambda: number,
	sheets: Sheets | undefined,
): ArmBlock {
	return (
		sharedEngine()?.factor(system, d, lambda, sheets) ??
		factorTwin(system, d, lambda)
	);
}

/** The same as the kernel, to the last bit, in plain JavaScript. Throws NotPositiveDefinite. */
export function factorTwin(
	system: Float64Array,
	d: number,
	lambda: number,
): ArmBlock {
	const A = system.slice(d);
	for (let i = 0; i < d; i++) {
		const diagonal = (i * (i + 3)) / 2;
		A[diagonal] = (A[diagonal] as number) + lambda;
	}
	const L = cholesky(A, d, Math.max(0, lambda / 2));
	return packBlock(solve(L, d, system.subarray(0, d)), invertTriangle(L, d), d);
}
