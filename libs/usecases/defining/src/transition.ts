import type { Experiment, ExperimentState } from "#core/experiment";
import { fail } from "#usecases/errors";
import type { DefinitionChange, StoredDefinition } from "./ports.js";

export type Transition = "start" | "pause" | "stop" | "resume";

/**
 * The states of an experiment:
 *
 *   draft ──start──▶ running ──pause──▶ paused
 *                    ▲  │ ▲               │ │
 *              start │  │ └─resume, start─┘ │
 *                    │  └──stop──┐   ┌─stop─┘
 *                    │           ▼   ▼
 *                    └────────── stopped ──stop (another winner)──▶ stopped
 *
 * Every start and resume begins a new run; a start of a draft or of what was stopped a new analysis too, and rollups of its own.
 *
 * A guardrail that trips leads from running to paused, or to running and held; from there resume leads back to running, and nothing
 * but a person resumes.
 */
const leavesFrom: Readonly<Record<Transition, readonly ExperimentState[]>> = {
	start: ["draft", "paused", "stopped"],
	pause: ["running"],
	stop: ["running", "paused", "stopped"],
	resume: ["paused"],
};

const leadsTo = {
	start: "running",
	pause: "paused",
	stop: "stopped",
	resume: "running",
} as const;

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
	const { experiment, state, version, epoch, bucketMs } = current;
	const winner = by.winner ?? null;
	const stopsAgain = state === "stopped" && winner === current.winner;
	if (!can(current, action) || (action === "stop" && stopsAgain))
		throw fail(
			"bad-transition",
			`The experiment "${experiment.key}" is ${state}${current.held ? " and held by a guardrail" : ""}, so it cannot ${action}. ${whatCan(current)}`,
		);
	if (winner !== null) refuseWinner(experiment, winner);
	const begins = action === "start" && state !== "paused";
	const run = leadsTo[action] === "running" ? current.run + 1 : current.run;
	return {
		experiment,
		version,
		state: leadsTo[action],
		run,
		bookedRun: begins ? run : current.bookedRun,
		analysis: begins ? current.analysis + 1 : current.analysis,
		epoch,
		winner,
		held: false,
		bucketMs,
		action,
		actor: by.actor,
		why: by.why,
	};
}

/** The definition row that a guardrail appends; null where there is nothing left to stop. */
export function trip(
	current: StoredDefinition,
	tripped: {
		readonly run: number;
		readonly action: "pause" | "control";
		readonly why: string;
	},
	actor: string,
): DefinitionChange | null {
	const { experiment, version, state, run, bookedRun, analysis, epoch } =
		current;
	const pauses = tripped.action === "pause";
	if (state !== "running" || run !== tripped.run) return null;
	if (current.held && !pauses) return null;
	return {
		experiment,
		version,
		state: pauses ? "paused" : "running",
		run,
		bookedRun,
		analysis,
		epoch,
		winner: null,
		held: !pauses,
		bucketMs: current.bucketMs,
		action: "guardrail",
		actor,
		why: tripped.why,
	};
}

function can({ state, held }: StoredDefinition, action: Transition): boolean {
	return leavesFrom[action].includes(state) || (held && action === "resume");
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

function whatCan(current: StoredDefinition): string {
	if (current.state === "stopped")
		return "It can start again (a new run), or stop with another winner.";
	const all = Object.keys(leavesFrom) as Transition[];
	return `It can ${all.filter((action) => can(current, action)).join(" or ")}.`;
}
