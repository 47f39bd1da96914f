import type { Experiment, ExperimentState } from "#core/experiment";
import { fail } from "#usecases/errors";
import type { DefinitionChange, StoredDefinition } from "./ports.js";

export type Transition = "start" | "pause" | "stop";

/**
 * The states of an experiment:
 *
 *   draft ──start──▶ running ──pause──▶ paused
 *                    ▲  │ ▲               │ │
 *              start │  │ └────start──────┘ │
 *                    │  └──stop──┐   ┌─stop─┘
 *                    │           ▼   ▼
 *                    └────────── stopped ──stop (another winner)──▶ stopped
 *
 * Every start begins a new run.
 */
const leavesFrom: Readonly<Record<Transition, readonly ExperimentState[]>> = {
	start: ["draft", "paused", "stopped"],
	pause: ["running"],
	stop: ["running", "paused", "stopped"],
};

const leadsTo = { start: "running", pause: "paused", stop: "stopped" } as const;

/** The definition row that a transition appends. Throws bad-transition; invalid where the winner is no active arm. */
export function transition(
	current: StoredDefinition,
	action: Transition,
	by: {
		readonly actor: string;
		readonly why: string;
		readonly winner?: string | null;
	},
): DefinitionChange {
	const { experiment, state, version, run, epoch, bucketMs } = current;
	const winner = by.winner ?? null;
	if (
		!leavesFrom[action].includes(state) ||
		(state === "stopped" && action === "stop" && winner === current.winner)
	)
		throw fail(
			"bad-transition",
			`The experiment "${experiment.key}" is ${state}, so it cannot ${action}. ${whatCan(state)}`,
		);
	if (winner !== null) refuseWinner(experiment, winner);
	return {
		experiment,
		version,
		state: leadsTo[action],
		run: action === "start" ? run + 1 : run,
		epoch,
		winner,
		bucketMs,
		action,
		actor: by.actor,
		why: by.why,
	};
}

/** Everyone gets the winner from the stop on, so it must be an arm that may be chosen. */
function refuseWinner({ key, arms }: Experiment, winner: string): void {
	const arm = arms.find((arm) => arm.key === winner);
	if (arm !== undefined && arm.state === undefined) return;
	const active = arms
		.filter(({ state }) => state === undefined)
		.slice(0, 20)
		.map((arm) => arm.key)
		.join(", ");
	throw fail(
		"invalid",
		arm === undefined
			? `The experiment "${key}" has no arm "${winner.slice(0, 64)}" to win.`
			: `The arm "${winner}" of "${key}" is ${arm.state}, so it cannot win: nobody would get it. Make it active first, or name another.`,
		[{ path: "winner", message: `Must be one of its active arms: ${active}.` }],
	);
}

function whatCan(state: ExperimentState): string {
	if (state === "stopped")
		return "It can start again (a new run), or stop with another winner.";
	const can = (Object.keys(leavesFrom) as Transition[]).filter((action) =>
		leavesFrom[action].includes(state),
	);
	return `It can ${can.join(" or ")}.`;
}
