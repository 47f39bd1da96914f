import {
	bucketMsFor,
	diffExperiment,
	type Experiment,
	type ExperimentDiff,
	type ExperimentState,
	exploratoryReasons,
	frozenProblems,
	type Problem,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import type { DefinitionChange, StoredDefinition } from "./ports.js";

export const NOTHING_CHANGED: ExperimentDiff = {
	changes: [],
	newVersion: false,
	newEpoch: false,
	reasons: [],
};

interface By {
	readonly actor: string;
	readonly why: string;
}

/** Where an edit leads: to the document of a former row, if it is a rollback. */
export interface Target {
	readonly experiment: Experiment;
	readonly former?: StoredDefinition;
	/** Of all versions there were. */
	readonly newestVersion: number;
}

/**
 * The definition row that an edit or a rollback appends, or null where it changes nothing. A new experiment is a draft.
 * Throws bad-transition where it would change what is fixed until the stop, invalid where the winner would go.
 */
export function edit(
	current: StoredDefinition | null,
	{ experiment, former, newestVersion }: Target,
	diff: ExperimentDiff,
	{ actor, why }: By,
): DefinitionChange | null {
	const bucketMs = bucketOf(experiment);
	if (current === null)
		return {
			experiment,
			version: 1,
			state: "draft",
			run: 0,
			bookedRun: 0,
			analysis: 0,
			epoch: 1,
			winner: null,
			held: false,
			bucketMs,
			action: "create",
			actor,
			why,
		};
	if (diff.changes.length === 0) return null;
	refuseFrozen(current, experiment);
	const { state, run, bookedRun, analysis, epoch, winner, held } = current;
	keepWinner(winner, experiment);
	return {
		experiment,
		version: diff.newVersion
			? newestVersion + 1
			: (former?.version ?? current.version),
		state,
		run,
		bookedRun,
		analysis,
		epoch: diff.newEpoch ? epoch + 1 : epoch,
		winner,
		held,
		// Fixed per version: without a new version the width has not changed either.
		bucketMs,
		action: former === undefined ? "edit" : "rollback",
		actor,
		why,
	};
}

function bucketOf({ policy }: Experiment): number {
	const bucketMs = bucketMsFor(policy);
	if (typeof bucketMs === "number") return bucketMs;
	throw fail(
		"invalid",
		`The experiment cannot be stored: ${bucketMs.path}: ${bucketMs.message}`,
		[bucketMs],
	);
}

function refuseFrozen(current: StoredDefinition, experiment: Experiment): void {
	const problems = frozenProblems(current, experiment);
	if (problems[0] === undefined) return;
	const paths = problems.map(({ path }) => path).join(", ");
	throw fail(
		"bad-transition",
		`${paths} of "${experiment.key}" cannot change now. ${problems[0].message}`,
		problems,
	);
}

/** What everyone gets since the stop must stay an arm that may be chosen. */
export function winnerProblems(
	winner: string | null,
	{ arms }: Experiment,
): Problem[] {
	const arm = arms.find(({ key }) => key === winner);
	if (winner === null || (arm !== undefined && arm.state === undefined))
		return [];
	return [
		{
			path: "arms",
			message: `Keep the arm "${winner}" active, or stop the experiment with another winner first.`,
		},
	];
}

function keepWinner(winner: string | null, experiment: Experiment): void {
	const problems = winnerProblems(winner, experiment);
	if (problems.length === 0) return;
	throw fail(
		"invalid",
		`The arm "${winner}" is what everyone gets since the stop; an edit cannot remove, pause or retire it. ${problems[0]?.message}`,
		problems,
	);
}

/**
 * What an edit of `current` would change.
 * @param backTo the former version that learned what `experiment` learns, of a rollback
 */
export function compare(
	current: {
		readonly experiment: Experiment;
		readonly state: ExperimentState;
	} | null,
	experiment: Experiment,
	backTo?: number,
): ExperimentDiff {
	if (current === null) return NOTHING_CHANGED;
	const diff = diffExperiment(current.experiment, experiment, backTo);
	const exploratory = exploratoryReasons(current, experiment);
	return { ...diff, reasons: [...diff.reasons, ...exploratory] };
}
