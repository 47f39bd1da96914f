import { type ArmFindings, ArmWatch } from "./watch-arms.js";
import { GuardrailWatch } from "./watch-guardrail.js";
import { type LiftFindings, LiftWatch } from "./watch-lift.js";
import { play, type Scenario } from "./world.js";

/** What one run showed. */
export interface RunFindings {
	readonly lift: LiftFindings;
	readonly arms: ArmFindings;
	readonly wasPaused: boolean;
}

/** One run, looked at so many times, evenly spread (after each decision where there are fewer). */
export function simulate(scenario: Scenario, seed: number): RunFindings {
	const watches = {
		lift: new LiftWatch(scenario),
		arms: new ArmWatch(scenario),
		guardrail: new GuardrailWatch(scenario.units),
	};
	const all = Object.values(watches);
	const every = Math.max(1, Math.floor(scenario.decisions / scenario.looks));
	play(scenario, seed, (decision) => {
		for (const watch of all) watch.add(decision);
		if ((decision.t + 1) % every === 0) for (const watch of all) watch.look();
	});
	return {
		lift: watches.lift.findings,
		arms: watches.arms.findings,
		wasPaused: watches.guardrail.isPaused,
	};
}
