import type { BookedCounts, Side } from "#core/booking";
import { BUILT_IN_METRICS, type Experiment, isBuiltIn } from "#core/experiment";
import { analysisPlan, type Per, rangeOf, STEPS } from "#core/metrics";
import {
	mixtureScale,
	plannedStandardError,
	type Range,
	ratioOfSums,
	type UnitRatio,
	whyNotYet,
} from "#core/statistics";
import { ALPHA } from "./estimate.js";
import type { FootnoteId } from "./footnotes.js";

export type MetricRole = "primary" | "secondary" | "exploratory" | "guardrail";

/** Fixed before the start. */
export interface PlanSummary {
	readonly metric: string;
	readonly unit: string;
	readonly smallestEffect: number;
	readonly plannedUnits: number;
	/** The planner's SE of the lift at the planned size. */
	readonly plannedStandardError: number;
	/** Scale of the mixture: 2.82 times that. */
	readonly tau: number;
	readonly alpha: number;
}

export interface PlannedMetric {
	readonly metric: string;
	readonly role: MetricRole;
	readonly unit: string;
	readonly better: "higher" | "lower";
	/** Place among the booked metrics. */
	readonly place: number;
	/** What it cannot pass. */
	readonly range: Range;
	/** Where it is said what it counts. */
	readonly footnote: FootnoteId;
	/** The most that one unit's total counts for, in its own unit: winsorised there; null: nowhere. */
	readonly cap: number | null;
}

const COUNTS: { readonly [per in Per]: FootnoteId } = {
	learned: "per-learned-decision",
	decision: "per-decision",
	impression: "per-impression",
	play: "per-event",
	event: "per-event",
	session: "per-session",
	unit: "per-listener",
	"closed unit": "returns",
};

/** What a report without a plan is scaled for. */
export const UNPLANNED_UNITS = 10_000;

export const DEFAULT_PRIMARY = "reward";

/** Where that stands among the booked metrics. */
export function placeOfReward({ metrics }: BookedCounts): number {
	return metrics.findIndex(({ name }) => name === DEFAULT_PRIMARY);
}

/** The plan as it stood when the analysis began; null where none was declared, or there is one group only. */
export function planOf(atStart: Experiment): PlanSummary | null {
	const plan = analysisPlan(atStart, ALPHA);
	if (plan === null) return null;
	const { metric, smallestEffect, plannedUnits, standardError, tau } = plan;
	return {
		metric,
		unit: wordsOf(atStart, metric).unit,
		smallestEffect,
		plannedUnits,
		plannedStandardError: standardError,
		tau,
		alpha: ALPHA,
	};
}

/** The metrics in the order of a report: the primary, those declared, then what was declared nowhere. */
export function rankMetrics(
	current: Experiment,
	atStart: Experiment,
	booked: BookedCounts,
): readonly PlannedMetric[] {
	const primary = atStart.metrics?.primary?.metric ?? DEFAULT_PRIMARY;
	const secondary = new Set(atStart.metrics?.secondary);
	const guarded = new Set(atStart.guardrails.map(({ metric }) => metric));
	const roleOf = (name: string): MetricRole => {
		if (name === primary) return "primary";
		if (secondary.has(name)) return "secondary";
		return guarded.has(name) ? "guardrail" : "exploratory";
	};
	const ranks: readonly MetricRole[] = [
		"primary",
		"secondary",
		"guardrail",
		"exploratory",
	];
	return booked.metrics
		.map((metric, place) => ({
			metric: metric.name,
			role: roleOf(metric.name),
			...wordsOf(
				defines(atStart, metric.name) ? atStart : current,
				metric.name,
			),
			place,
			range: rangeOf(metric, current.reward),
			footnote: COUNTS[metric.per],
			cap: metric.cap === null ? null : metric.cap / STEPS,
		}))
		.sort((a, b) => ranks.indexOf(a.role) - ranks.indexOf(b.role));
}

function defines({ metrics }: Experiment, name: string): boolean {
	return metrics?.define.some((own) => own.name === name) ?? false;
}

function wordsOf(
	{ metrics }: Pick<Experiment, "metrics">,
	name: string,
): Pick<PlannedMetric, "unit" | "better"> {
	if (isBuiltIn(name)) {
		const { unit, better } = BUILT_IN_METRICS[name];
		return { unit, better };
	}
	const own = metrics?.define.find((metric) => metric.name === name);
	return { unit: own?.unit ?? "", better: own?.better ?? "higher" };
}

/**
 * τ of a metric for which none was declared: from the spread that units showed at the first look that was kept, held from then on, at the
 * planned size. Null before that look: what is booked now may be another spread at the next reading, so it fixes nothing.
 */
export function tauOfFirstLook(
	booked: BookedCounts,
	{ place, range }: Pick<PlannedMetric, "place" | "range">,
	plannedUnits: number | null,
): number | null {
	for (const groups of groupsByTime(booked, place)) {
		if (whyNotYet(groups, range) !== null) continue;
		const { policy, control } = groups;
		const size = 1 / policy.units + 1 / control.units;
		const spread = Math.sqrt((policy.variance + control.variance) / size);
		return mixtureScale(
			plannedStandardError({
				spread,
				units: plannedUnits ?? UNPLANNED_UNITS,
				control: control.units / (policy.units + control.units),
			}),
		);
	}
	return null;
}

type Groups = { readonly [side in Side]: UnitRatio };

/** At each look that was kept, epoch by epoch. */
function* groupsByTime(
	{ looks }: BookedCounts,
	place: number,
): Generator<Groups> {
	for (const [i, look] of looks.entries()) {
		const before = looks[i - 1];
		if (before?.at !== look.at || before.epoch !== look.epoch) continue;
		const [control, policy] =
			look.group === "policy" ? [before, look] : [look, before];
		yield {
			policy: groupRatio(policy, place),
			control: groupRatio(control, place),
		};
	}
}

export const NO_UNITS: UnitRatio = {
	units: 0,
	n: 0,
	ratio: Number.NaN,
	variance: Number.NaN,
};

export function groupRatio(
	slice:
		| { readonly moments: readonly Parameters<typeof ratioOfSums>[0][] }
		| undefined,
	place: number,
): UnitRatio {
	const moments = slice?.moments[place];
	return moments === undefined || moments.n === 0
		? { ...NO_UNITS, units: moments?.units ?? 0 }
		: ratioOfSums(moments);
}
