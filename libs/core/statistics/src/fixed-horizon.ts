import { studentQuantile, studentTails } from "./distributions.js";
import type { Effect } from "./effect.js";
import { around, type Interval } from "./interval.js";
import { requireAlpha } from "./require.js";

/** An interval and the p-value of "no effect". */
export interface Tested extends Interval {
	readonly pValue: number;
}

/**
 * Welch's t-test of an effect: estimate ± t_{1−α/2, dof}·SE and the two-sided p-value. Valid at one time chosen beforehand; whoever looks
 * again and again is misled far more often than α. The product shows it nowhere as a verdict; benchmarks say what it would have
 * claimed. Welch 1947, "The generalization of Student's problem". Null where the standard error is 0 or the degrees of freedom are not
 * above 0: nothing has varied, so nothing can be said. Throws RangeError for an α outside (0, 1).
 */
export function welchTest(effect: Effect, alpha: number): Tested | null {
	requireAlpha(alpha);
	const { estimate, standardError, dof } = effect;
	if (!(standardError > 0 && dof > 0)) return null;
	return {
		...around(estimate, studentQuantile(alpha, dof) * standardError),
		pValue: studentTails(estimate / standardError, dof),
	};
}
