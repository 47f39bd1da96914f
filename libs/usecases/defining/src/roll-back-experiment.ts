import {
	bucketMsFor,
	type Experiment,
	type ExperimentDiff,
	type Problem,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import { guardedEdit } from "./guarded-edit.js";
import { refuseOwnName } from "./own-actors.js";
import type {
	DefinitionAudit,
	DefinitionStore,
	Obeyed,
	StoredDefinition,
} from "./ports.js";
import type { ChangeRequest } from "./precondition.js";
import { invalidExperiment } from "./put-experiment.js";
import { noExperiment } from "./read-experiments.js";

/** A version, as it last was; or one definition row, as the audit lists them. */
export type RollbackTo =
	| { readonly version: number; readonly definition?: undefined }
	| { readonly definition: number; readonly version?: undefined };

export interface RollbackRequest extends ChangeRequest {
	readonly to: RollbackTo;
}

export interface RollbackAnswer {
	readonly definition: StoredDefinition;
	readonly diff: ExperimentDiff;
}

/**
 * Makes a former document the current one again, in a row of its own, whatever the state, which stays. The version changes only where
 * what is learned does; then it is the former one, which goes on with its sums.
 */
export class RollBackExperiment {
	constructor(
		private readonly store: DefinitionStore,
		private readonly audit: DefinitionAudit,
		private readonly obeyed?: Obeyed,
		/** What is wrong with it today, though it was valid then. */
		private readonly problemsOf: (
			experiment: Experiment,
		) => readonly Problem[] = () => [],
	) {}

	/** Throws unknown-experiment, invalid (also where there is no such row), bad-transition, edit-conflict. */
	async execute(request: RollbackRequest): Promise<RollbackAnswer> {
		refuseOwnName(request.actor);
		const former = await this.former(request);
		const { experiment } = former;
		const problems = this.problemsOf(experiment);
		if (problems.length > 0) throw invalidExperiment(problems);
		// Where time buckets are cut in another way by now, the former version's sums cannot go on.
		const goesOn = bucketMsFor(experiment.policy) === former.bucketMs;
		const { store, audit: history, obeyed } = this;
		const { definition, diff } = await guardedEdit(
			{ store, history, obeyed },
			request,
			{ experiment, former },
			goesOn ? former.version : undefined,
		);
		return { definition, diff };
	}

	private async former({
		key,
		to,
	}: RollbackRequest): Promise<StoredDefinition> {
		if ((await this.store.find(key)) === null) throw noExperiment(key);
		const rows =
			to.version === undefined
				? await this.audit.byIds([to.definition])
				: [await this.audit.ofVersion(key, to.version)];
		const row = rows[0];
		if (row != null && row.experiment.key === key) return row;
		const what =
			to.version === undefined
				? `definition ${to.definition}`
				: `version ${to.version}`;
		const path = to.version === undefined ? "to.definition" : "to.version";
		const message = `The experiment "${key}" never had a ${what}. GET /v1/experiments/${key}/audit lists all it had.`;
		throw fail("invalid", message, [{ path, message }]);
	}
}
