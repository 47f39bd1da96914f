import {
	ArmBlock,
	addOuter,
	factorBlock,
	isCut,
	packBlock,
	packedLength,
	type Sheets,
	thetaOf,
	triangleOf,
	vector,
} from "#core/linalg";

/**
 * One arm's sufficient statistics in one Float64Array: `[n, b (d), A without λI (lower triangle by rows)]`, with
 * A = Σ x xᵀ and b = Σ R x over the n decisions learned (Li et al. 2010, Alg. 1, lines 11–12). On grid input every addition is exact.
 */
export function sumsLength(d: number): number {
	return 1 + d + packedLength(d);
}

export function emptySums(d: number): Float64Array {
	return new Float64Array(sumsLength(d));
}

/**
 * n += deltaN, A += deltaN · x xᵀ, b += deltaR · x; deltas may be negative: adding what was added, negated, takes it out exactly.
 * Throws RangeError, with the sums untouched, where x has not d finite entries or a delta is not finite: one NaN would stay for ever.
 */
export function addObservation(
	sums: Float64Array,
	d: number,
	x: Float64Array,
	deltaN: number,
	deltaR: number,
): void {
	requireVector(x, d);
	if (!Number.isFinite(deltaN) || !Number.isFinite(deltaR))
		throw new RangeError(
			`An observation moves the sums by finite numbers, not by n ${deltaN} and reward ${deltaR}.`,
		);
	sums[0] = (sums[0] as number) + deltaN;
	if (deltaR !== 0)
		for (let i = 0; i < d; i++)
			sums[1 + i] = (sums[1 + i] as number) + deltaR * (x[i] as number);
	if (deltaN !== 0) addOuter(sums, 1 + d, x, deltaN);
}

/** Throws RangeError unless x has d entries, all finite. */
export function requireVector(x: Float64Array, d: number): void {
	if (x.length !== d)
		throw new RangeError(`x has ${x.length} entries where ${d} are needed.`);
	for (let i = 0; i < d; i++)
		if (!Number.isFinite(x[i] as number))
			throw new RangeError(`x[${i}] is ${x[i]}; every entry must be finite.`);
}

/** target += weight · source, entry by entry. */
export function addInto(
	target: Float64Array,
	source: Float64Array,
	weight = 1,
): void {
	for (let i = 0; i < target.length; i++)
		target[i] = (target[i] as number) + weight * (source[i] as number);
}

export interface SumsView {
	readonly n: number;
	/** d entries. */
	readonly b: Float64Array;
	/** Packed lower triangle, without λI. */
	readonly A: Float64Array;
}

/** Views, not copies. */
export function viewSums(sums: Float64Array, d: number): SumsView {
	return {
		n: sums[0] as number,
		b: sums.subarray(1, 1 + d),
		A: sums.subarray(1 + d),
	};
}

/** What scoring reads of an arm: mean = θᵀx, width = ‖Mx‖ with a lower triangle M. */
export interface ArmModel {
	readonly d: number;
	readonly n: number;
	readonly theta: Float64Array;
	/** θ and M in the layout of the scoring kernel. */
	readonly block: ArmBlock;
}

/** A model of any θ (d entries) and lower triangle M (packed by rows, any sign) with width = ‖Mx‖. Throws RangeError for other lengths. */
export function armModel(
	n: number,
	theta: Float64Array,
	M: Float64Array,
	d: number,
): ArmModel {
	return { d, n, theta, block: packBlock(theta, M, d) };
}

/** One arm's regularised posterior: θ = A⁻¹b and N = L⁻¹ with A = LLᵀ, λ added to the diagonal of A, so that A⁻¹ = NᵀN. */
export interface ArmFactor {
	readonly n: number;
	readonly theta: Float64Array;
	/** Packed lower triangle by rows. */
	readonly N: Float64Array;
}

/** Factorises from the sums, so rounding never accumulates. Throws NotPositiveDefinite for sums that no data has. */
export function factorise(
	sums: Float64Array,
	d: number,
	ridge: number,
): ArmFactor {
	const { n, theta, block } = prepareArm(sums, d, ridge);
	return { n, theta, N: triangleOf(block) };
}

/**
 * The disjoint model: θ = A⁻¹b and M = L⁻¹ with A = LLᵀ, so ‖Mx‖² = xᵀA⁻¹x. λ is added to the diagonal of A; where it is so small beside
 * the sums that rounding would eat it, a little more is (see factorBlock). Throws NotPositiveDefinite for sums that no data has.
 * Its block is cut from `sheets` where they are given, and only that: θ stays when they are handed back, for explanations.
 */
export function prepareArm(
	sums: Float64Array,
	d: number,
	ridge: number,
	sheets?: Sheets,
): ArmModel {
	const block = factorBlock(sums.subarray(1), d, ridge, sheets);
	const theta = thetaOf(block);
	if (sheets === undefined) return { d, n: sums[0] as number, theta, block };
	const kept = vector(d);
	kept.set(theta);
	return { d, n: sums[0] as number, theta: kept, block };
}

/** The same model in memory of its own, which stays when sheets are handed back. */
export function apart(model: ArmModel): ArmModel {
	const { d, n } = model;
	if (!isCut(model.block.values)) return model;
	const block = new ArmBlock(d, model.block.values.slice());
	return { d, n, theta: thetaOf(block), block };
}
