import { bucketMsFor, type Policy } from "#core/experiment";
import {
	type ArmModel,
	addObservation,
	distribution,
	draw,
	emptySums,
	prepareArm,
	sumsLength,
} from "#core/policy";
import { seededRandom } from "../../../../test/support/random.js";
import {
	type BucketHistory,
	emptyHistory,
	replaceBucket,
	totalSums,
} from "../src/bucket-history.js";
import { MINUTE } from "./definitions.js";

export const ARMS = 5;
const D = 6;
const SPREAD = 0.3;
const NOISE = 0.85;
/** √(1 + ¼ + 1/(K − 1)), since leads of K arms sum to 0: with it they are as large after the flip as before. */
const SAME_SPREAD = Math.sqrt(1.25 + 1 / (ARMS - 1));
const KEYS = Array.from({ length: ARMS }, (_, a) => `arm-${a}`);

/** Gain of each decision over what a uniform choice earns in expectation there. */
export function gains(
	policy: Policy,
	seed: number,
	flipAt: number,
	decisions: number,
): Float64Array {
	const world = new World(seed);
	const posterior = new Forgetting(policy);
	return Float64Array.from({ length: decisions }, (_, t) => {
		const x = world.context();
		const models = posterior.models(t);
		const { propensities } = distribution(policy, KEYS, models, x);
		const arm = draw(propensities, world.random());
		const means = world.means(x, t >= flipAt);
		const mean = means[arm] as number;
		posterior.learn(t, arm, x, mean + NOISE * world.normal());
		return mean - means.reduce((sum, one) => sum + one, 0) / ARMS;
	});
}

/**
 * x = (1, five normals); an arm earns θᵀx plus noise. At the flip each arm takes the next one's lead over the average and half of its own
 * with the sign turned: another arm is best everywhere, and the one that was best is a bad one.
 */
class World {
	readonly random: () => number;
	private readonly thetas: readonly Float64Array[];

	constructor(seed: number) {
		this.random = seededRandom(seed);
		this.thetas = KEYS.map(() =>
			Float64Array.from(
				{ length: D },
				() => (SPREAD * this.normal()) / Math.sqrt(D),
			),
		);
	}

	context(): Float64Array {
		return Float64Array.from({ length: D }, (_, i) =>
			i === 0 ? 1 : this.normal(),
		);
	}

	means(x: Float64Array, flipped: boolean): number[] {
		const own = this.thetas.map((theta) =>
			theta.reduce((sum, value, i) => sum + value * (x[i] as number), 0),
		);
		if (!flipped) return own;
		const average = own.reduce((sum, mean) => sum + mean, 0) / ARMS;
		const lead = (a: number) => (own[a % ARMS] as number) - average;
		return own.map(
			(_, a) => average + (lead(a + 1) - lead(a) / 2) / SAME_SPREAD,
		);
	}

	/** Box and Muller 1958. */
	normal(): number {
		return (
			Math.sqrt(-2 * Math.log(1 - this.random())) *
			Math.cos(2 * Math.PI * this.random())
		);
	}
}

/** Sums by time bucket, one decision a minute, read as a decider reads them: with the weights of the present bucket. */
class Forgetting {
	private readonly bucketMs: number;
	private bucket = 0;
	private past: BucketHistory[] = KEYS.map(() => emptyHistory);
	private present = KEYS.map(() => emptySums(D));
	/** Weighted total of the past and the present bucket. */
	private totals = KEYS.map(() => emptySums(D));
	private prepared: ArmModel[];

	constructor(private readonly policy: Policy) {
		this.prepared = this.totals.map((sums) =>
			prepareArm(sums, D, policy.ridge),
		);
		this.bucketMs = bucketMsFor(policy) as number;
	}

	models(t: number) {
		const bucket = Math.floor((t * MINUTE) / this.bucketMs);
		if (bucket !== this.bucket) this.turn(bucket);
		return this.prepared;
	}

	learn(_t: number, arm: number, x: Float64Array, reward: number): void {
		addObservation(this.present[arm] as Float64Array, D, x, 1, reward);
		const total = this.totals[arm] as Float64Array;
		addObservation(total, D, x, 1, reward);
		this.prepared[arm] = prepareArm(total, D, this.policy.ridge);
	}

	private turn(bucket: number): void {
		this.past = this.past.map((history, a) =>
			replaceBucket(history, {
				arm: KEYS[a] as string,
				bucket: this.bucket,
				sums: this.present[a] as Float64Array,
			}),
		);
		this.bucket = bucket;
		this.present = KEYS.map(() => emptySums(D));
		this.totals = this.past.map((history) =>
			totalSums(history, this.policy, bucket, this.bucketMs, sumsLength(D)),
		);
		this.prepared = this.totals.map((sums) =>
			prepareArm(sums, D, this.policy.ridge),
		);
	}
}
