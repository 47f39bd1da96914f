import type { ExperimentDiff } from "#core/experiment";
import { compare, edit, NOTHING_CHANGED, type Target } from "./edit.js";
import type {
	DefinitionHistory,
	DefinitionStore,
	Obeyed,
	StoredDefinition,
} from "./ports.js";
import {
	type ChangeRequest,
	explainingConflict,
	holds,
	Stale,
} from "./precondition.js";

export interface Edited {
	readonly definition: StoredDefinition;
	readonly created: boolean;
	/** What the edit changed, with new version and epoch; nothing where it repeated what was there. */
	readonly diff: ExperimentDiff;
}

interface Stores {
	readonly store: DefinitionStore;
	readonly history: DefinitionHistory;
	readonly obeyed: Obeyed | undefined;
}

/**
 * Makes a document the current one, under the request's precondition and the store's lock; returns once this process obeys it. Throws
 * edit-conflict, and what `edit` throws.
 * @param backTo the former version that learned what the document learns, of a rollback
 */
export async function guardedEdit(
	{ store, history, obeyed }: Stores,
	request: ChangeRequest,
	target: Omit<Target, "newestVersion">,
	backTo?: number,
): Promise<Edited> {
	const { key } = request;
	let created = false;
	let diff = NOTHING_CHANGED;
	const definition = await explainingConflict(key, request, history, () =>
		store.change(key, (current, newestVersion) => {
			created = current === null;
			diff = compare(current, target.experiment, backTo);
			const change = edit(current, { ...target, newestVersion }, diff, request);
			// What is asked for is there already: the repeat of a request whose answer was lost (RFC 9110 §13.1.1).
			if (change !== null && !holds(request, current)) throw new Stale(current);
			return change;
		}),
	);
	await obeyed?.refresh();
	return { definition: definition as StoredDefinition, created, diff };
}
