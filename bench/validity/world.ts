import { draw } from "#core/policy";
import { isRefreshed, Learner } from "./learner.js";
import { type ListenerKind, listenerOf } from "./listeners.js";
import { randomStream } from "./random.js";

/** What is simulated. All rewards are 0 or 1. */
export interface Scenario {
	/** `equal`: the arm makes no difference; `differ`: it does, by context, while the policy learns which. */
	readonly arms: "equal" | "differ";
	readonly K: number;
	readonly listeners: ListenerKind;
	readonly decisions: number;
	readonly units: number;
	/** Share of the units in control, which is given a uniformly random arm. */
	readonly control: number;
	/** Exploration floor ε. */
	readonly explore: number;
	/** How often everything is looked at. */
	readonly looks: number;
}

export const CONTEXTS = 4;
/** A listener's own chance of a reward is uniform between these, so that its decisions resemble each other: standard deviation 0.14. */
const BASE = { least: 0.1, most: 0.6 };
/** Of a skip, around the guardrail's limit exactly; the same of every arm. */
export const SKIP_LIMIT = 0.35;
const SKIP = { least: SKIP_LIMIT - 0.25, most: SKIP_LIMIT + 0.25 };

/** One decision as it was made, with what only a simulation knows. The object is reused. */
export interface Decision {
	t: number;
	unit: number;
	isControl: boolean;
	/** Per arm: m̂, p, and the chance of a reward had it been shown. */
	model: Float64Array;
	propensities: Float64Array;
	chances: Float64Array;
	arm: number;
	reward: number;
	skip: number;
	/** What an average decision of the policy, as it is now, earns more than one of control. */
	gain: number;
}

/** By how much arm a raises the chance of a reward in a context: one arm of each context by 0.2, the others by less. */
export function gainsOf({ arms, K }: Scenario): Float64Array[] {
	return Array.from({ length: CONTEXTS }, (_, context) =>
		Float64Array.from({ length: K }, (_, a) =>
			arms === "equal" ? 0 : (0.2 * ((a + 3 * context) % K)) / (K - 1),
		),
	);
}

/** Plays the decisions of one run, in order, to `see`. The same seed plays the same run. */
export function play(
	scenario: Scenario,
	seed: number,
	see: (decision: Decision) => void,
): void {
	const { K, units, decisions, control, explore, listeners } = scenario;
	const random = randomStream(seed, 1);
	const next = listenerOf(listeners, units, decisions, random);
	const between = ({ least, most }: typeof BASE) =>
		Float64Array.from(
			{ length: units },
			() => least + (most - least) * random(),
		);
	const bases = between(BASE);
	const skips = between(SKIP);
	const inControl = Uint8Array.from({ length: units }, () =>
		random() < control ? 1 : 0,
	);
	const learner = new Learner(CONTEXTS, K, explore);
	const gains = gainsOf(scenario);
	const uniform = new Float64Array(K).fill(1 / K);
	const decision: Decision = {
		t: 0,
		unit: 0,
		isControl: false,
		model: uniform,
		propensities: uniform,
		chances: new Float64Array(K),
		arm: 0,
		reward: 0,
		skip: 0,
		gain: 0,
	};
	for (let t = 0; t < decisions; t++) {
		if (isRefreshed(t)) {
			learner.refresh();
			decision.gain = gainOf(learner, gains);
		}
		const unit = next(t);
		const context = Math.floor(random() * CONTEXTS);
		const belief = learner.beliefs[context] as Learner["beliefs"][number];
		decision.t = t;
		decision.unit = unit;
		decision.isControl = inControl[unit] === 1;
		decision.model = belief.model;
		decision.propensities = decision.isControl ? uniform : belief.propensities;
		const gain = gains[context] as Float64Array;
		for (let a = 0; a < K; a++)
			decision.chances[a] = (bases[unit] as number) + (gain[a] as number);
		decision.arm = draw(decision.propensities, random());
		const chance = decision.chances[decision.arm] as number;
		decision.reward = random() < chance ? 1 : 0;
		decision.skip = random() < (skips[unit] as number) ? 1 : 0;
		learner.learn(context, decision.arm, decision.reward);
		see(decision);
	}
}

/** Contexts are equally likely, whoever comes. */
function gainOf(learner: Learner, gains: readonly Float64Array[]): number {
	let gain = 0;
	learner.beliefs.forEach(({ propensities }, context) => {
		const of = gains[context] as Float64Array;
		for (let a = 0; a < learner.arms; a++)
			gain +=
				((propensities[a] as number) - 1 / learner.arms) * (of[a] as number);
	});
	return gain / CONTEXTS;
}
