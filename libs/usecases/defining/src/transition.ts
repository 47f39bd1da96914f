import type { ExperimentState } from "#core/experiment";
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

/** The definition row that a transition appends. Throws bad-transition; invalid where the winner is no arm. */
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
	if (winner !== null && !experiment.arms.some(({ key }) => key === winner))
		throw fail(
			"invalid",
			`The experiment "${experiment.key}" has no arm "${winner.slice(0, 64)}" to win.`,
			[
				{
					path: "winner",
					message: `Must be one of its arms: ${experiment.arms
						.slice(0, 20)
						.map(({ key }) => key)
						.join(", ")}.`,
				},
			],
		);
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

function whatCan(state: ExperimentState): string {
	if (state === "stopped")
		return "It can start again (a new run), or stop with another winner.";
	const can = (Object.keys(leavesFrom) as Transition[]).filter((action) =>
		leavesFrom[action].includes(state),
	);
	return `It can ${can.join(" or ")}.`;
}
