import {
	lift,
	mixtureScale,
	plannedStandardError,
	ratioOfSums,
} from "#core/statistics";
import { UnitSums } from "./unit-sums.js";
import { ALPHA, SPREAD, Z } from "./watch-lift.js";
import { play, type Scenario } from "./world.js";

/** Widest that the lift's interval was against a fixed-horizon one with the same SE; 0 where it was never looked at there. */
export interface Widths {
	/** With the planned information, within 2 %. */
	readonly planned: number;
	/** From a quarter to 25 times of it. */
	readonly around: number;
}

/** Planned sizes, in shares of the run's listeners, so that one run passes from a quarter to 25 times of some plan's information. */
const PLANS = [0.04, 0.2, 1, 3];
const EVERY = 100;

export function widthsOf(scenario: Scenario, seed: number): Widths {
	const { units, control } = scenario;
	const groups = [new UnitSums(units), new UnitSums(units)] as const;
	const planned = PLANS.map((share) =>
		plannedStandardError({ spread: SPREAD, units: units * share, control }),
	);
	const widest = { planned: 0, around: 0 };
	play(scenario, seed, ({ t, unit, isControl, reward }) => {
		groups[isControl ? 1 : 0].add(unit, reward);
		if ((t + 1) % EVERY > 0) return;
		const [policy, control] = groups.map(({ moments }) => ratioOfSums(moments));
		if (policy === undefined || control === undefined) return;
		for (const error of planned) {
			const tau = mixtureScale(error);
			const shown = lift([{ policy, control }], { alpha: ALPHA, tau });
			if (shown.kind === "withheld") continue;
			const { low, high, standardError } = shown;
			const information = (error / standardError) ** 2;
			const width = (high - low) / (2 * Z * standardError);
			if (Math.abs(information - 1) < 0.02)
				widest.planned = Math.max(widest.planned, width);
			if (information >= 0.25 && information <= 25)
				widest.around = Math.max(widest.around, width);
		}
	});
	return widest;
}
