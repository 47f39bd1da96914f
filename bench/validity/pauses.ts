import { lift, ratioOfSums, type ShownLift } from "#core/statistics";
import { type ListenerKind, listenerOf } from "./listeners.js";
import { randomStream } from "./random.js";
import { UnitSums } from "./unit-sums.js";
import { ALPHA, planOf } from "./watch-lift.js";

export interface Paused {
	readonly listeners: ListenerKind;
	readonly units: number;
	readonly decisions: number;
	readonly control: number;
	/** How often it is paused and started again, evenly spread. */
	readonly pauses: number;
	/** By how much everybody's chance of a reward is higher in every other run, as on weekends. */
	readonly swing: number;
	/** What the policy earns more than control with the last decision; with the first it is nothing. */
	readonly gain: number;
}

export interface PauseFindings {
	/** Whether the lift over units of all runs together ever missed the true average so far. */
	missed: boolean;
	/** The same of runs taken as strata, whose SEs add up as if the same listeners came in all. */
	missedApart: boolean;
	/** Width of the latter's interval at the end, over the width of ours; NaN where it was withheld. */
	widthApart: number;
}

const EVERY = 20;
const BASE = { least: 0.1, most: 0.5 };

/** An experiment that is paused and started again: listeners return after a pause, in the group they were in. */
export function pausesOf(paused: Paused, seed: number): PauseFindings {
	const { listeners, units, decisions, control, pauses, swing, gain } = paused;
	const random = randomStream(seed, 4);
	const next = listenerOf(listeners, units, decisions, random);
	const bases = Float64Array.from(
		{ length: units },
		() => BASE.least + (BASE.most - BASE.least) * random(),
	);
	const inControl = Uint8Array.from({ length: units }, () =>
		random() < control ? 1 : 0,
	);
	const groups = () => [new UnitSums(units), new UnitSums(units)] as const;
	const together = groups();
	const runs = Array.from({ length: pauses + 1 }, groups);
	const level = { alpha: ALPHA, tau: planOf(units, control) };
	const findings = {
		missed: false,
		missedApart: false,
		widthApart: Number.NaN,
	};
	let gains = 0;
	for (let t = 0; t < decisions; t++) {
		const at = t / decisions;
		const run = Math.floor(at * runs.length);
		const unit = next(t);
		const group = inControl[unit] === 1 ? 1 : 0;
		const more = group === 0 ? gain * at : 0;
		gains += more;
		const chance = (bases[unit] as number) + (run % 2) * swing + more;
		const reward = random() < chance ? 1 : 0;
		together[group].add(unit, reward);
		(runs[run] as typeof together)[group].add(unit, reward);
		if ((t + 1) % EVERY > 0) continue;
		const truth = gains / together[0].moments.n;
		const ours = lift([compared(together)], level);
		const apart = lift(runs.slice(0, run + 1).map(compared), level);
		if (ours.kind === "withheld" || apart.kind === "withheld") continue;
		findings.missed ||= misses(ours, truth);
		findings.missedApart ||= misses(apart, truth);
		findings.widthApart = (apart.high - apart.low) / (ours.high - ours.low);
	}
	return findings;
}

function compared([policy, control]: readonly [UnitSums, UnitSums]) {
	return {
		policy: ratioOfSums(policy.moments),
		control: ratioOfSums(control.moments),
	};
}

function misses({ low, high }: ShownLift, truth: number): boolean {
	return truth < low || truth > high;
}
