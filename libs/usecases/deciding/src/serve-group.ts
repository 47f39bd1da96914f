import type { Definition, Group } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { baselineDistribution, pointMass } from "#core/policy";

/** The distribution over the eligible arms that a decision of a group is drawn from. */
export interface Served {
	readonly distribution: DecisionRow["distribution"];
	readonly propensities: Float64Array;
	/** The policy's own distribution, where another one serves. */
	readonly policyPropensities: Float64Array | null;
	/**
	 * `baseline` where the arm that should serve is not eligible and the first eligible arm does instead; `guardrail` where one holds a
	 * policy unit at control's distribution.
	 */
	readonly degraded: readonly ("baseline" | "guardrail")[];
}

/** @param eligible keys of the eligible arms, in definition order, at least one */
export function serveGroup(
	definition: Definition,
	group: Group,
	eligible: readonly string[],
	policyPropensities: Float64Array,
): Served {
	switch (group) {
		case "policy":
			if (definition.held)
				return { ...serveHeld(definition, eligible), policyPropensities };
			return {
				distribution: "policy",
				propensities: policyPropensities,
				policyPropensities: null,
				degraded: [],
			};
		case "control":
			return { ...serveControl(definition, eligible), policyPropensities };
		case "outside":
			return { ...serveOutside(definition, eligible), policyPropensities };
	}
}

function serveHeld(
	definition: Definition,
	eligible: readonly string[],
): Omit<Served, "policyPropensities"> {
	const served = serveControl(definition, eligible);
	return { ...served, degraded: ["guardrail", ...served.degraded] };
}

function serveControl(
	definition: Definition,
	eligible: readonly string[],
): Omit<Served, "policyPropensities"> {
	const { baseline } = definition.experiment.traffic;
	const replaced = baseline !== "uniform" && !eligible.includes(baseline);
	return {
		distribution: "control",
		propensities: baselineDistribution(baseline, eligible),
		degraded: replaced ? ["baseline"] : [],
	};
}

function serveOutside(
	definition: Definition,
	eligible: readonly string[],
): Omit<Served, "policyPropensities"> {
	const winner = definition.state === "stopped" ? definition.winner : null;
	const wanted = winner ?? baselineArm(definition);
	const there = eligible.includes(wanted);
	return {
		distribution: winner !== null && there ? "winner" : "baseline",
		propensities: pointMass(eligible, wanted),
		degraded: there ? [] : ["baseline"],
	};
}

/** `traffic.baseline` where that names an arm, else the first arm. */
export function baselineArm({
	experiment: { arms, traffic },
}: Definition): string {
	const named = arms.find(
		(arm) => arm.key === traffic.baseline && traffic.baseline !== "uniform",
	);
	return (named ?? arms[0])?.key ?? "";
}
