import type { Side } from "#core/booking";
import { STEPS } from "#core/metrics";
import {
	exactRatioOfSums,
	type GuardrailLook,
	lookAtGuardrail,
	type UnitMoments,
	type UnitRatio,
} from "#core/statistics";
import type { Guard } from "./guard-plan.js";

/** Sums of one of a book's metrics, by group; a group without any has none. */
export type SumsBySide = {
	readonly [side in Side]?: UnitMoments<bigint | string>;
};

export interface Looked {
	readonly look: GuardrailLook;
	/** Of the policy group: Σn, and units. */
	readonly decisions: number;
	readonly units: number;
	/** What it says, for people. */
	readonly sentence: string;
}

const NOBODY: UnitRatio = { units: 0, n: 0, ratio: 0, variance: 0 };

/** One look of a guard at what is counted so far. */
export function lookAtGuard(guard: Guard, sums: SumsBySide): Looked {
	const policy = ratioOf(sums.policy) ?? NOBODY;
	const look = lookAtGuardrail(
		guard.rule,
		policy,
		ratioOf(sums.control) ?? NOBODY,
		guard.level,
	);
	return {
		look,
		decisions: policy.n,
		units: policy.units,
		sentence: sentenceOf(guard, look, policy),
	};
}

function ratioOf(
	moments: UnitMoments<bigint | string> | undefined,
): UnitRatio | null {
	if (moments === undefined || BigInt(moments.n) === 0n) return null;
	return exactRatioOfSums(moments, 1 / STEPS);
}

function sentenceOf(
	guard: Guard,
	look: GuardrailLook,
	{ n, units }: UnitRatio,
): string {
	const { metric } = guard;
	if (look.kind === "waiting")
		return `${metric} cannot be judged yet: ${look.reason}.`;
	const said = (value: number) => inUnits(guard, value);
	const over = `over ${n} of the policy group's ${n === 1 ? "decision" : "decisions"} by ${units} units`;
	const [bound, way] = isWorseAbove(guard)
		? [look.limit + look.atLeast, "at least"]
		: [look.limit - look.atLeast, "at most"];
	const measured = `${metric} is ${said(look.value)} ${over}; with all looks counted it is ${way} ${said(bound)}`;
	return look.kind === "breached"
		? `${measured}, beyond ${limitInWords(guard, look.limit)}.`
		: `${measured}, which does not prove it beyond ${limitInWords(guard, look.limit)}.`;
}

function limitInWords({ rule, ...guard }: Guard, limit: number): string {
	const said = (value: number) => inUnits(guard, value);
	switch (rule.kind) {
		case "max":
			return `the limit of ${said(limit)} at most`;
		case "min":
			return `the limit of ${said(limit)} at least`;
		case "versusControl": {
			const worse = rule.worse === "higher" ? 1 : -1;
			const mean = said(limit - worse * rule.margin);
			return `control's ${mean} and the margin of ${said(rule.margin)}`;
		}
	}
}

function isWorseAbove({ rule }: Guard): boolean {
	return (
		rule.kind === "max" ||
		(rule.kind === "versusControl" && rule.worse === "higher")
	);
}

function inUnits(
	{ isShare, unit }: Pick<Guard, "isShare" | "unit">,
	value: number,
): string {
	if (isShare) return `${rounded(100 * value)} %`;
	return unit === "reward" || unit === "value"
		? rounded(value)
		: `${rounded(value)} ${unit}`;
}

/** Three figures that matter. */
const rounded = (value: number): string => String(Number(value.toPrecision(3)));
