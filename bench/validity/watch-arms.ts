import {
	addScore,
	armValue,
	blockOf,
	blockWeight,
	emptyScores,
	type Reciprocals,
	type ScoreSums,
	weightOf,
} from "#core/statistics";
import { ALPHA, Z } from "./watch-lift.js";
import type { Decision, Scenario } from "./world.js";

/** What each way of reading an arm's worth got wrong. */
export interface ArmFindings {
	/** Arms whose value was ever shown, and those of them whose interval ever missed the truth, from its first look on. */
	shown: number;
	missed: number;
	/** value − truth at the end, of the arm furthest off. */
	error: number;
	/** Of the raw means of the policy's rows at the end: arms whose 95 % interval misses the truth, and mean − truth of the arm furthest off. */
	naiveMissed: number;
	naiveError: number;
}

interface Group {
	rows: number;
	block: number;
	readonly reciprocals: readonly Reciprocals[];
	weights: (number | null)[];
}

export class ArmWatch {
	readonly sums: readonly ScoreSums[];
	readonly #wasShown: Uint8Array;
	readonly #missed: Uint8Array;
	/** Per arm: Σ h μ. */
	readonly #truths: Float64Array;
	readonly #groups: readonly [Group, Group];
	readonly #score = { h: 0, p: 0, model: 0, reward: null as number | null };
	/** Of the policy's rows, per arm: n, Σ R; and Σ μ over all of them. */
	readonly #naive: Float64Array;

	constructor(private readonly scenario: Scenario) {
		const { K } = scenario;
		this.sums = Array.from({ length: K }, emptyScores);
		this.#wasShown = new Uint8Array(K);
		this.#missed = new Uint8Array(K);
		this.#truths = new Float64Array(K);
		this.#naive = new Float64Array(3 * K);
		const group = (): Group => ({
			rows: 0,
			block: -1,
			reciprocals: this.sums.map(() => ({ rows: 0, sum: 0 })),
			weights: [],
		});
		this.#groups = [group(), group()];
	}

	add({
		isControl,
		arm,
		reward,
		propensities,
		model,
		chances,
	}: Decision): void {
		const group = this.#groups[isControl ? 1 : 0];
		const block = blockOf(group.rows);
		if (block !== group.block) {
			group.block = block;
			group.weights = group.reciprocals.map(blockWeight);
		}
		group.rows++;
		const score = this.#score;
		for (let a = 0; a < this.sums.length; a++) {
			const p = propensities[a] as number;
			score.p = p;
			score.h = weightOf(group.weights[a], p);
			score.model = model[a] as number;
			score.reward = a === arm ? reward : null;
			addScore(this.sums[a] as ScoreSums, score);
			const mu = chances[a] as number;
			this.#truths[a] = (this.#truths[a] as number) + score.h * mu;
			const reciprocal = group.reciprocals[a] as Reciprocals;
			reciprocal.rows++;
			reciprocal.sum += 1 / p;
			if (isControl) continue;
			const naive = this.#naive;
			naive[3 * a + 2] = (naive[3 * a + 2] as number) + mu;
			if (a !== arm) continue;
			naive[3 * a] = (naive[3 * a] as number) + 1;
			naive[3 * a + 1] = (naive[3 * a + 1] as number) + reward;
		}
	}

	look(): void {
		for (let a = 0; a < this.sums.length; a++) {
			const sums = this.sums[a] as ScoreSums;
			const value = armValue(sums, ALPHA / this.scenario.K);
			if (value.kind !== "shown") continue;
			this.#wasShown[a] = 1;
			const truth = (this.#truths[a] as number) / sums.h;
			if (truth < value.low || truth > value.high) this.#missed[a] = 1;
		}
	}

	get findings(): ArmFindings {
		const { rows } = this.#groups[0];
		let [error, naiveMissed, naiveError] = [0, 0, 0];
		this.sums.forEach(({ h, hs }, a) => {
			error = further(error, (hs - (this.#truths[a] as number)) / h);
			const [n, c, mu] = this.#naive.subarray(3 * a, 3 * a + 3) as unknown as [
				number,
				number,
				number,
			];
			const mean = c / n;
			const off = mean - mu / rows;
			const half = Z * Math.sqrt((mean * (1 - mean)) / n);
			if (!(Math.abs(off) <= half)) naiveMissed++;
			naiveError = further(naiveError, off);
		});
		return {
			shown: count(this.#wasShown),
			missed: count(this.#missed),
			error,
			naiveMissed,
			naiveError,
		};
	}
}

function further(a: number, b: number): number {
	return Math.abs(b) > Math.abs(a) ? b : a;
}

function count(flags: Uint8Array): number {
	return flags.reduce((sum, flag) => sum + flag, 0);
}
