import {
	bucketMsFor,
	diffExperiment,
	type Experiment,
	type ExperimentDiff,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import type { DefinitionChange, StoredDefinition } from "./ports.js";

export const NOTHING_CHANGED: ExperimentDiff = {
	changes: [],
	newVersion: false,
	newEpoch: false,
	reasons: [],
};

/** The definition row that an edit appends, or null where it changes nothing. A new experiment is a draft. */
export function edit(
	current: StoredDefinition | null,
	experiment: Experiment,
	diff: ExperimentDiff,
	by: { readonly actor: string; readonly why: string },
): DefinitionChange | null {
	const { actor, why } = by;
	const bucketMs = bucketMsFor(experiment.policy);
	if (typeof bucketMs !== "number")
		throw fail(
			"invalid",
			`The experiment cannot be stored: ${bucketMs.path}: ${bucketMs.message}`,
			[bucketMs],
		);
	if (current === null)
		return {
			experiment,
			version: 1,
			state: "draft",
			run: 0,
			epoch: 1,
			winner: null,
			bucketMs,
			action: "create",
			actor,
			why,
		};
	if (diff.changes.length === 0) return null;
	const { state, version, run, epoch, winner } = current;
	if (winner !== null) keepWinner(experiment, winner);
	return {
		experiment,
		version: diff.newVersion ? version + 1 : version,
		state,
		run,
		epoch: diff.newEpoch ? epoch + 1 : epoch,
		winner,
		// Fixed per version: without a new version the width has not changed either.
		bucketMs,
		action: "edit",
		actor,
		why,
	};
}

/** What everyone gets since the stop must stay an arm that may be chosen. */
function keepWinner({ arms }: Experiment, winner: string): void {
	const arm = arms.find(({ key }) => key === winner);
	if (arm !== undefined && arm.state === undefined) return;
	throw fail(
		"invalid",
		`The arm "${winner}" is what everyone gets since the stop; an edit cannot remove, pause or retire it.`,
		[
			{
				path: "arms",
				message: `Keep the arm "${winner}" active, or stop the experiment with another winner first.`,
			},
		],
	);
}

/** What an edit of `current` would change. */
export function compare(
	current: StoredDefinition | null,
	experiment: Experiment,
): ExperimentDiff {
	return current === null
		? NOTHING_CHANGED
		: diffExperiment(current.experiment, experiment);
}
