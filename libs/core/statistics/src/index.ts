export {
	type ArmScore,
	type ArmValue,
	addScore,
	armValue,
	emptyScores,
	LEAST_DRAWS,
	type ScoreSums,
	subtractScore,
} from "./arm-value.js";
export {
	asymptoticP,
	asymptoticSequence,
	type RunningMean,
} from "./asymptotic.js";
export { probabilityBest } from "./best-arm.js";
export { hedgedBetting } from "./betting.js";
export {
	empiricalBernsteinMixture,
	hoeffdingMixture,
	predictableEmpiricalBernstein,
	predictableHoeffding,
} from "./bounded-mean.js";
export {
	type Adjusted,
	adjustByCovariate,
	type CovariateMoments,
} from "./cuped.js";
export { chiSquareTail } from "./distributions.js";
export { absoluteEffect, type Effect, relativeEffect } from "./effect.js";
export { type Tested, welchTest } from "./fixed-horizon.js";
export { gammaExponentialBoundary } from "./gamma-exponential.js";
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
	type Range,
	type RelativeLift,
	type ShownLift,
	type Withheld,
	whyNotYet,
	whyRare,
} from "./lift.js";
export {
	mixtureScale,
	type PlannedSize,
	plannedStandardError,
	rateSpread,
} from "./lift-plan.js";
export { benjaminiHochberg, bonferroni, holm } from "./multiple-testing.js";
export {
	mixtureBoundary,
	mixtureP,
	mixtureRho,
	oneSidedMixtureBound,
	oneSidedMixtureBoundary,
	oneSidedMixtureP,
} from "./normal-mixture.js";
export {
	type NormalPrior,
	type PosteriorEffect,
	posteriorEffect,
} from "./posterior-effect.js";
export { rateSequence } from "./rate-sequence.js";
export { type ArmDraws, type DrawBalance, drawBalances } from "./row-loss.js";
export { type SampleMean, sampleMean, sampleShare } from "./sample-mean.js";
export {
	sampleRatioChiSquare,
	sampleRatioEvidence,
	sampleRatioP,
} from "./sample-ratio.js";
export {
	blockOf,
	blockWeight,
	type Reciprocals,
	weightOf,
} from "./score-weight.js";
export { sequentialLowerEnd, sequentialTest } from "./sequential-test.js";
export {
	chanceOfHigherShare,
	pooledShareTest,
	type Trials,
	wilsonInterval,
} from "./shares.js";
export { type Stitching, stitchedBoundary } from "./stitched.js";
export {
	exactRatioOfSums,
	ratioOfSums,
	type UnitMoments,
	type UnitRatio,
} from "./unit-moments.js";
