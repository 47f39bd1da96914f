import { lift, ratioOfSums, type ShownLift } from "#core/statistics";
import { listenerOf } from "./listeners.js";
import { randomStream } from "./random.js";
import { UnitSums } from "./unit-sums.js";
import { ALPHA, planOf } from "./watch-lift.js";

export interface Ramp {
	readonly units: number;
	readonly decisions: number;
	/** Share of the units in control in the first half of the run, then in the second. */
	readonly controls: readonly [number, number];
	/** By how much the chance of a reward rises for everybody from the first decision to the last, as a season's does. */
	readonly drift: number;
	/** What the policy earns more than control with the last decision; with the first it is nothing. */
	readonly gain: number;
}

export interface RampFindings {
	/** Whether the lift over epochs ever missed the true average so far. */
	missed: boolean;
	/** The same of sums over both epochs. */
	missedPooled: boolean;
	/** Estimate minus truth at the end. */
	error: number;
	pooledError: number;
}

const EVERY = 20;
const BASE = { least: 0.1, most: 0.5 };

/** A change of control's share while everybody's rewards rise. A listener may be in policy first and in control then. */
export function rampOf(ramp: Ramp, seed: number): RampFindings {
	const { units, decisions, controls, drift, gain } = ramp;
	const random = randomStream(seed, 3);
	const next = listenerOf("iid", units, decisions, random);
	const bases = Float64Array.from(
		{ length: units },
		() => BASE.least + (BASE.most - BASE.least) * random(),
	);
	const places = Float64Array.from({ length: units }, () => random());
	const groups = () => ({
		policy: new UnitSums(units),
		control: new UnitSums(units),
	});
	const [pooled, epochs] = [groups(), [groups(), groups()] as const];
	const findings = {
		missed: false,
		missedPooled: false,
		error: 0,
		pooledError: 0,
	};
	let [gains, served] = [0, 0];
	for (let t = 0; t < decisions; t++) {
		const at = t / decisions;
		const epoch = at < 0.5 ? 0 : 1;
		const unit = next(t);
		const group =
			(places[unit] as number) < controls[epoch] ? "control" : "policy";
		const more = group === "policy" ? gain * at : 0;
		const chance = (bases[unit] as number) + drift * at + more;
		const reward = random() < chance ? 1 : 0;
		if (group === "policy") {
			served++;
			gains += gain * at;
		}
		epochs[epoch][group].add(unit, reward);
		pooled[group].add(unit, reward);
		if ((t + 1) % EVERY > 0) continue;
		const truth = gains / served;
		const level = { alpha: ALPHA, tau: planOf(units, controls[0]) };
		const ours = lift(epochs.map(compared), level);
		const naive = lift([compared(pooled)], level);
		if (ours.kind === "withheld" || naive.kind === "withheld") continue;
		findings.missed ||= misses(ours, truth);
		findings.missedPooled ||= misses(naive, truth);
		findings.error = ours.lift - truth;
		findings.pooledError = naive.lift - truth;
	}
	return findings;
}

function compared(groups: { policy: UnitSums; control: UnitSums }) {
	return {
		policy: ratioOfSums(groups.policy.moments),
		control: ratioOfSums(groups.control.moments),
	};
}

function misses({ low, high }: ShownLift, truth: number): boolean {
	return truth < low || truth > high;
}
