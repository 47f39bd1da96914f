import { packedLength } from "./packed-symmetric.js";

export class NotPositiveDefinite extends Error {
	constructor(pivot: number, value: number) {
		super(
			`The matrix is not positive definite: pivot ${pivot} is ${value}. Use a larger ridge.`,
		);
		this.name = "NotPositiveDefinite";
	}
}

/*
 * Every entry below is added up in ascending order of k (θ: descending), one term after the other, and divided by multiplying with
 * 1 / L_ii: the order of ../assembly/factor.ts, so that both have the same bits.
 */

/**
 * L of A = L Lᵀ, both packed lower triangles of order d (Golub & Van Loan, Matrix Computations, Alg. 4.2.1). Throws NotPositiveDefinite
 * where a pivot is not above `least`.
 */
export function cholesky(A: Float64Array, d: number, least = 0): Float64Array {
	const L = new Float64Array(packedLength(d));
	const reciprocals = new Float64Array(d);
	for (let i = 0; i < d; i++) {
		const row = rowOf(i);
		const four = i & ~3;
		for (let j = 0; j < four; j += 4) fourColumns(A, L, reciprocals, row, j);
		for (let j = four; j < i; j++)
			L[row + j] = remainder(A, L, row, j) * (reciprocals[j] as number);
		const pivot = remainder(A, L, row, i);
		if (!(pivot > least && pivot < Number.POSITIVE_INFINITY))
			throw new NotPositiveDefinite(i, pivot);
		const root = Math.sqrt(pivot);
		L[row + i] = root;
		reciprocals[i] = 1 / root;
	}
	return L;
}

/** A_ij − Σ_{k<j} L_ik L_jk of the row that begins at `row`. */
function remainder(
	A: Float64Array,
	L: Float64Array,
	row: number,
	j: number,
): number {
	const other = rowOf(j);
	let sum = A[row + j] as number;
	for (let k = 0; k < j; k++)
		sum -= (L[row + k] as number) * (L[other + k] as number);
	return sum;
}

/** Entries j to j + 3 of a row of L at once: a sum alone would wait for itself. */
function fourColumns(
	A: Float64Array,
	L: Float64Array,
	reciprocals: Float64Array,
	row: number,
	j: number,
): void {
	const row0 = rowOf(j);
	const row1 = row0 + j + 1;
	const row2 = row1 + j + 2;
	const row3 = row2 + j + 3;
	let s0 = A[row + j] as number;
	let s1 = A[row + j + 1] as number;
	let s2 = A[row + j + 2] as number;
	let s3 = A[row + j + 3] as number;
	for (let k = 0; k < j; k++) {
		const l = L[row + k] as number;
		s0 -= l * (L[row0 + k] as number);
		s1 -= l * (L[row1 + k] as number);
		s2 -= l * (L[row2 + k] as number);
		s3 -= l * (L[row3 + k] as number);
	}
	const l0 = s0 * (reciprocals[j] as number);
	s1 -= l0 * (L[row1 + j] as number);
	const l1 = s1 * (reciprocals[j + 1] as number);
	s2 -= l0 * (L[row2 + j] as number);
	s2 -= l1 * (L[row2 + j + 1] as number);
	const l2 = s2 * (reciprocals[j + 2] as number);
	s3 -= l0 * (L[row3 + j] as number);
	s3 -= l1 * (L[row3 + j + 1] as number);
	s3 -= l2 * (L[row3 + j + 2] as number);
	L[row + j] = l0;
	L[row + j + 1] = l1;
	L[row + j + 2] = l2;
	L[row + j + 3] = s3 * (reciprocals[j + 3] as number);
}

/** x of L Lᵀ x = b. */
export function solve(
	L: Float64Array,
	d: number,
	b: Float64Array,
): Float64Array {
	const x = Float64Array.from(b);
	for (let i = 0; i < d; i++) {
		const row = rowOf(i);
		let sum = x[i] as number;
		for (let k = 0; k < i; k++)
			sum -= (L[row + k] as number) * (x[k] as number);
		x[i] = sum * (1 / (L[row + i] as number));
	}
	for (let i = d - 1; i >= 0; i--) {
		const row = rowOf(i);
		const xi = (x[i] as number) * (1 / (L[row + i] as number));
		x[i] = xi;
		for (let j = 0; j < i; j++)
			x[j] = (x[j] as number) - (L[row + j] as number) * xi;
	}
	return x;
}

/** M = L⁻¹, both packed lower triangles: M_ij = −(Σ_{j ≤ k < i} L_ik M_kj) / L_ii. */
export function invertTriangle(L: Float64Array, d: number): Float64Array {
	const M = new Float64Array(packedLength(d));
	const sums = new Float64Array(d);
	for (let i = 0; i < d; i++) {
		const row = rowOf(i);
		const four = i & ~3;
		sums.fill(0, 0, i);
		for (let k = 0; k < four; k += 4) addFourRows(sums, L, row, M, k);
		for (let k = four; k < i; k++) addRow(sums, L[row + k] as number, M, k, 0);
		const reciprocal = 1 / (L[row + i] as number);
		for (let j = 0; j < i; j++)
			M[row + j] = -((sums[j] as number) * reciprocal);
		M[row + i] = reciprocal;
	}
	return M;
}

/** Rows k to k + 3 of M, so that a sum is read and written once for four terms. */
function addFourRows(
	sums: Float64Array,
	L: Float64Array,
	row: number,
	M: Float64Array,
	k: number,
): void {
	const row0 = rowOf(k);
	const row1 = row0 + k + 1;
	const row2 = row1 + k + 2;
	const row3 = row2 + k + 3;
	const l0 = L[row + k] as number;
	const l1 = L[row + k + 1] as number;
	const l2 = L[row + k + 2] as number;
	const l3 = L[row + k + 3] as number;
	for (let j = 0; j <= k; j++) {
		let sum = sums[j] as number;
		sum += l0 * (M[row0 + j] as number);
		sum += l1 * (M[row1 + j] as number);
		sum += l2 * (M[row2 + j] as number);
		sum += l3 * (M[row3 + j] as number);
		sums[j] = sum;
	}
	addRow(sums, l1, M, k + 1, k + 1);
	addRow(sums, l2, M, k + 2, k + 1);
	addRow(sums, l3, M, k + 3, k + 1);
}

/** sums_j += l · M_kj from column `from` to the diagonal. */
function addRow(
	sums: Float64Array,
	l: number,
	M: Float64Array,
	k: number,
	from: number,
): void {
	const row = rowOf(k);
	for (let j = from; j <= k; j++)
		sums[j] = (sums[j] as number) + l * (M[row + j] as number);
}

/** Where row i of a packed lower triangle begins. */
function rowOf(i: number): number {
	return (i * (i + 1)) / 2;
}
