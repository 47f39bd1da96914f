import type { Definition, Experiment, ExperimentState } from "#core/experiment";

/** What made a definition row; `guardrail` is Segue's own act, for which `why` gives the reason. */
export type DefinitionAction =
	| "create"
	| "edit"
	| "rollback"
	| "start"
	| "pause"
	| "stop"
	| "resume"
	| "guardrail";

export interface DefinitionChange {
	readonly experiment: Experiment;
	readonly version: number;
	readonly state: ExperimentState;
	readonly run: number;
	readonly bookedRun: number;
	readonly analysis: number;
	readonly epoch: number;
	readonly winner: string | null;
	readonly held: boolean;
	readonly bucketMs: number;
	readonly action: DefinitionAction;
	readonly actor: string;
	readonly why: string;
}

export interface StoredDefinition extends Definition {
	readonly createdAt: number;
	readonly action: DefinitionAction;
	readonly actor: string;
	readonly why: string;
}

export interface DefinitionStore {
	/** The current definition of every experiment. */
	all(): Promise<readonly StoredDefinition[]>;
	find(key: string): Promise<StoredDefinition | null>;
	/**
	 * Locks the experiment, hands its current definition (or null) and its newest version (0 where it has none) to `decide`, and appends
	 * what it returns; null changes nothing. Returns the definition that is current afterwards.
	 */
	change(
		key: string,
		decide: (
			current: StoredDefinition | null,
			newestVersion: number,
		) => DefinitionChange | null,
	): Promise<StoredDefinition | null>;
}

/** Definition rows by id, current or not; unknown ids are left out. */
export interface DefinitionHistory {
	byIds(ids: readonly number[]): Promise<readonly StoredDefinition[]>;
}

/** All that an experiment ever was, row by row. */
export interface DefinitionAudit extends DefinitionHistory {
	/** The newest row of a version; null where there is none. */
	ofVersion(key: string, version: number): Promise<StoredDefinition | null>;
	/** At most `most` rows, newest first: those with an id below `below`, or from the newest on. */
	page(
		key: string,
		below: number | null,
		most: number,
	): Promise<readonly StoredDefinition[]>;
}

/** Those in this process who act on definitions; a change is answered once they obey it. */
export interface Obeyed {
	refresh(): Promise<void>;
}
