import type { Definition, Experiment, ExperimentState } from "#core/experiment";

export interface DefinitionChange {
	readonly experiment: Experiment;
	readonly version: number;
	readonly state: ExperimentState;
	readonly run: number;
	readonly epoch: number;
	readonly winner: string | null;
	readonly bucketMs: number;
	readonly action: "create" | "edit" | "start" | "pause" | "stop";
	readonly actor: string;
	readonly why: string;
}

export interface StoredDefinition extends Definition {
	readonly createdAt: number;
	readonly action: DefinitionChange["action"];
	readonly actor: string;
	readonly why: string;
}

export interface DefinitionStore {
	/** The current definition of every experiment. */
	all(): Promise<readonly StoredDefinition[]>;
	find(key: string): Promise<StoredDefinition | null>;
	/**
	 * Locks the experiment, hands its current definition (or null) to `decide`, and appends what it returns; null changes nothing.
	 * Returns the definition that is current afterwards.
	 */
	change(
		key: string,
		decide: (current: StoredDefinition | null) => DefinitionChange | null,
	): Promise<StoredDefinition | null>;
}

/** Definition rows by id, current or not; unknown ids are left out. */
export interface DefinitionHistory {
	byIds(ids: readonly number[]): Promise<readonly StoredDefinition[]>;
}

/** Those in this process who act on definitions; a change is answered once they obey it. */
export interface Obeyed {
	refresh(): Promise<void>;
}
