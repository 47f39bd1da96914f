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
	blockOf,
	blockWeight,
	type Reciprocals,
	weightOf,
} from "./score-weight.js";
