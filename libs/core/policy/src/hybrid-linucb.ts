import {
	cholesky,
	invertTriangle,
	NotPositiveDefinite,
	packedIndex,
	packedLength,
	solve,
} from "#core/linalg";
import { type ArmFactor, type ArmModel, armModel } from "./posterior.js";

/**
 * Hybrid LinUCB, Li et al. 2010, Alg. 2, with shared features z(a, x) = f_a ⊗ x: coordinate j·d + i of z is f_a[j] · x[i].
 *
 * Every sum that Alg. 2 keeps is a Kronecker product of f_a with the disjoint ones (Σzzᵀ = f fᵀ ⊗ Σxxᵀ, B = fᵀ ⊗ Σxxᵀ, Σrz = f ⊗ b), so
 * nothing more is stored. With A = λI + Σxxᵀ, and I − A⁻¹Σxxᵀ = λA⁻¹ put in before anything is subtracted:
 *
 *   A₀ = λI + Σ_a f fᵀ ⊗ λ(I − λA⁻¹)     b₀ = Σ_a f ⊗ λA⁻¹b     β = A₀⁻¹b₀     g_a = Σ_j f_j β_j
 *   mean = xᵀ(A⁻¹b + λA⁻¹g)              width² = xᵀCx,   C = A⁻¹ + λ² A⁻¹HA⁻¹,   H = Σ_jk f_j f_k (A₀⁻¹)_jk
 *
 * So an arm of the hybrid is a θ and a triangle like any other: with N = L⁻¹ and I + λ² N H Nᵀ = RᵀR, width = ‖R N x‖.
 */

/** What arms share, of k = (features an arm) · d coordinates. */
export interface SharedPart {
	/** Packed lower triangle of order k. */
	readonly A0: Float64Array;
	readonly b0: Float64Array;
	readonly beta: Float64Array;
	/** A₀⁻¹, packed. */
	readonly inverse: Float64Array;
}

/** Slices of the work, each of at most a few milliseconds at the largest size; the value is one model an arm, in order. */
export function* hybridModels(
	features: readonly (readonly number[])[],
	factors: readonly ArmFactor[],
	d: number,
	ridge: number,
): Generator<void, readonly ArmModel[]> {
	const shared = yield* sharedPart(features, factors, d, ridge);
	const models: ArmModel[] = [];
	for (const [a, f] of features.entries()) {
		models.push(
			yield* hybridModel(f, factors[a] as ArmFactor, shared, d, ridge),
		);
		yield;
	}
	return models;
}

/** A₀, b₀ and β of all arms together. */
export function* sharedPart(
	features: readonly (readonly number[])[],
	factors: readonly ArmFactor[],
	d: number,
	ridge: number,
): Generator<void, SharedPart> {
	const k = (features[0]?.length ?? 0) * d;
	const A0 = new Float64Array(packedLength(k));
	const b0 = new Float64Array(k);
	for (let i = 0; i < k; i++) A0[packedIndex(i, i)] = ridge;
	for (const [a, f] of features.entries()) {
		const { n, theta, N } = factors[a] as ArmFactor;
		// I − λA⁻¹ of an arm never tried is 0, which rounding would miss.
		if (n > 0) {
			addKronecker(A0, f, shrinkage(N, d, ridge), d);
			for (const [j, fj] of f.entries())
				for (let i = 0; i < d; i++)
					b0[j * d + i] =
						(b0[j * d + i] as number) + fj * ridge * (theta[i] as number);
		}
		yield;
	}
	const L = yield* sharedFactor(A0, k, ridge);
	yield;
	const beta = solve(L, k, b0);
	const M = invertTriangle(L, k);
	yield;
	return { A0, b0, beta, inverse: gram(M, k) };
}

const STEP = 16;

/**
 * L of A₀ = LLᵀ. In exact arithmetic no pivot of A₀ is below λ. But where x is collinear, λ tiny and observations are many, λA⁻¹ is
 * rounded, and a large f makes more of that than λ is: pivots below 0, or so near to it that widths are many times those of the prior.
 * So where one is below λ/2, λ is raised by steps of 16, up to the trace. Throws NotPositiveDefinite beyond: no data has such sums.
 */
function* sharedFactor(
	A0: Float64Array,
	k: number,
	ridge: number,
): Generator<void, Float64Array> {
	let trace = 0;
	for (let i = 0; i < k; i++) trace += A0[packedIndex(i, i)] as number;
	const raised = A0.slice();
	for (let lambda = ridge; ; lambda *= STEP) {
		for (let i = 0; i < k; i++) {
			const at = packedIndex(i, i);
			raised[at] = (A0[at] as number) + (lambda - ridge);
		}
		try {
			return cholesky(raised, k, lambda / 2);
		} catch (error) {
			const isRounding = lambda * STEP <= trace;
			if (!(error instanceof NotPositiveDefinite && isRounding)) throw error;
		}
		yield;
	}
}

function* hybridModel(
	f: readonly number[],
	{ n, theta, N }: ArmFactor,
	{ beta, inverse }: SharedPart,
	d: number,
	ridge: number,
): Generator<void, ArmModel> {
	const g = new Float64Array(d);
	for (const [j, fj] of f.entries())
		for (let i = 0; i < d; i++)
			g[i] = (g[i] as number) + fj * (beta[j * d + i] as number);
	const shift = timesTransposed(N, times(N, g, d), d);
	const H = sharedForm(f, inverse, d);
	yield;
	const conjugated = yield* conjugate(N, H, d, ridge * ridge);
	const R = reverseCholesky(conjugated, d);
	yield;
	return armModel(
		n,
		theta.map((value, i) => value + ridge * (shift[i] as number)),
		multiplyTriangles(R, N, d),
		d,
	);
}

/** H = Σ_jk f_j f_k (A₀⁻¹)_jk, all of its d × d entries by rows. */
function sharedForm(
	f: readonly number[],
	inverse: Float64Array,
	d: number,
): Float64Array {
	const H = new Float64Array(d * d);
	for (const [j, fj] of f.entries())
		for (const [m, fm] of f.entries())
			for (let i = 0; i < d; i++)
				for (let l = 0; l <= i; l++)
					H[i * d + l] =
						(H[i * d + l] as number) +
						fj * fm * (inverse[packedIndex(j * d + i, m * d + l)] as number);
	for (let i = 0; i < d; i++)
		for (let l = 0; l < i; l++) H[l * d + i] = H[i * d + l] as number;
	return H;
}

/** λ(I − λA⁻¹), packed, of A⁻¹ = NᵀN. */
function shrinkage(N: Float64Array, d: number, ridge: number): Float64Array {
	const matrix = gram(N, d);
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++)
			matrix[at] = ridge * ((i === j ? 1 : 0) - ridge * (matrix[at] as number));
	return matrix;
}

/** target += f fᵀ ⊗ S, both packed; S of order d. */
function addKronecker(
	target: Float64Array,
	f: readonly number[],
	S: Float64Array,
	d: number,
): void {
	for (let j = 0; j < f.length; j++)
		for (let m = 0; m <= j; m++) {
			const weight = (f[j] as number) * (f[m] as number);
			for (let i = 0; i < d; i++) {
				const row = packedIndex(j * d + i, 0) + m * d;
				const last = j === m ? i : d - 1;
				for (let l = 0; l <= last; l++)
					target[row + l] =
						(target[row + l] as number) +
						weight * (S[packedIndex(i, l)] as number);
			}
		}
}

/** NᵀN, packed: row k of N adds its outer product, so that all reads are neighbours. */
function gram(N: Float64Array, d: number): Float64Array {
	const product = new Float64Array(packedLength(d));
	for (let k = 0; k < d; k++) {
		const row = packedIndex(k, 0);
		for (let i = 0, at = 0; i <= k; i++) {
			const ni = N[row + i] as number;
			for (let j = 0; j <= i; j++, at++)
				product[at] = (product[at] as number) + ni * (N[row + j] as number);
		}
	}
	return product;
}

/** Multiply-adds of a slice: about a millisecond. */
const WORK_PER_SLICE = 1_000_000;

/** I + weight · N H Nᵀ, packed, of a whole H, row by row. Row k of H is added to all sums of row i at once, so that all reads are neighbours. */
function* conjugate(
	N: Float64Array,
	H: Float64Array,
	d: number,
	weight: number,
): Generator<void, Float64Array> {
	const result = new Float64Array(packedLength(d));
	const half = new Float64Array(d);
	let work = 0;
	for (let i = 0, at = 0; i < d; i++) {
		const row = packedIndex(i, 0);
		half.fill(0);
		for (let k = 0; k <= i; k++) {
			const nk = N[row + k] as number;
			for (let l = 0; l < d; l++)
				half[l] = (half[l] as number) + nk * (H[k * d + l] as number);
		}
		for (let j = 0, n = 0; j <= i; j++, at++) {
			let sum = 0;
			for (let l = 0; l <= j; l++, n++)
				sum += (half[l] as number) * (N[n] as number);
			result[at] = (i === j ? 1 : 0) + weight * sum;
		}
		work += (i + 1) * (d + i / 2);
		if (work < WORK_PER_SLICE) continue;
		work = 0;
		yield;
	}
	return result;
}

/** Lower R with RᵀR = K: the Cholesky factor of K with its coordinates in reverse order, turned back. */
function reverseCholesky(K: Float64Array, d: number): Float64Array {
	const reversed = (matrix: Float64Array) => {
		const other = new Float64Array(matrix.length);
		for (let i = 0, at = 0; i < d; i++)
			for (let j = 0; j <= i; j++, at++)
				other[at] = matrix[packedIndex(d - 1 - j, d - 1 - i)] as number;
		return other;
	};
	return reversed(cholesky(reversed(K), d));
}

/** R N, both lower triangles. Row k of N is added to all sums of row i at once. */
function multiplyTriangles(
	R: Float64Array,
	N: Float64Array,
	d: number,
): Float64Array {
	const product = new Float64Array(packedLength(d));
	for (let i = 0; i < d; i++) {
		const row = packedIndex(i, 0);
		for (let k = 0, n = 0; k <= i; k++) {
			const rk = R[row + k] as number;
			for (let j = 0; j <= k; j++, n++)
				product[row + j] = (product[row + j] as number) + rk * (N[n] as number);
		}
	}
	return product;
}

/** N v. */
function times(N: Float64Array, v: Float64Array, d: number): Float64Array {
	return Float64Array.from({ length: d }, (_, i) => {
		let sum = 0;
		for (let j = 0; j <= i; j++)
			sum += (N[packedIndex(i, j)] as number) * (v[j] as number);
		return sum;
	});
}

/** Nᵀ v. */
function timesTransposed(
	N: Float64Array,
	v: Float64Array,
	d: number,
): Float64Array {
	return Float64Array.from({ length: d }, (_, j) => {
		let sum = 0;
		for (let i = j; i < d; i++)
			sum += (N[packedIndex(i, j)] as number) * (v[i] as number);
		return sum;
	});
}
