import {
	cholesky,
	invertTriangle,
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
		models.push(hybridModel(f, factors[a] as ArmFactor, shared, d, ridge));
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
	const L = cholesky(A0, k);
	yield;
	const beta = solve(L, k, b0);
	const M = invertTriangle(L, k);
	yield;
	return { A0, b0, beta, inverse: gram(M, k) };
}

function hybridModel(
	f: readonly number[],
	{ n, theta, N }: ArmFactor,
	{ beta, inverse }: SharedPart,
	d: number,
	ridge: number,
): ArmModel {
	const g = new Float64Array(d);
	const H = new Float64Array(packedLength(d));
	for (const [j, fj] of f.entries())
		for (let i = 0; i < d; i++)
			g[i] = (g[i] as number) + fj * (beta[j * d + i] as number);
	for (let i = 0, at = 0; i < d; i++)
		for (let l = 0; l <= i; l++, at++) {
			let sum = 0;
			for (const [j, fj] of f.entries())
				for (const [m, fm] of f.entries())
					sum +=
						fj * fm * (inverse[packedIndex(j * d + i, m * d + l)] as number);
			H[at] = sum;
		}
	const shift = timesTransposed(N, times(N, g, d), d);
	const R = reverseCholesky(conjugate(N, H, d, ridge * ridge), d);
	return armModel(
		n,
		theta.map((value, i) => value + ridge * (shift[i] as number)),
		multiplyTriangles(R, N, d),
		d,
	);
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

/** I + weight · N H Nᵀ, packed. */
function conjugate(
	N: Float64Array,
	H: Float64Array,
	d: number,
	weight: number,
): Float64Array {
	const half = new Float64Array(d * d);
	for (let i = 0; i < d; i++)
		for (let l = 0; l < d; l++) {
			let sum = 0;
			for (let k = 0; k <= i; k++)
				sum +=
					(N[packedIndex(i, k)] as number) * (H[packedIndex(k, l)] as number);
			half[i * d + l] = sum;
		}
	const result = new Float64Array(packedLength(d));
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++) {
			let sum = 0;
			for (let l = 0; l <= j; l++)
				sum += (half[i * d + l] as number) * (N[packedIndex(j, l)] as number);
			result[at] = (i === j ? 1 : 0) + weight * sum;
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

/** R N, both lower triangles. */
function multiplyTriangles(
	R: Float64Array,
	N: Float64Array,
	d: number,
): Float64Array {
	const product = new Float64Array(packedLength(d));
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++) {
			let sum = 0;
			for (let k = j; k <= i; k++)
				sum +=
					(R[packedIndex(i, k)] as number) * (N[packedIndex(k, j)] as number);
			product[at] = sum;
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
