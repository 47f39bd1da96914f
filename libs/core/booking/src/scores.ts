import {
	addScore,
	blockOf,
	blockWeight,
	emptyScores,
	type Reciprocals,
	type ScoreSums,
	subtractScore,
	weightOf,
} from "#core/statistics";
import type { Bookable } from "./bookable.js";
import type { Side } from "./slice.js";

/** What the values of a run's arms are made of: sums of booked scores, and what the weights to come follow from. */
export interface RunScores {
	/** By arm. */
	readonly arms: Map<string, ScoreSums>;
	readonly sides: { readonly [side in Side]: SideScores };
}

/** Of one group. */
export interface SideScores {
	/** Rows ever booked, which number the blocks. */
	rows: number;
	/** 1/p over the booked rows, by arm. */
	readonly reciprocals: Map<string, Reciprocals>;
	/** The block that rows are booked in now. */
	block: ScoreBlock | null;
}

/** Weights of the rows from an id on, up to the next block's of its group. */
export interface ScoreBlock {
	readonly side: Side;
	readonly number: number;
	readonly firstId: string;
	/** h by arm; an arm that had no row before has none. */
	readonly weights: ReadonlyMap<string, number>;
}

export function emptyRunScores(): RunScores {
	const side = (): SideScores => ({
		rows: 0,
		reciprocals: new Map(),
		block: null,
	});
	return { arms: new Map(), sides: { policy: side(), control: side() } };
}

export function copyOfScores({ arms, sides }: RunScores): RunScores {
	const copied = <Value extends object>(values: ReadonlyMap<string, Value>) =>
		new Map([...values].map(([key, value]) => [key, { ...value }]));
	const side = (one: SideScores): SideScores => ({
		...one,
		reciprocals: copied(one.reciprocals),
	});
	return {
		arms: copied(arms),
		sides: { policy: side(sides.policy), control: side(sides.control) },
	};
}

/**
 * Books a row that teaches, in the order of ids. Returns the block that begins with it, to be kept; null where it is in the one before.
 */
export function bookScore(
	scores: RunScores,
	bookable: Bookable,
	side: Side,
	reward: number,
): ScoreBlock | null {
	const own = scores.sides[side];
	const number = blockOf(own.rows);
	let begun: ScoreBlock | null = null;
	if (own.block?.number !== number) {
		const firstId = bookable.row.id;
		begun = { side, number, firstId, weights: weightsNow(own.reciprocals) };
		own.block = begun;
	}
	const { weights } = own.block as ScoreBlock;
	moveScore(scores, bookable, side, { reward, weights, sign: 1 });
	own.rows += 1;
	return begun;
}

/** Takes a booked row out again, weighted as its block was. */
export function unbookScore(
	scores: RunScores,
	bookable: Bookable,
	side: Side,
	reward: number,
	block: ScoreBlock,
): void {
	const { weights } = block;
	moveScore(scores, bookable, side, { reward, weights, sign: -1 });
}

function weightsNow(
	reciprocals: ReadonlyMap<string, Reciprocals>,
): ReadonlyMap<string, number> {
	return new Map(
		[...reciprocals].flatMap(([arm, one]) => {
			const h = blockWeight(one);
			return h === null ? [] : [[arm, h] as const];
		}),
	);
}

function moveScore(
	{ arms, sides }: RunScores,
	{ row, definition: { experiment } }: Bookable,
	side: Side,
	how: {
		readonly reward: number;
		readonly weights: ScoreBlock["weights"];
		readonly sign: 1 | -1;
	},
): void {
	const { reward, weights, sign } = how;
	const { reciprocals } = sides[side];
	const [low, high] = experiment.reward.range;
	row.eligible.forEach((index, i) => {
		const arm = experiment.arms[index]?.key;
		const p = row.propensities[i] as number;
		if (arm === undefined || !(p > 0)) return;
		let sums = arms.get(arm);
		if (sums === undefined) {
			sums = emptyScores();
			arms.set(arm, sums);
		}
		const score = {
			h: weightOf(weights.get(arm), p),
			p,
			model: Math.min(high, Math.max(low, row.means[i] as number)),
			reward: arm === row.arm ? reward : null,
		};
		if (sign === 1) addScore(sums, score);
		else subtractScore(sums, score);
		let own = reciprocals.get(arm);
		if (own === undefined) {
			own = { rows: 0, sum: 0 };
			reciprocals.set(arm, own);
		}
		own.rows += sign;
		own.sum += sign / p;
	});
}
