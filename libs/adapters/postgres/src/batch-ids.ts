import type pg from "pg";
import type { Admitted, LoggedEvent } from "#usecases/learning";
import { insertStates, lockStates, type StateRecord } from "./learning-sql.js";

/** Of an event that names one. */
export const decisionOf = ({ event }: LoggedEvent): string =>
	event.decisionId as string;

/** By id. */
export type States = ReadonlyMap<string, StateRecord>;

/**
 * Ids that are new are this transaction's own until it commits, so only the others need a lock. A closing never makes a placeholder: its
 * decision is there, or is gone for good.
 */
export async function lockIds(
	client: pg.ClientBase,
	{ decisions, outcomes }: Admitted,
	closings: readonly LoggedEvent[],
): Promise<States> {
	const ids = [
		...new Set([...decisions.keys(), ...outcomes.map(decisionOf)]),
	].sort();
	const inserted =
		ids.length > 0
			? await insertStates(
					client,
					ids.map((id) => ({ id, row: decisions.get(id)?.row ?? null })),
				)
			: new Set<string>();
	const others = new Set(ids.filter((id) => !inserted.has(id)));
	for (const closing of closings) others.add(decisionOf(closing));
	const states = new Map<string, StateRecord>();
	for (const id of inserted)
		states.set(id, { id, experiment: null, exposed: 0, reward: 0, own: true });
	for (const state of await lockStates(client, [...others].sort()))
		if (!inserted.has(state.id)) states.set(state.id, state);
	return states;
}

/** Sorted. An id that this batch inserted has none. */
export function mayHaveOutcomes(
	states: States,
	{ decisions, outcomes }: Admitted,
	closings: readonly LoggedEvent[],
): readonly string[] {
	const ids = new Set([...outcomes, ...closings].map(decisionOf));
	for (const id of decisions.keys())
		if (states.get(id)?.experiment === null) ids.add(id);
	return [...ids].filter((id) => states.has(id) && !states.get(id)?.own).sort();
}
