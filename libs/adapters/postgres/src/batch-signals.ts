import type pg from "pg";
import {
	type DeadLetter,
	type LoggedEvent,
	refusedEvent,
} from "#usecases/learning";
import {
	insertSignals,
	readSignalHashes,
	type SignalKey,
	signalKey,
} from "./outcomes-sql.js";

export interface StoredSignals {
	readonly fresh: number;
	/** Stored before with the same body, or twice in the batch. */
	readonly known: number;
	readonly conflicts: readonly DeadLetter[];
}

interface Keyed {
	readonly logged: LoggedEvent;
	readonly key: SignalKey;
}

/** Stores a batch's events that name no decision. `keyed` hashes a unit and an event id, so that no unit is a key. */
export async function storeSignals(
	client: pg.ClientBase,
	batch: number,
	signals: readonly LoggedEvent[],
	keyed: (text: string) => Buffer,
): Promise<StoredSignals> {
	if (signals.length === 0) return { fresh: 0, known: 0, conflicts: [] };
	const first = new Map<string, Keyed>();
	const again: Keyed[] = [];
	for (const logged of signals) {
		const { id, unit, at } = logged.event;
		const day = new Date(at).toISOString().slice(0, 10);
		const key = { day, event_key: keyed(`${unit}\n${id}`) };
		const name = signalKey(key);
		if (first.has(name)) again.push({ logged, key });
		else first.set(name, { logged, key });
	}
	const rows = [...first.values()];
	const isNew = await insertSignals(
		client,
		batch,
		rows.map(({ logged }) => logged),
		rows.map(({ key }) => key.event_key),
	);
	for (const [name, row] of first) if (!isNew.has(name)) again.push(row);
	const fresh = isNew.size;
	if (again.length === 0) return { fresh, known: 0, conflicts: [] };
	const hashes = await readSignalHashes(
		client,
		again.map(({ key }) => key),
	);
	const conflicts = again.flatMap(({ logged, key }) =>
		hashes.get(signalKey(key))?.equals(logged.bodyHash) === false
			? [
					refusedEvent(
						logged,
						`conflict: another body is stored under the id ${logged.event.id} of this unit and day`,
					),
				]
			: [],
	);
	return { fresh, known: again.length - conflicts.length, conflicts };
}
