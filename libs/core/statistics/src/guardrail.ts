import { isNearEnd, type Range, whyRare } from "./lift.js";
import { oneSidedMixtureBoundary } from "./normal-mixture.js";
import type { UnitRatio } from "./unit-moments.js";

/** What the policy group's metric must not do. Its R is a ratio of sums over units, of decisions whose `within` window has closed. */
export type GuardrailRule =
	| { readonly kind: "max"; readonly limit: number }
	| { readonly kind: "min"; readonly limit: number }
	/** Not worse than control's by more than `margin` ≥ 0; `worse` says which way is worse. */
	| {
			readonly kind: "versusControl";
			readonly margin: number;
			readonly worse: "higher" | "lower";
	  };

export interface GuardrailLevel {
	/** α of this guardrail: the experiment's share of guardrails' α over their number. */
	readonly alpha: number;
	/** τ of the mixture, fixed before start: `mixtureScale` of the planner's SE at the size where a breach is to be found, 1,000 decisions for want of another. */
	readonly tau: number;
	/** What the metric cannot pass; infinite where it has no end. */
	readonly range: Range;
	/** What a decision counts for of which nothing comes, in the range. */
	readonly rest: number;
	/** Of a metric whose C is at most n. */
	readonly isRate: boolean;
	readonly firstLook: FirstLook;
}

export interface FirstLook {
	/** Σn of the policy group, and of control where it is compared with. */
	readonly decisions: number;
	readonly units: number;
}

export const DEFAULT_FIRST_LOOK: FirstLook = { decisions: 100, units: 100 };

/** What one look says. Whoever looks keeps `breached` for good, until a person resumes. */
export type GuardrailLook =
	| { readonly kind: "waiting"; readonly reason: string }
	| {
			readonly kind: "holds" | "breached";
			/** R of the policy group, and what it is held against: the limit, or control's mean and the margin. */
			readonly value: number;
			readonly limit: number;
			/** How far R is beyond the limit, above 0 for worse, and its one-sided lower confidence bound, valid at all looks at once. */
			readonly excess: number;
			readonly standardError: number;
			readonly atLeast: number;
	  };

/**
 * One look of a guardrail: breached where excess − width · SE > 0, SE over units by the delta method, width of the one-sided normal mixture in
 * the clock 1/SE² (`oneSidedMixtureBoundary`, ρ = 1/τ²). With a metric exactly at its limit it is breached at any look ever with probability at most α.
 */
export function lookAtGuardrail(
	rule: GuardrailRule,
	policy: UnitRatio,
	control: UnitRatio | null,
	level: GuardrailLevel,
): GuardrailLook {
	const compared = rule.kind === "versusControl" ? control : null;
	if (rule.kind === "versusControl" && compared === null)
		return {
			kind: "waiting",
			reason: "there is no control group to compare with",
		};
	const waiting =
		whyWaiting("policy", policy, level.firstLook) ??
		(compared && whyWaiting("control", compared, level.firstLook));
	if (waiting !== null) return { kind: "waiting", reason: waiting };
	const worseIsHigher =
		rule.kind === "max" ||
		(rule.kind === "versusControl" && rule.worse === "higher");
	const limit = limitOf(rule, compared, worseIsHigher);
	const excess = worseIsHigher ? policy.ratio - limit : limit - policy.ratio;
	const variances =
		compared === null
			? ofOne(policy, limit, level)
			: ofTwo(policy, compared, limit, level);
	if (typeof variances === "string")
		return { kind: "waiting", reason: variances };
	const standardError = Math.sqrt(variances.reduce((sum, one) => sum + one));
	if (standardError === 0)
		return {
			kind: "waiting",
			reason: "every decision had the same value so far",
		};
	const v = standardError ** -2;
	const u = oneSidedMixtureBoundary(v, level.tau ** -2, level.alpha);
	const atLeast = excess - u / v;
	return {
		kind: atLeast > 0 ? "breached" : "holds",
		value: policy.ratio,
		limit,
		excess,
		standardError,
		atLeast,
	};
}

function limitOf(
	rule: GuardrailRule,
	control: UnitRatio | null,
	worseIsHigher: boolean,
): number {
	if (rule.kind !== "versusControl") return rule.limit;
	const mean = control?.ratio as number;
	return worseIsHigher ? mean + rule.margin : mean - rule.margin;
}

function whyWaiting(
	name: string,
	{ units, n }: UnitRatio,
	least: FirstLook,
): string | null {
	if (units < Math.max(2, least.units))
		return `${units} units in the ${name} group, where ${Math.max(2, least.units)} are needed`;
	if (n < least.decisions)
		return `${n} decisions in the ${name} group, where ${least.decisions} are needed`;
	return null;
}

/**
 * Variance of R of a group that is held against a limit, or why it is not known. Where R rests on few events, how much it varies is known
 * worse than its own SE says: then it varies as much as anything within the range can whose mean is at the limit,
 * (limit − low)(high − limit)/n. A rate always varies so much.
 */
function ofOne(
	policy: UnitRatio,
	limit: number,
	level: GuardrailLevel,
): readonly number[] | string {
	const { range, isRate } = level;
	if (!isRate && !restsOnFew(policy, limit, level)) return [policy.variance];
	const most = mostVariance(limit, range);
	if (most === Infinity)
		return whyRare("the policy", policy, range) ?? [policy.variance];
	return [Math.max(policy.variance, most / policy.n)];
}

/** Whether R is near an end of its range, or nearer to what nothing comes to than the limit is, and near that. */
function restsOnFew(
	policy: UnitRatio,
	limit: number,
	{ range, rest }: GuardrailLevel,
): boolean {
	const isOnTheWay = (policy.ratio - rest) * (limit - policy.ratio) >= 0;
	return (
		isNearEnd(policy, range) || (isOnTheWay && isNearEnd(policy, [rest, rest]))
	);
}

/**
 * The same of policy and control. At the limit they vary alike: a decision of each as one of the other, of a rate as one of the rate that
 * it has at the limit. Without this 21 % of runs paused falsely at a rate of 2 %, since control that saw few events by chance also thinks
 * itself sure.
 */
function ofTwo(
	policy: UnitRatio,
	control: UnitRatio,
	limit: number,
	{ range, isRate }: GuardrailLevel,
): readonly number[] {
	if (isRate) {
		const ofControl = policy.ratio - (limit - control.ratio);
		return [
			Math.max(policy.variance, mostVariance(limit, range) / policy.n),
			Math.max(control.variance, mostVariance(ofControl, range) / control.n),
		];
	}
	const most = Math.max(
		policy.variance * policy.n,
		control.variance * control.n,
	);
	return [most / policy.n, most / control.n];
}

/** Of one observation with a mean, in a range. */
function mostVariance(mean: number, [low, high]: Range): number {
	const inside = Math.min(high, Math.max(low, mean));
	return inside === low || inside === high
		? 0
		: (inside - low) * (high - inside);
}
