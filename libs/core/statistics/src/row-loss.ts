import { gammaExponentialBoundary } from "./gamma-exponential.js";
import { mixtureRho } from "./normal-mixture.js";
import { requireAlpha, requireNotNegative } from "./require.js";

/** Of one arm, over the decisions that arrived in which it could be drawn. */
export interface ArmDraws {
	/** Σ 1{A = a}. */
	readonly drawn: number;
	/** Σ p(a), the logged propensity of the row's own group. */
	readonly expected: number;
	/** Σ p(a)(1 − p(a)). */
	readonly variance: number;
}

export interface DrawBalance {
	/** drawn − expected: below 0 where the arm's rows are lost, above where others' are. */
	readonly excess: number;
	/** What it stays within, either way, at all looks at once with probability 1 − α over all arms. */
	readonly atMost: number;
	readonly isOff: boolean;
}

/** Variance at which the boundary is narrowest: some 6,000 decisions over five arms; a loss of one row in ten shows by then. */
const NARROWEST_AT = 1_000;

/**
 * Whether rows are lost by the arm that they drew, which no count of rows shows. S = Σ (1{A = a} − p(a)) is a martingale whatever the policy
 * learns, of steps in [−1, 1] and the variance V = Σ p(1 − p), so by Bennett's inequality sub-exponential of scale 1 in the clock V either
 * way: |S| stays below the gamma-exponential boundary u(V) at α/(2K) at all times at once (Howard, Ramdas, McAuliffe, Sekhon 2021,
 * proposition 9 and table 3), exactly and from the first row on. Rows lost whatever they drew do not move S; the publishers' sequences show those.
 */
export function drawBalances(
	arms: readonly ArmDraws[],
	alpha: number,
): DrawBalance[] {
	requireAlpha(alpha);
	const each = alpha / (2 * arms.length);
	const rho = mixtureRho(NARROWEST_AT, 2 * each);
	return arms.map(({ drawn, expected, variance }) => {
		requireNotNegative(variance, "Σ p(1 − p)");
		const excess = drawn - expected;
		const atMost = gammaExponentialBoundary(variance, rho, each);
		return { excess, atMost, isOff: Math.abs(excess) > atMost };
	});
}
