import {
	lift,
	mixtureScale,
	plannedStandardError,
	ratioOfSums,
	type UnitMoments,
	type UnitRatio,
} from "#core/statistics";
import { asDecisions, UnitSums } from "./unit-sums.js";
import type { Decision, Scenario } from "./world.js";

export const ALPHA = 0.05;
/** Of a unit's ratio, about 20 decisions each: √(0.144² + 0.24/20). */
export const SPREAD = 0.18;
const DAYS = 20;
/** Of the fixed-horizon interval at α = 0.05. */
export const Z = 1.959963984540054;

/** τ of a plan for so many units. */
export function planOf(units: number, control: number): number {
	return mixtureScale(plannedStandardError({ spread: SPREAD, units, control }));
}

/** Whether each way of reading the lift was ever wrong: excluded the true average so far, at any look. */
export interface LiftFindings {
	wasShown: boolean;
	/** Ours. */
	missed: boolean;
	/** The same sequence over decisions instead of units. */
	missedOverDecisions: boolean;
	/** The same sequence over sums of days, each with the unit as the observation, added as if units did not return. */
	missedOverDays: boolean;
	/** A fixed-horizon interval over units, read at every look. */
	missedAtFixedHorizon: boolean;
}

export class LiftWatch {
	readonly findings: LiftFindings = {
		wasShown: false,
		missed: false,
		missedOverDecisions: false,
		missedOverDays: false,
		missedAtFixedHorizon: false,
	};
	readonly #groups: readonly [UnitSums, UnitSums];
	readonly #today: readonly [UnitSums, UnitSums];
	readonly #day: number;
	readonly #tau: number;
	#gains = 0;
	#days = { n: 0, sum: 0, variance: 0 };

	constructor({ units, control, decisions }: Scenario) {
		this.#groups = [new UnitSums(units), new UnitSums(units)];
		this.#today = [new UnitSums(units), new UnitSums(units)];
		this.#day = decisions / DAYS;
		this.#tau = planOf(units, control);
	}

	add({ t, unit, isControl, reward, gain }: Decision): void {
		const group = isControl ? 1 : 0;
		this.#groups[group].add(unit, reward);
		this.#today[group].add(unit, reward);
		if (!isControl) this.#gains += gain;
		if ((t + 1) % this.#day === 0) this.#endDay();
	}

	/** The true average so far of what the policy earned more than control, over its decisions. */
	get truth(): number {
		return this.#gains / this.#groups[0].moments.n;
	}

	look(): void {
		const [policy, control] = this.#groups;
		const shown = this.#read(policy.moments, control.moments);
		if (shown === null) return;
		const { findings, truth } = this;
		findings.wasShown = true;
		if (truth < shown.low || truth > shown.high) findings.missed = true;
		if (Math.abs(shown.lift - truth) > Z * shown.standardError)
			findings.missedAtFixedHorizon = true;
		if (findings.missedOverDecisions) return;
		const naive = this.#read(
			asDecisions(policy.moments),
			asDecisions(control.moments),
		);
		if (naive !== null && (truth < naive.low || truth > naive.high))
			findings.missedOverDecisions = true;
	}

	#read(policy: UnitMoments, control: UnitMoments) {
		return this.#compare(ratioOfSums(policy), ratioOfSums(control));
	}

	#compare(policy: UnitRatio, control: UnitRatio) {
		const result = lift([{ policy, control }], {
			alpha: ALPHA,
			tau: this.#tau,
		});
		return result.kind === "shown" ? result : null;
	}

	/** Days weigh by the policy's decisions. */
	#endDay(): void {
		const [policy, control] = this.#today.map(({ moments }) =>
			ratioOfSums(moments),
		) as [UnitRatio, UnitRatio];
		for (const sums of this.#today) sums.clear();
		if (!(policy.units >= 2 && control.units >= 2)) return;
		const days = this.#days;
		days.n += policy.n;
		days.sum += policy.n * (policy.ratio - control.ratio);
		days.variance += policy.n ** 2 * (policy.variance + control.variance);
		const added = this.#compare(
			{
				units: policy.units * DAYS,
				n: days.n,
				ratio: days.sum / days.n,
				variance: 0,
			},
			{
				units: policy.units * DAYS,
				n: days.n,
				ratio: 0,
				variance: days.variance / days.n ** 2,
			},
		);
		const { truth } = this;
		if (added !== null && (truth < added.low || truth > added.high))
			this.findings.missedOverDays = true;
	}
}
