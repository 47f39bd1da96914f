/**
 * Sums over the units of one group: n is what a unit counts in the denominator (its learned decisions, say), C in the numerator (their reward).
 * Units are independent of each other, since groups are split by unit; a unit's decisions are not.
 */
export interface UnitMoments<Value = number> {
	readonly units: Value;
	/** Σ n. */
	readonly n: Value;
	/** Σ C. */
	readonly c: Value;
	/** Σ n². */
	readonly nn: Value;
	/** Σ n C. */
	readonly nc: Value;
	/** Σ C². */
	readonly cc: Value;
}

/** R = ΣC/Σn over the units of a group. */
export interface UnitRatio {
	readonly units: number;
	/** Σ n. */
	readonly n: number;
	/** R; NaN where Σn is 0. */
	readonly ratio: number;
	/** Of R, by the delta method over units; NaN with fewer than two units. 0 where all units have the same C/n. */
	readonly variance: number;
}

/** Below this share of ΣC² what is left of the centred sum is rounding. */
const ROUNDING = 1e-12;

/**
 * R with its variance by the delta method, where both a unit's C and its n vary:
 *
 *   Var R ≈ (s²_C − 2R·s_nC + R²·s²_n) / (U n̄²) = U/(U − 1) · Σ(C − R n)² / (Σn)², since Σ(C − R n) = 0
 *
 * Deng, Knoblich, Lu 2018, "Applying the Delta Method in Metric Analytics", eq. (4). For whole numbers below 2⁵³, where each sum is exact;
 * larger ones go through `exactRatioOfSums`.
 */
export function ratioOfSums(moments: UnitMoments): UnitRatio {
	const { units, n, c, nn, nc, cc } = moments;
	const ratio = c / n;
	const centred = cc - 2 * ratio * nc + ratio * ratio * nn;
	const squares = centred > ROUNDING * cc ? centred : 0;
	return unitRatio(units, n, ratio, squares / (n * n));
}

/**
 * The same from whole numbers of any size, such as the decimal strings of a numeric column, C in multiples of `cUnit`. The centred sum is
 * made before the first rounding, as (Σn)²·Σ(C − R n)² = N²ΣC² − 2NC·ΣnC + C²Σn² with N = Σn, C = ΣC, so that nothing cancels however
 * small the spread beside the mean. Throws SyntaxError for what is no whole number, RangeError for sums that no units have.
 */
export function exactRatioOfSums(
	moments: UnitMoments<bigint | string>,
	cUnit = 1,
): UnitRatio {
	const [units, n, c, nn, nc, cc] = (
		["units", "n", "c", "nn", "nc", "cc"] as const
	).map((name) => BigInt(moments[name])) as [
		bigint,
		bigint,
		bigint,
		bigint,
		bigint,
		bigint,
	];
	const centred = n * n * cc - 2n * n * c * nc + c * c * nn;
	if (centred < 0n || units < 0n)
		throw new RangeError(
			`No units have the sums ${JSON.stringify([units, n, c, nn, nc, cc].map(String))} (units, Σn, ΣC, Σn², ΣnC, ΣC²).`,
		);
	const size = Number(n);
	return unitRatio(
		Number(units),
		size,
		(Number(c) / size) * cUnit,
		(Number(centred) / size ** 4) * cUnit ** 2,
	);
}

function unitRatio(
	units: number,
	n: number,
	ratio: number,
	relativeSquares: number,
): UnitRatio {
	const variance =
		units >= 2 ? (units / (units - 1)) * relativeSquares : Number.NaN;
	return { units, n, ratio, variance };
}
