import {
	ALL,
	type BookedCounts,
	type BookedMoments,
	type Side,
	type Slice,
} from "#core/booking";
import {
	type EpochGroups,
	lift,
	type Range,
	type UnitRatio,
	type Withheld,
} from "#core/statistics";
import {
	groupRatio,
	type MetricRole,
	NO_UNITS,
	type PlannedMetric,
	type PlanSummary,
	tauOfFirstLook,
} from "./analysis-plan.js";
import {
	ALPHA,
	type Compared,
	type Estimate,
	liftEstimate,
	relativeEstimate,
} from "./estimate.js";
import type { FootnoteId } from "./footnotes.js";

/** One group's part of a metric, over decisions whose windows are closed. */
export interface GroupMean {
	/** Those of the epoch that has most: a unit may be in several, so there are at least so many. */
	readonly units: number;
	/** Σ n. */
	readonly n: number;
	/** Σ C; null where it would tell a mean that is covered or withheld. */
	readonly sum: number | null;
	/** ΣC / Σn; null where n is 0. */
	readonly mean: number | null;
	/** Over units, by the delta method; null with fewer than two. */
	readonly standardError: number | null;
}

export interface MetricSummary {
	readonly metric: string;
	readonly role: MetricRole;
	/** What its values are measured in, such as `share` or `seconds`. */
	readonly unit: string;
	readonly better: "higher" | "lower";
	/** Where it is said what it counts. */
	readonly footnote: FootnoteId;
	/** The most that one unit's total counts for; null: there is no such. */
	readonly cap: number | null;
	readonly policy: GroupMean;
	readonly control: GroupMean;
	readonly lift: Estimate;
	readonly relativeLift: Estimate;
	/** Control's mean with its epochs weighted as the policy's are: what the lift is measured from; null before the first look. */
	readonly comparedWith: number | null;
	/** Smallest p so far of "no lift at any time so far"; null before the first look. */
	readonly pValue: number | null;
}

export interface Look {
	/** Decisions before then are in it, milliseconds since the epoch. */
	readonly at: number;
	readonly estimate: number;
	readonly low: number;
	readonly high: number;
	readonly pValue: number;
}

const NO_CONTROL: Withheld = {
	kind: "withheld",
	reason:
		"traffic.control is 0, and without a control group nobody can tell what the policy is worth",
};

/** Groups of every epoch of a slice, that metric. */
export function groupsOf(
	{ epochs }: BookedCounts,
	place: number,
	slice: Slice = ALL,
): readonly EpochGroups[] {
	return epochs.map(({ slices }) => {
		const of = (side: Side): UnitRatio =>
			groupRatio(
				slices.find((one) => one.slice === slice && one.group === side),
				place,
			);
		return { policy: of("policy"), control: of("control") };
	});
}

/** Of a comparison: its α, τ (null before the first look), and what the metric cannot pass. */
export interface LiftScale {
	readonly alpha: number;
	readonly tau: number | null;
	readonly range: Range;
}

/** Of what has no plan before its first look: there is a lift, but nothing has fixed how its interval is scaled. */
export const UNSCALED =
	"no plan was declared for it, so its interval is scaled by the spread at the first full hour of decisions, once that is booked";

/** Over epochs; withheld before the first look, and where there is no control. */
export function compare(
	groups: readonly EpochGroups[],
	scale: LiftScale,
	hasControl: boolean,
): Compared {
	if (!hasControl && groups.every(({ control }) => control.units === 0))
		return NO_CONTROL;
	// Without τ the lift itself, and why there is none, do not depend on it.
	const found = lift(groups, { ...scale, tau: scale.tau ?? 1 });
	return found.kind === "withheld" || scale.tau !== null
		? found
		: { kind: "withheld", reason: UNSCALED, lift: found.lift };
}

/** Of closed cohorts: whoever reads that there are too few must know which are counted. */
export function ofClosed(found: Compared): Compared {
	return found.kind === "shown"
		? found
		: {
				...found,
				reason: `${found.reason}; a listener counts once the days are over, and only if the experiment still ran then`,
			};
}

export function scaleOf(
	booked: BookedCounts,
	metric: PlannedMetric,
	plan: PlanSummary | null,
): number | null {
	return plan !== null && plan.metric === metric.metric
		? plan.tau
		: tauOfFirstLook(booked, metric, plan?.plannedUnits ?? null);
}

export function summariseMetric(
	booked: BookedCounts,
	metric: PlannedMetric,
	plan: PlanSummary | null,
	hasControl: boolean,
): MetricSummary {
	const tau = scaleOf(booked, metric, plan);
	const compared = compare(
		groupsOf(booked, metric.place),
		{ alpha: ALPHA, tau, range: metric.range },
		hasControl,
	);
	const found = metric.footnote === "returns" ? ofClosed(compared) : compared;
	const earlier = tau === null ? [] : looksOver(booked, metric, tau);
	const seen = [
		...earlier.map(({ pValue }) => pValue),
		...(found.kind === "shown" ? [found.pValue] : []),
	];
	const { place: _, range: __, ...words } = metric;
	return {
		...words,
		policy: meanOf(booked, metric.place, "policy"),
		control: meanOf(booked, metric.place, "control"),
		lift: liftEstimate(found, { alpha: ALPHA, footnote: "lift" }),
		relativeLift: relativeEstimate(found, {
			alpha: ALPHA,
			footnote: "relative-lift",
		}),
		comparedWith: found.kind === "shown" ? found.controlMean : null,
		pValue: seen.length === 0 ? null : Math.min(...seen),
	};
}

/** The sequence at the looks that were kept: at each, every epoch as it was at its last look until then. */
export function looksOver(
	{ looks }: BookedCounts,
	{ place, range }: Pick<PlannedMetric, "place" | "range">,
	tau: number,
): readonly Look[] {
	const seen: Look[] = [];
	const latest = new Map<number, Map<Side, UnitRatio>>();
	looks.forEach(({ at, epoch, group, moments }, i) => {
		const sides = latest.get(epoch) ?? new Map<Side, UnitRatio>();
		latest.set(epoch, sides.set(group, groupRatio({ moments }, place)));
		if (looks[i + 1]?.at === at) return;
		const found = lift(
			[...latest.values()].map((sides) => ({
				policy: sides.get("policy") ?? NO_UNITS,
				control: sides.get("control") ?? NO_UNITS,
			})),
			{ alpha: ALPHA, tau, range },
		);
		if (found.kind === "withheld") return;
		const { lift: estimate, low, high, pValue } = found;
		seen.push({ at, estimate, low, high, pValue });
	});
	return seen;
}

/**
 * All epochs together: a description, not what the lift is made of. A unit may be in several of them, so SE is the sum of what each adds:
 * the most that any dependence between them can make of it.
 */
export function meanOf(
	{ epochs }: BookedCounts,
	place: number,
	side: Side,
	slice: Slice = ALL,
): GroupMean {
	const strata = epochs.flatMap(({ slices }) => {
		const own = slices.find((one) => one.slice === slice && one.group === side)
			?.moments[place];
		return own === undefined || own.n === 0 ? [] : [own];
	});
	const total = (of: "n" | "c") =>
		strata.reduce((sum, moments) => sum + moments[of], 0);
	const [n, c] = [total("n"), total("c")];
	const units = Math.max(0, ...strata.map((moments) => moments.units));
	const mean = n === 0 ? null : c / n;
	return { units, n, sum: c, mean, standardError: errorOf(strata, n, c) };
}

/** Below this share of ΣC² what is left of the centred sum is rounding. */
const ROUNDING = 1e-12;

/** Σ √(U/(U − 1) · Σ(d − d̄)²) / Σn over epochs, d = C − R·n; null where no epoch has two units. */
function errorOf(
	strata: readonly BookedMoments[],
	n: number,
	c: number,
): number | null {
	const able = strata.filter(({ units }) => units >= 2);
	if (able.length === 0) return null;
	if (strata.length === 1) {
		const { variance } = groupRatio({ moments: strata }, 0);
		return Math.sqrt(variance);
	}
	const ratio = c / n;
	const errors = able.map((own) => {
		const squares = own.cc - 2 * ratio * own.nc + ratio * ratio * own.nn;
		const drift = own.c - ratio * own.n;
		const centred = squares - (drift * drift) / own.units;
		const isRounding = !(centred > ROUNDING * own.cc);
		return isRounding ? 0 : Math.sqrt((centred * own.units) / (own.units - 1));
	});
	return errors.reduce((sum, error) => sum + error, 0) / n;
}
