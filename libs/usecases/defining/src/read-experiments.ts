import { fail } from "#usecases/errors";
import type { DefinitionStore, StoredDefinition } from "./ports.js";

/** The current definition of every experiment, by key. */
export class ListExperiments {
	constructor(private readonly store: Pick<DefinitionStore, "all">) {}

	execute(): Promise<readonly StoredDefinition[]> {
		return this.store.all();
	}
}

export class GetExperiment {
	constructor(private readonly store: Pick<DefinitionStore, "find">) {}

	/** Throws unknown-experiment. */
	async execute(key: string): Promise<StoredDefinition> {
		const found = await this.store.find(key);
		if (found === null) throw noExperiment(key);
		return found;
	}
}

export function noExperiment(key: string): Error {
	return fail(
		"unknown-experiment",
		`There is no experiment "${key.slice(0, 64)}". GET /v1/experiments lists them.`,
	);
}
