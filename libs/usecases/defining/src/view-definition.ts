import {
	type ExperimentState,
	type JsonObject,
	renderExperiment,
} from "#core/experiment";
import type { DefinitionAction, StoredDefinition } from "./ports.js";
import { etagOf } from "./precondition.js";

/** A definition as the API shows it: everything but the salt. */
export interface ExperimentView {
	readonly key: string;
	readonly name: string;
	readonly state: ExperimentState;
	readonly version: number;
	readonly run: number;
	readonly analysis: number;
	readonly epoch: number;
	readonly winner: string | null;
	/** A guardrail holds policy units at control's distribution. */
	readonly held: boolean;
	/** Width of a time bucket in milliseconds. */
	readonly bucketMs: number;
	/** To be sent as If-Match by whoever edits this. */
	readonly etag: string;
	readonly changed: {
		/** ISO 8601. */
		readonly at: string;
		readonly action: DefinitionAction;
		readonly actor: string;
		readonly why: string;
	};
	/** The document that PUT takes. */
	readonly definition: JsonObject;
}

export function viewDefinition(stored: StoredDefinition): ExperimentView {
	const {
		experiment,
		state,
		version,
		run,
		analysis,
		epoch,
		winner,
		held,
		bucketMs,
		action,
		actor,
		why,
	} = stored;
	return {
		key: experiment.key,
		name: experiment.name,
		state,
		version,
		run,
		analysis,
		epoch,
		winner,
		held,
		bucketMs,
		etag: etagOf(stored),
		changed: {
			at: new Date(stored.createdAt).toISOString(),
			action,
			actor,
			why,
		},
		definition: renderExperiment(experiment),
	};
}
