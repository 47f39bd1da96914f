import { armValue, ratioOfSums, type ScoreSums } from "#core/statistics";
import { asDecisions } from "./unit-sums.js";
import { ArmWatch } from "./watch-arms.js";
import { ALPHA } from "./watch-lift.js";
import { play, type Scenario } from "./world.js";

/** SE of each arm's value at the end of a run, over the SE that control's rows alone give; NaN where either is withheld. */
export interface StandardErrors {
	/** Against the same scores of control's rows alone. */
	readonly overControlScores: readonly number[];
	/** Against the plain mean of control's rewards of that arm. */
	readonly overControlMean: readonly number[];
}

export function standardErrorsOf(
	scenario: Scenario,
	seed: number,
): StandardErrors {
	const both = new ArmWatch(scenario);
	const alone = new ArmWatch(scenario);
	const draws = both.sums.map(() => ({ n: 0, c: 0 }));
	play(scenario, seed, (decision) => {
		both.add(decision);
		if (!decision.isControl) return;
		alone.add(decision);
		const drawn = draws[decision.arm] as { n: number; c: number };
		drawn.n++;
		drawn.c += decision.reward;
	});
	const ours = both.sums.map(errorOf);
	return {
		overControlScores: alone.sums.map(
			(sums, a) => (ours[a] as number) / errorOf(sums),
		),
		overControlMean: draws.map(({ n, c }, a) => {
			const { variance } = ratioOfSums(
				asDecisions({ units: n, n, c, nn: n, nc: c, cc: c }),
			);
			return (ours[a] as number) / Math.sqrt(variance);
		}),
	};
}

function errorOf(sums: ScoreSums): number {
	const value = armValue(sums, ALPHA);
	return value.kind === "shown" ? value.standardError : Number.NaN;
}
