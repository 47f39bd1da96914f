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
	/** Of a metric whose C is at most n, a rate: its variance is not taken for less than that of a rate at the limit. */
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
	const standardError = Math.sqrt(
		atLeastOfRate(policy, limit, level.isRate) +
			(compared === null
				? 0
				: atLeastOfRate(
						compared,
						policy.ratio - (limit - compared.ratio),
						level.isRate,
					)),
	);
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
 * Variance of a group's R, of a rate at least that of the rate p which it has at the limit: p(1 − p)/n. Where few decisions have shown much
 * less variation, as ten saves too few in a row, that is chance: against control without this, 21 % of runs paused falsely at a rate of 2 %.
 */
function atLeastOfRate(
	{ variance, n }: UnitRatio,
	p: number,
	isRate: boolean,
): number {
	if (!isRate) return variance;
	const rate = Math.min(1, Math.max(0, p));
	return Math.max(variance, (rate * (1 - rate)) / n);
}
