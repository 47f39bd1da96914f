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
export type { Interval } from "./interval.js";
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
