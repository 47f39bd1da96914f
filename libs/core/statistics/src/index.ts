export {
	type ArmScore,
	type ArmValue,
	addScore,
	armValue,
	emptyScores,
	type ScoreSums,
	subtractScore,
} from "./arm-value.js";
export {
	asymptoticP,
	asymptoticSequence,
	type RunningMean,
} from "./asymptotic.js";
export {
	DEFAULT_FIRST_LOOK,
	type FirstLook,
	type GuardrailLevel,
	type GuardrailLook,
	type GuardrailRule,
	lookAtGuardrail,
} from "./guardrail.js";
export type { Interval } from "./interval.js";
export {
	type EpochGroups,
	type LiftLevel,
	lift,
	type RelativeLift,
	type ShownLift,
	type Withheld,
	whyNotYet,
} from "./lift.js";
export {
	mixtureScale,
	type PlannedSize,
	plannedStandardError,
	rateSpread,
} from "./lift-plan.js";
export {
	mixtureBoundary,
	mixtureP,
	mixtureRho,
	oneSidedMixtureBound,
	oneSidedMixtureBoundary,
	oneSidedMixtureP,
} from "./normal-mixture.js";
export { sampleRatioEvidence, sampleRatioP } from "./sample-ratio.js";
export {
	blockOf,
	blockWeight,
	type Reciprocals,
	weightOf,
} from "./score-weight.js";
export {
	exactRatioOfSums,
	ratioOfSums,
	type UnitMoments,
	type UnitRatio,
} from "./unit-moments.js";
