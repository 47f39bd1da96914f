import type { DecisionRow } from "#core/log";
import { bestArms } from "#core/policy";
import type { Considered } from "./considered.js";
import {
	type Contribution,
	contributionsOf,
	type ExplainedFeature,
	explainFeatures,
} from "./explain-context.js";
import { sentenceOf } from "./explain-sentence.js";
import { type ExplainedPayload, explainPayload } from "./payload.js";

export interface Explanation {
	readonly x: readonly number[];
	/** Every declared feature. */
	readonly features: readonly ExplainedFeature[];
	readonly arms: readonly ExplainedArm[];
	readonly kind: ChoiceKind;
	/** The other eligible arm with the highest score, the first of those tied; null where no other was eligible. */
	readonly runnerUp: ArmNumbers | null;
	/** What went out, where the arm has several payloads. */
	readonly payload?: ExplainedPayload;
	/** All of it in one sentence for who made the experiment. */
	readonly sentence: string;
}

/**
 * Why the arm was chosen. `exploitation`: it is the arm the policy puts first; under `thompson`, which puts none first, that with the
 * highest mean. `exploration`: another one, or nothing tells the arms apart, or the policy is `uniform`. `control` and `outside` are
 * the groups of that name; `guardrail`: a policy unit that a guardrail holds at control's distribution; `best` is the mode in which
 * nothing is drawn.
 */
export type ChoiceKind =
	| "exploitation"
	| "exploration"
	| "control"
	| "outside"
	| "guardrail"
	| "best";

/** An eligible arm as the policy saw it. */
export interface ArmNumbers {
	readonly arm: string;
	/** θᵀx. */
	readonly mean: number;
	readonly width: number;
	/** mean + α·width for the upper-bound policies, else the mean. */
	readonly score: number;
	/** In the distribution that was served; null where nothing was drawn. */
	readonly propensity: number | null;
}

export type ExplainedArm =
	| (ArmNumbers & {
			readonly eligible: true;
			readonly reason?: undefined;
			readonly contributions: readonly Contribution[];
	  })
	| {
			readonly arm: string;
			readonly eligible: false;
			readonly reason: string;
			/** The arm's whole rule, where that excluded it. */
			readonly rule?: string;
			readonly mean: null;
			readonly width: null;
			readonly score: null;
			readonly propensity: null;
			readonly contributions: readonly [];
	  };

/** What was drawn; null in mode `best`. */
export type Drawn = Pick<DecisionRow, "group" | "propensities"> | null;

/** Why a decision came out as it did, from the very numbers it was made of. `chosen` is the place among the eligible arms. */
export function explain(
	considered: Considered,
	chosen: number,
	drawn: Drawn,
): Explanation {
	const eligible = considered.arms.keys.map((_, place) =>
		numbersAt(considered, place, drawn),
	);
	const kind = kindOf(considered, chosen, drawn);
	const runnerUp = runnerUpOf(eligible, chosen);
	const payload = explainPayload(considered, chosen);
	return {
		x: [...considered.x],
		features: explainFeatures(considered),
		arms: explainArms(considered, eligible),
		kind,
		runnerUp,
		...(payload !== undefined && { payload }),
		sentence: sentenceOf({
			definition: considered.definition,
			kind,
			chosen: eligible[chosen]!,
			runnerUp,
			eligible,
		}),
	};
}

function numbersAt(
	{ arms, scored }: Considered,
	place: number,
	drawn: Drawn,
): ArmNumbers {
	return {
		arm: arms.keys[place]!,
		mean: scored.means[place]!,
		width: scored.widths[place]!,
		score: scored.scores[place]!,
		propensity: drawn?.propensities[place] ?? null,
	};
}

function kindOf(
	{ definition, arms, scored }: Considered,
	chosen: number,
	drawn: Drawn,
): ChoiceKind {
	if (drawn === null) return "best";
	if (drawn.group !== "policy") return drawn.group;
	if (definition.held) return "guardrail";
	const { kind } = definition.experiment.policy;
	if (kind === "uniform") return "exploration";
	const first = kind === "thompson" ? bestArms(scored.means) : scored.best;
	const toldApart = first.length < arms.keys.length || first.length === 1;
	return toldApart && first.includes(chosen) ? "exploitation" : "exploration";
}

function runnerUpOf(
	eligible: readonly ArmNumbers[],
	chosen: number,
): ArmNumbers | null {
	let best: ArmNumbers | null = null;
	eligible.forEach((arm, place) => {
		if (place !== chosen && (best === null || arm.score > best.score))
			best = arm;
	});
	return best;
}

function explainArms(
	considered: Considered,
	eligible: readonly ArmNumbers[],
): ExplainedArm[] {
	const { definition, arms, posterior } = considered;
	const places = new Map(arms.eligible.map((index, place) => [index, place]));
	return definition.experiment.arms.map((arm, index) => {
		const place = places.get(index);
		if (place === undefined)
			return excludedArm(
				arm.key,
				arms.excluded[arm.key] ?? "not eligible",
				arm.eligible,
			);
		const { theta } = posterior.models[index]!;
		const contributions = contributionsOf(considered, theta);
		return { ...eligible[place]!, eligible: true, contributions };
	});
}

const BY_RULE = /^(rule|missing|rule error): /;

function excludedArm(
	arm: string,
	reason: string,
	rule: string | undefined,
): ExplainedArm {
	return {
		arm,
		eligible: false,
		reason,
		...(rule !== undefined && BY_RULE.test(reason) && { rule }),
		mean: null,
		width: null,
		score: null,
		propensity: null,
		contributions: [],
	};
}
