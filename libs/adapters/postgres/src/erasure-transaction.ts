import type pg from "pg";
import type { Definition } from "#core/experiment";
import type { Event } from "#core/log";
import { NO_ROWS, type RemovedRows } from "#usecases/erasing";
import { unbookUnits } from "./book-erasure.js";
import { readDefinitions } from "./definition-store.js";
import { eraseLetters, type LettersSeen } from "./erasure-dead-letters.js";
import {
	deleteEmptyPlaceholders,
	readOutlook,
	writeTombstones,
} from "./erasure-sql.js";
import { addStored, shareOfSums, writeAlone } from "./erasure-sums.js";
import {
	readEvents,
	readTaken,
	type TakenDecisions,
	takeDecisions,
	takeEvents,
} from "./erasure-taken.js";
import { erasedVerdicts, writeVerdicts } from "./erasure-verdicts.js";
import { takeFloors } from "./gate.js";
import { eraseGuarded } from "./guard-books.js";
import { forgetWindows } from "./open-windows.js";

/** The eraser's own shard: its rows may be negative, being what was added elsewhere. Learners have 0 to 15. */
const ERASER_SHARD = 16;

type Counts = { -readonly [name in keyof RemovedRows]: RemovedRows[name] };

export const noRows = (): Counts => ({ ...NO_ROWS });

export interface Some {
	readonly units: readonly string[];
	/** Decisions taken out at once. */
	readonly most: number;
	/** What the first transaction of an erasure does besides. */
	readonly beginning: {
		readonly keys: readonly Buffer[];
		readonly liveKeys: readonly Buffer[];
		readonly letters: LettersSeen;
	} | null;
	/** Those that are known; others are read and put beside them. */
	readonly definitions: Map<number, Definition>;
}

/** One transaction of an erasure, under the gate. */
export async function eraseSome(
	client: pg.PoolClient,
	{ units, most, beginning, definitions }: Some,
) {
	const written =
		beginning === null ? null : await writeTombstones(client, beginning, units);
	const { bound, foldedBefore } = await readOutlook(client, units, most);
	const removed = noRows();
	removed.profiles = written?.profiles ?? 0;
	removed.consents = written?.consents ?? 0;
	await unbookUnits(client, units, bound, definitions);
	const taken = await takeDecisions(client, units, bound);
	await eraseGuarded(client, units);
	await learnDefinitions(client, taken.definitionIds, definitions);
	// What is not found by its decision goes last, when no event is left that a decision still to come out would take along.
	const last = bound === null;
	const [takenEvents, { decisions, states, deltas }] = await meanwhile(
		takeEvents(client, taken.ids, last ? units : null),
		() => {
			const read = readTaken(taken);
			return { ...read, deltas: shareOfSums(read, definitions) };
		},
	);
	const [, { outcomes, named }] = await meanwhile(
		addStored(client, ERASER_SHARD, deltas),
		() => byWhose(readEvents(takenEvents), decisions),
	);
	for (const { ids } of decisions) removed.decisions += ids.length;
	for (const { exposed, ids } of states)
		removed.learned += exposed * ids.length;
	removed.outcomes = outcomes.length + named.length;
	removed.signals = takenEvents.signals;
	removed.requests = takenEvents.requests;
	await forgetOpenWindows(client, decisions, definitions);
	const { experimentOf, waiting } = await deleteEmptyPlaceholders(
		client,
		named,
	);
	removed.waiting = waiting;
	if (beginning !== null)
		removed.deadLetters = await eraseLetters(client, units, beginning.letters);

	const { batch } = taken;
	const strays = named.map((id) => experimentOf.get(id) ?? null);
	const [, verdicts] = await meanwhile(
		writeAlone(client, ERASER_SHARD, batch, deltas),
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
	const erasedAt = written?.erasedAt ?? null;
	return { erasedAt, removed, revisions, foldedBefore, more: !last };
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
	ids: readonly number[],
	definitions: Map<number, Definition>,
): Promise<void> {
	const unknown = ids.filter((id) => !definitions.has(id));
	if (unknown.length === 0) return;
	for (const row of await readDefinitions(client, unknown))
		definitions.set(row.id, row);
	const missing = unknown.find((id) => !definitions.has(id));
	if (missing !== undefined)
		throw new Error(
			`Decisions to be erased name the definition row ${missing}, which is not there.`,
		);
}

/** Tells the events of the decisions taken out from those that name others, of which the decision is all that counts. */
function byWhose(
	events: readonly Event[],
	decisions: readonly TakenDecisions[],
): { readonly outcomes: readonly Event[]; readonly named: readonly string[] } {
	const taken = new Set(decisions.flatMap(({ ids }) => ids));
	const isTheirs = ({ decisionId }: Event) => taken.has(decisionId as string);
	return {
		outcomes: events.filter(isTheirs),
		named: events
			.filter((event) => !isTheirs(event))
			.map(({ decisionId }) => decisionId as string),
	};
}

/** Only decisions that teach from the close of their window on have one. */
async function forgetOpenWindows(
	client: pg.ClientBase,
	decisions: readonly TakenDecisions[],
	definitions: ReadonlyMap<number, Definition>,
): Promise<void> {
	const closing = decisions.filter(
		({ definitionId }) =>
			definitions.get(definitionId)?.experiment.reward.learn === "windowClose",
	);
	if (closing.length > 0)
		await forgetWindows(
			client,
			closing.flatMap(({ ids }) => ids),
		);
}
