import {
	type ArmModel,
	addObservation,
	distribution,
	emptySums,
	prepareArm,
} from "#core/policy";

const RIDGE = 1;
const ALPHA = 0.5;

/** What the policy thinks of one context: what a decision made with it logs. */
export interface Belief {
	/** Per arm: its mean, clipped to the reward's range. */
	readonly model: Float64Array;
	/** Per arm. */
	readonly propensities: Float64Array;
}

/**
 * Segue's own LinUCB over a few contexts, x = [1, context is 1, context is 2, …], refreshed every so often as deciders are: at first
 * soon after each other, then every `REFRESH` decisions. Rewards of a context and arm are added up in between, which moves the sums by the same bits.
 */
export class Learner {
	readonly #x: readonly Float64Array[];
	readonly #keys: readonly string[];
	readonly #sums: readonly Float64Array[];
	readonly #models: ArmModel[];
	readonly #waiting: Float64Array;
	beliefs: readonly Belief[];

	constructor(
		contexts: number,
		readonly arms: number,
		private readonly explore: number,
	) {
		this.#x = Array.from({ length: contexts }, (_, context) =>
			Float64Array.from({ length: contexts }, (_, i) =>
				i === 0 || i === context ? 1 : 0,
			),
		);
		this.#keys = Array.from({ length: arms }, (_, a) => `arm-${a}`);
		this.#sums = this.#keys.map(() => emptySums(contexts));
		this.#models = this.#sums.map((sums) => prepareArm(sums, contexts, RIDGE));
		this.#waiting = new Float64Array(2 * contexts * arms);
		this.beliefs = this.#x.map((x) => this.#think(x));
	}

	learn(context: number, arm: number, reward: number): void {
		const at = 2 * (context * this.arms + arm);
		const waiting = this.#waiting;
		waiting[at] = (waiting[at] as number) + 1;
		waiting[at + 1] = (waiting[at + 1] as number) + reward;
	}

	refresh(): void {
		const d = this.#x.length;
		const waiting = this.#waiting;
		for (let arm = 0; arm < this.arms; arm++) {
			let moved = false;
			for (let context = 0; context < d; context++) {
				const at = 2 * (context * this.arms + arm);
				const n = waiting[at] as number;
				if (n === 0) continue;
				const sums = this.#sums[arm] as Float64Array;
				const x = this.#x[context] as Float64Array;
				addObservation(sums, d, x, n, waiting[at + 1] as number);
				moved = true;
			}
			if (!moved) continue;
			const sums = this.#sums[arm] as Float64Array;
			this.#models[arm] = prepareArm(sums, d, RIDGE);
		}
		waiting.fill(0);
		this.beliefs = this.#x.map((x) => this.#think(x));
	}

	#think(x: Float64Array): Belief {
		const policy = {
			kind: "linucb",
			alpha: ALPHA,
			ridge: RIDGE,
			explore: this.explore,
		} as const;
		const scored = distribution(policy, this.#keys, this.#models, x);
		return {
			model: scored.means.map((mean) => Math.min(1, Math.max(0, mean))),
			propensities: scored.propensities,
		};
	}
}

const SOON = 10;
const REFRESH = 100;

/** Whether the policy is refreshed before decision t. */
export function isRefreshed(t: number): boolean {
	return t % (t < 1_000 ? SOON : REFRESH) === 0;
}
