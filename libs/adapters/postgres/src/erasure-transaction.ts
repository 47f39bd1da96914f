import type pg from "pg";
import type { Definition } from "#core/experiment";
import type { RemovedRows } from "#usecases/erasing";
import { readDefinitions } from "./definition-store.js";
import {
	changeLetters,
	findLetters,
	type LetterChanges,
} from "./erasure-dead-letters.js";
import {
	deleteDecisions,
	deleteEmptyPlaceholders,
	deleteOutcomesOf,
	deleteRequests,
	deleteSignals,
	deleteStates,
	deleteStrayOutcomes,
	experimentsOf,
	idList,
	readBound,
	type TakenDecision,
	writeTombstones,
} from "./erasure-sql.js";
import {
	chunksOf,
	readAlone,
	shareOfSums,
	writeAlone,
} from "./erasure-sums.js";
import { erasedVerdicts, writeVerdicts } from "./erasure-verdicts.js";
import { nextBatch, takeFloors } from "./gate.js";
import { forgetWindows } from "./open-windows.js";

/** The eraser's own shard: its rows may be negative, being what was added elsewhere. Learners have 0 to 15. */
const ERASER_SHARD = 16;

type Counts = { -readonly [name in keyof RemovedRows]: RemovedRows[name] };

export const noRows = (): Counts => ({
	decisions: 0,
	learned: 0,
	waiting: 0,
	outcomes: 0,
	signals: 0,
	requests: 0,
	deadLetters: 0,
});

export interface Some {
	readonly units: readonly string[];
	/** Decisions taken out at once. */
	readonly most: number;
	/** What the first transaction of an erasure does besides. */
	readonly beginning: {
		readonly keys: readonly Buffer[];
		readonly known: LetterChanges;
	} | null;
	/** Those that are known; others are read and put beside them. */
	readonly definitions: Map<number, Definition>;
}

/** One transaction of an erasure, under the gate. */
export async function eraseSome(
	client: pg.PoolClient,
	{ units, most, beginning, definitions }: Some,
) {
	const erasedAt =
		beginning === null ? null : await writeTombstones(client, beginning.keys);
	const bound = await readBound(client, units, most);
	const removed = noRows();
	const decisions = await deleteDecisions(client, units, bound);
	removed.decisions = decisions.length;
	await learnDefinitions(client, decisions, definitions);
	const ids = idList(decisions);
	const states = decisions.length > 0 ? await deleteStates(client, ids) : [];
	for (const { exposed } of states) removed.learned += exposed;
	const [outcomes, chunks] = await meanwhile(
		decisions.length > 0 ? deleteOutcomesOf(client, ids) : [],
		() => chunksOf(shareOfSums(decisions, states, definitions)),
	);
	removed.outcomes = outcomes.length;
	await forgetOpenWindows(client, decisions, definitions);
	// What is not found by its decision goes last, when no event is left that a decision still to come out would take along.
	const strays =
		bound === null ? await deleteStray(client, units, removed) : [];
	if (beginning !== null)
		removed.deadLetters = await changeLetters(
			client,
			await findLetters(client, units, beginning.known),
		);

	const batch = await nextBatch(client);
	const stored = await readAlone(client, ERASER_SHARD, chunks);
	const [, verdicts] = await meanwhile(
		writeAlone(client, ERASER_SHARD, batch, chunks, stored),
		() =>
			erasedVerdicts(
				{ decisions, outcomes, strays, signals: removed.signals },
				definitions,
			),
	);
	await writeVerdicts(client, ERASER_SHARD, verdicts);
	const touched = new Set<string>();
	for (const key of strays) if (key !== null) touched.add(key);
	for (const { definitionId } of decisions)
		touched.add((definitions.get(definitionId) as Definition).experiment.key);
	const revisions = await takeFloors(client, batch, [...touched]);
	return { erasedAt, removed, revisions, more: bound !== null };
}

/** Does `work` while the database is at what it was asked for. */
function meanwhile<Asked, Done>(
	asked: Promise<Asked> | Asked,
	work: () => Done,
): Promise<[Asked, Done]> {
	return Promise.all([asked, new Promise<Done>((done) => done(work()))]);
}

async function learnDefinitions(
	client: pg.ClientBase,
	decisions: readonly TakenDecision[],
	definitions: Map<number, Definition>,
): Promise<void> {
	const ids = new Set(decisions.map(({ definitionId }) => definitionId));
	const unknown = [...ids].filter((id) => !definitions.has(id));
	if (unknown.length === 0) return;
	for (const row of await readDefinitions(client, unknown))
		definitions.set(row.id, row);
	const missing = unknown.find((id) => !definitions.has(id));
	if (missing !== undefined)
		throw new Error(
			`Decisions to be erased name the definition row ${missing}, which is not there.`,
		);
}

/** Returns the experiment of each event that named another's decision; null where the decision had not come. */
async function deleteStray(
	client: pg.ClientBase,
	units: readonly string[],
	removed: Counts,
): Promise<readonly (string | null)[]> {
	removed.signals = await deleteSignals(client, units);
	removed.requests = await deleteRequests(client, units);
	const named = await deleteStrayOutcomes(client, units);
	removed.outcomes += named.length;
	if (named.length === 0) return [];
	const experimentOf = await experimentsOf(client, named);
	removed.waiting = await deleteEmptyPlaceholders(client, named);
	return named.map((id) => experimentOf.get(id) ?? null);
}

/** Only decisions that teach from the close of their window on have one. */
async function forgetOpenWindows(
	client: pg.ClientBase,
	decisions: readonly TakenDecision[],
	definitions: ReadonlyMap<number, Definition>,
): Promise<void> {
	const closing = decisions.filter(
		({ definitionId }) =>
			definitions.get(definitionId)?.experiment.reward.learn === "windowClose",
	);
	if (closing.length > 0)
		await forgetWindows(
			client,
			closing.map(({ id }) => id),
		);
}
