import { ALL, type BookedSlice, type Side } from "#core/booking";
import {
	adjustByCovariate,
	type CovariateMoments,
	ratioOfSums,
	whyNotYet,
} from "#core/statistics";
import type { PlannedMetric } from "./analysis-plan.js";
import {
	ALPHA,
	type Estimate,
	halfWidth,
	shownEstimate,
	withheldEstimate,
} from "./estimate.js";
import { UNSCALED } from "./metric-summary.js";
import type { ReportInput } from "./report.js";

const KIND = { alpha: ALPHA, footnote: "cuped" } as const;

/** The lift with what the covariate foretold taken out (`adjustByCovariate`), in the first epoch of all: later ones begin with listeners whom the policy has treated. */
export function adjustedLift(
	{
		booked: { epochs },
		atStart: { covariate },
		servedBefore,
	}: Pick<ReportInput, "booked" | "atStart" | "servedBefore">,
	{ place, range }: Pick<PlannedMetric, "place" | "range">,
	tau: number | null,
): Estimate {
	if (covariate === undefined)
		return withheldEstimate("no covariate was declared", KIND);
	if (servedBefore)
		return withheldEstimate(
			`an earlier run or version of the experiment served listeners, so its policy may have moved ${covariate} of those who came before`,
			KIND,
		);
	if (epochs.length > 1)
		return withheldEstimate(
			"listeners are counted in several epochs, since control's share or baseline changed, so the policy may have moved the covariate of those who came before",
			KIND,
		);
	const slices = epochs[0]?.slices ?? [];
	const of = (side: Side) =>
		slices.find(({ slice, group }) => slice === ALL && group === side);
	const [policy, control] = [of("policy"), of("control")];
	const few = withheldEstimate(
		`not enough listeners with a value of ${covariate} yet`,
		KIND,
	);
	if (!policy?.covariate || !control?.covariate) return few;
	if (tau === null) return withheldEstimate(UNSCALED, KIND);
	const centre =
		(policy.covariate.x + control.covariate.x) /
		(policy.covariate.units + control.covariate.units);
	const [p, c] = [policy, control].map((slice) =>
		around(slice, place, centre),
	) as [CovariateMoments, CovariateMoments];
	const early = whyNotYet(
		{ policy: ratioOfSums(p), control: ratioOfSums(c) },
		range,
	);
	if (early !== null) return withheldEstimate(early, KIND);
	const adjusted = adjustByCovariate(c, p);
	if (adjusted === null || !(adjusted.absolute.standardError > 0)) return few;
	const { estimate, standardError } = adjusted.absolute;
	const half = halfWidth(standardError, tau, ALPHA);
	return shownEstimate(
		{ estimate, standardError, low: estimate - half, high: estimate + half },
		KIND,
	);
}

/** Sums with x counted from `centre`, so that a unit without a covariate, taken to have that, adds nothing. */
function around(
	{ moments, covariate }: BookedSlice,
	place: number,
	centre: number,
): CovariateMoments {
	const sums = moments[place] as BookedSlice["moments"][number];
	const of = covariate?.metrics[place] ?? { n: 0, c: 0, xn: 0, xc: 0 };
	const { units, x, xx } = covariate ?? { units: 0, x: 0, xx: 0 };
	return {
		...sums,
		x: x - centre * units,
		xx: xx - 2 * centre * x + centre * centre * units,
		xn: of.xn - centre * of.n,
		xc: of.xc - centre * of.c,
	};
}
