import type { Definition } from "#core/experiment";
import type { ArmNumbers, ChoiceKind } from "./explain.js";

/** What a sentence is made of. */
export interface Told {
	readonly definition: Definition;
	readonly kind: ChoiceKind;
	readonly chosen: ArmNumbers;
	readonly runnerUp: ArmNumbers | null;
	readonly eligible: readonly ArmNumbers[];
}

/** Why the arm was chosen, in one sentence for who made the experiment: percentages, expected rewards, no mathematics. */
export function sentenceOf(told: Told): string {
	switch (told.kind) {
		case "exploitation":
			return exploitation(told);
		case "exploration":
			return exploration(told);
		case "control":
			return control(told);
		case "outside":
			return outside(told);
		case "guardrail":
			return held(told);
		case "best":
			return best(told);
	}
}

function exploitation({ definition, chosen, runnerUp }: Told): string {
	const { policy } = definition.experiment;
	if (runnerUp === null)
		return `${chosen.arm} was chosen as the only arm that was eligible here (exploitation): ${expects(chosen)}.`;
	const start = `${chosen.arm} was chosen (exploitation), ${chanceOf(chosen)}`;
	if (policy.kind === "fixed") {
		const instead = policy.arm === chosen.arm ? "" : " as the first eligible";
		return `${start}${instead}: the experiment is set to answer ${policy.arm}, whatever was learned; ${expects(chosen)}.`;
	}
	if (chosen.mean < runnerUp.mean)
		return `${start}: ${expects(chosen)}, less than ${plain(runnerUp.mean)} for ${runnerUp.arm}, but so little is known about it yet that it may well be the better one.`;
	return `${start}, for what was learned so far: ${expects(chosen)}, against ${plain(runnerUp.mean)} for ${runnerUp.arm}.`;
}

function exploration({ definition, chosen, runnerUp, eligible }: Told): string {
	const random = `${chosen.arm} was chosen at random (exploration), ${chanceOf(chosen)}`;
	if (definition.experiment.policy.kind === "uniform")
		return `${random}: the experiment gives all ${eligible.length} eligible arms the same chance.`;
	const same = eligible.every((arm) => arm.propensity === chosen.propensity);
	if (runnerUp === null || same)
		return `${random}: nothing learned so far tells the ${eligible.length} eligible arms apart here.`;
	const usual = (runnerUp.propensity ?? 0) > (chosen.propensity ?? 0);
	const other = usual
		? `while ${runnerUp.arm}, with ${plain(runnerUp.mean)}, is chosen ${percent(runnerUp.propensity ?? 0)} of the time here`
		: `against ${plain(runnerUp.mean)} for ${runnerUp.arm}`;
	return `${chosen.arm} was chosen to keep learning (exploration), ${chanceOf(chosen)}: ${expects(chosen)}, ${other}.`;
}

function control(told: Told): string {
	const { definition, chosen } = told;
	const { baseline, control } = definition.experiment.traffic;
	const random = baseline === "uniform" ? "at random " : "";
	return `${chosen.arm} was chosen ${random}for comparison (control), ${chanceOf(chosen)}: this unit is one of the ${percent(control)} in the comparison group, which gets ${controlGets(told)}.`;
}

function held(told: Told): string {
	const { chosen } = told;
	return `${chosen.arm} was chosen as for the comparison group (guardrail), ${chanceOf(chosen)}: a guardrail stopped the policy, so until a person resumes the experiment this unit gets what that group gets, ${controlGets(told)}.`;
}

function controlGets({ definition, chosen, eligible }: Told): string {
	const { baseline } = definition.experiment.traffic;
	if (baseline === "uniform")
		return `any of the ${eligible.length} eligible arms whatever was learned`;
	return baseline === chosen.arm
		? `${baseline} whatever was learned`
		: `${baseline}, but that was not eligible here, so the first eligible arm stood in`;
}

function outside({ definition, chosen }: Told): string {
	const { state, winner, experiment } = definition;
	const start = `${chosen.arm} was answered without a choice (outside)`;
	if (state === "running")
		return `${start}: this unit is not among the ${percent(experiment.traffic.share)} that take part in the experiment, and nothing is learned from it.`;
	const as = winner === chosen.arm ? ", as the winner" : "";
	return `${start}${as}: the experiment is ${state}, and nothing is learned from it.`;
}

function best({ definition, chosen, runnerUp, eligible }: Told): string {
	const { state, held } = definition;
	if (state !== "running")
		return `${chosen.arm} is what everyone gets while the experiment is ${state}; nothing was drawn or logged.`;
	if (held)
		return `${chosen.arm} is answered while a guardrail holds the policy, whatever was learned; nothing was drawn or logged.`;
	if (runnerUp === null)
		return `${chosen.arm} is the only arm that is eligible here; nothing was drawn or logged.`;
	return `${chosen.arm} is the best of the ${eligible.length} eligible arms as far as was learned: ${expects(chosen)}; nothing was drawn or logged.`;
}

const expects = ({ mean }: ArmNumbers): string =>
	`its expected reward here is ${plain(mean)}`;

const chanceOf = ({ propensity }: ArmNumbers): string =>
	`with a chance of ${percent(propensity ?? 0)}`;

/** Three decimals at most, never an exponent. */
const plain = (value: number): string => String(Number(value.toFixed(3)) + 0);

/** `96.7 %`: one decimal, more only for what would be 0 without. */
function percent(share: number): string {
	const value = 100 * share;
	if (value === 0) return "0 %";
	if (value < 0.001) return "less than 0.001 %";
	if (value >= 99.95 && share < 1) return "more than 99.9 %";
	return `${Number(value < 1 ? value.toPrecision(1) : value.toFixed(1))} %`;
}
