import { packedLength } from "./packed-symmetric.js";

export class NotPositiveDefinite extends Error {
	constructor(pivot: number, value: number) {
		super(
			`The matrix is not positive definite: pivot ${pivot} is ${value}. Use a larger ridge.`,
		);
		this.name = "NotPositiveDefinite";
	}
}

/** L of A = L Lᵀ, both packed lower triangles of order d (Golub & Van Loan, Alg. 4.2.1). Throws NotPositiveDefinite. */
export function cholesky(A: Float64Array, d: number): Float64Array {
	const L = new Float64Array(packedLength(d));
	for (let i = 0; i < d; i++) {
		const rowI = (i * (i + 1)) / 2;
		for (let j = 0; j <= i; j++) {
			const rowJ = (j * (j + 1)) / 2;
			let sum = A[rowI + j] as number;
			for (let k = 0; k < j; k++)
				sum -= (L[rowI + k] as number) * (L[rowJ + k] as number);
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

/** A⁻¹ of A = L Lᵀ, packed: M = L⁻¹ first, then A⁻¹ = MᵀM. */
export function invertPacked(L: Float64Array, d: number): Float64Array {
	const M = invertTriangle(L, d);
	const inverse = new Float64Array(packedLength(d));
	for (let k = 0; k < d; k++) {
		const row = (k * (k + 1)) / 2;
		let at = 0;
		for (let i = 0; i <= k; i++) {
			const mki = M[row + i] as number;
			for (let j = 0; j <= i; j++, at++)
				inverse[at] = (inverse[at] as number) + mki * (M[row + j] as number);
		}
	}
	return inverse;
}

/** L⁻¹, packed lower triangle, by forward substitution column by column. */
function invertTriangle(L: Float64Array, d: number): Float64Array {
	const M = new Float64Array(packedLength(d));
	for (let j = 0; j < d; j++) {
		M[(j * (j + 1)) / 2 + j] = 1 / (L[(j * (j + 1)) / 2 + j] as number);
		for (let i = j + 1; i < d; i++) {
			const row = (i * (i + 1)) / 2;
			let sum = 0;
			for (let k = j; k < i; k++)
				sum -= (L[row + k] as number) * (M[(k * (k + 1)) / 2 + j] as number);
			M[row + j] = sum / (L[row + i] as number);
		}
	}
	return M;
}
