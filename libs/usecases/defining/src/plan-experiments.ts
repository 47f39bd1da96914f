import {
	type Experiment,
	type ExperimentState,
	frozenProblems,
	type Problem,
	renderInstant,
} from "#core/experiment";
import { compare, winnerProblems } from "./edit.js";

/** What is there now, as far as a plan needs it: from the store, or read over HTTP and parsed. */
export interface CurrentExperiment {
	readonly experiment: Experiment;
	readonly state: ExperimentState;
	readonly version: number;
	readonly etag: string;
	/** The arm that everyone gets since the stop. */
	readonly winner: string | null;
}

export interface PlannedChange {
	readonly key: string;
	readonly action: "create" | "edit" | "none";
	/** A sentence per field that would change. */
	readonly changes: readonly string[];
	readonly newVersion: boolean;
	readonly newEpoch: boolean;
	/** Why there would be a new version or epoch, and what it means that arms come, go, pause or retire. */
	readonly reasons: readonly string[];
	/** Why it would be refused; none where it would not. */
	readonly refused: readonly Problem[];
	/** State that the experiment is in, null where there is none yet. */
	readonly state: ExperimentState | null;
	/** To be sent as If-Match; null where a create must find nothing (`If-None-Match: *`). */
	readonly etag: string | null;
}

/** What applying these experiments would do, in their order; nothing is changed. Experiments not named are left alone. */
export class PlanExperiments {
	constructor(
		private readonly current: {
			find(key: string): Promise<CurrentExperiment | null>;
		},
	) {}

	async execute(
		wanted: readonly Experiment[],
	): Promise<readonly PlannedChange[]> {
		return Promise.all(
			wanted.map(async (experiment) =>
				planChange(await this.current.find(experiment.key), experiment),
			),
		);
	}
}

/** Instants of a schedule that would be declared too late: a sentence for each, since nothing will come of them. */
export function passedInstants(
	{ action, changes }: Pick<PlannedChange, "action" | "changes">,
	{ schedule = {} }: Experiment,
	now: number,
): string[] {
	const declared = (field: string) =>
		action === "create" ||
		changes.some((change) => change.startsWith(`schedule.${field}`)) ||
		changes.some((change) => change.startsWith("schedule added"));
	return Object.entries({ start: schedule.startAt, stop: schedule.stopAt })
		.filter(([field, at]) => at !== undefined && at <= now && declared(field))
		.map(
			([field, at]) =>
				`schedule.${field}, ${renderInstant(at ?? 0)}, has passed, so nothing will ${field} it: ${field} it by hand, or name an instant to come.`,
		);
}

/** The pure comparison. */
export function planChange(
	current: CurrentExperiment | null,
	wanted: Experiment,
): PlannedChange {
	const { key } = wanted;
	const diff = compare(current, wanted);
	const action = diff.changes.length === 0 ? "none" : "edit";
	return {
		key,
		action: current === null ? "create" : action,
		...diff,
		refused:
			current === null || action === "none"
				? []
				: [
						...frozenProblems(current, wanted),
						...winnerProblems(current.winner, wanted),
					],
		state: current?.state ?? null,
		etag: current?.etag ?? null,
	};
}
