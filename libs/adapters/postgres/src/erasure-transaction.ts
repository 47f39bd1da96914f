import type pg from "pg";
import type { Definition } from "#core/experiment";
import type { Event } from "#core/log";
import { NO_ROWS, type RemovedRows } from "#usecases/erasing";
import { unbookUnits } from "./book-erasure.js";
import { readDefinitions } from "./definition-store.js";
import {
	changeLetters,
	judgeUnseen,
	type LettersSeen,
} from "./erasure-dead-letters.js";
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
	toEvents,
} from "./erasure-taken.js";
import {
	countStrays,
	erasedVerdicts,
	writeVerdicts,
} from "./erasure-verdicts.js";
import { revisionNames, takeNamedFloors } from "./gate.js";
import { eraseGuarded } from "./guard-books.js";
import { forgetWindows } from "./open-windows.js";

/** The eraser's own shard: its rows may be negative, being what was added elsewhere. Learners have 0 to 15. */
const ERASER_SHARD = 16;

/** Those of an erasure: the transaction's own, and one that only reads, null where there is none to spare. */
export interface Sessions {
	readonly client: pg.PoolClient;
	readonly spare: pg.PoolClient | null;
}

type Counts = { -readonly [name in keyof RemovedRows]: RemovedRows[name] };

export const noRows = (): Counts => ({ ...NO_ROWS });

/** What the first transaction of an erasure needs besides. */
export interface Beginning {
	readonly keys: readonly Buffer[];
	readonly liveKeys: readonly Buffer[];
	readonly letters: LettersSeen;
}

export interface Some {
	readonly units: readonly string[];
	/** Decisions taken out at once. */
	readonly most: number;
	/** Null in all but the first. */
	readonly beginning: Beginning | null;
	/** Those that are known; others are read and put beside them. */
	readonly definitions: Map<number, Definition>;
}

/**
 * One transaction of an erasure, under the gate. Where there is a session to spare, it reads what this one need not wait for: behind the
 * gate nobody else changes what either sees. An erasure of a thousand decisions so takes three quarters of the time.
 */
export async function eraseSome(
	sessions: Sessions,
	{ units, most, beginning, definitions }: Some,
) {
	const { client } = sessions;
	const [{ bound, foldedBefore }, written] = await aside(
		sessions,
		(session) => readOutlook(session, units, most),
		async () =>
			beginning === null ? null : writeTombstones(client, beginning, units),
	);
	await unbookUnits(client, units, bound, definitions);
	const [{ theirs, letters }, taken] = await aside(
		sessions,
		async (session) => ({
			theirs: await readEvents(session, units, bound),
			letters:
				beginning === null
					? null
					: await judgeUnseen(session, units, beginning.letters),
		}),
		() => takeDecisions(client, units, bound),
	);
	await learnDefinitions(client, taken.definitionIds, definitions);
	// What is not found by its decision goes last, when no event is left that a decision still to come out would take along.
	const isLast = bound === null;
	const [share, events] = await aside(
		sessions,
		async (session) => {
			const read = readTaken(taken);
			const deltas = shareOfSums(read, definitions);
			const adding = addStored(session, ERASER_SHARD, deltas);
			const [, told] = await meanwhile(adding, () =>
				judged(theirs, read.decisions, definitions),
			);
			return { ...read, deltas, told };
		},
		async () => {
			const gone = await takeEvents(client, taken.ids, { units, isLast });
			await eraseGuarded(client, units);
			return gone;
		},
	);
	const { decisions, states, deltas } = share;
	const others = toEvents(events.others);
	const { outcomes, strays, verdicts } =
		others.length === 0
			? share.told
			: judged([...theirs, ...others], decisions, definitions);
	const named = isLast ? strays : [];
	expectAll(outcomes + named.length, events.outcomes);
	await forgetOpenWindows(client, decisions, definitions);
	const { experimentOf, waiting } = await deleteEmptyPlaceholders(
		client,
		named,
	);
	const deadLetters =
		letters === null ? 0 : await changeLetters(client, letters);

	const { batch } = taken;
	const { signals, requests } = events;
	await writeAlone(client, ERASER_SHARD, batch, deltas);
	const experiments = named.map((id) => experimentOf.get(id) ?? null);
	countStrays(verdicts, experiments, signals);
	const touched = new Set<string>();
	for (const key of experiments) if (key !== null) touched.add(key);
	for (const { definitionId } of decisions)
		touched.add((definitions.get(definitionId) as Definition).experiment.key);
	const names = revisionNames(batch, [...touched]);
	await writeVerdicts(client, ERASER_SHARD, verdicts, names);
	const revisions =
		touched.size === 0
			? new Map<string, number>()
			: await takeNamedFloors(client);
	const removed: RemovedRows = {
		decisions: sum(decisions.map(({ ids }) => ids.length)),
		learned: sum(states.map(({ exposed, ids }) => exposed * ids.length)),
		waiting,
		outcomes: events.outcomes,
		signals,
		requests,
		deadLetters,
		profiles: written?.profiles ?? 0,
		consents: written?.consents ?? 0,
	};
	const erasedAt = written?.erasedAt ?? null;
	return { erasedAt, removed, revisions, foldedBefore, more: !isLast };
}

/** Does `a` in the session to spare while `b` goes on in the transaction's; without one, one after the other. Both are over when it resolves or throws. */
async function aside<A, B>(
	{ client, spare }: Sessions,
	a: (session: pg.ClientBase) => Promise<A>,
	b: () => Promise<B>,
): Promise<[A, B]> {
	if (spare === null) return [await a(client), await b()];
	const main = b();
	const beside = a(spare);
	await Promise.allSettled([main, beside]);
	return [await beside, await main];
}

/** Does `work` while the database is at what it was asked for. */
function meanwhile<Asked, Done>(
	asked: Promise<Asked>,
	work: () => Done,
): Promise<[Asked, Done]> {
	return Promise.all([asked, new Promise<Done>((done) => done(work()))]);
}

const sum = (counts: readonly number[]): number =>
	counts.reduce((total, count) => total + count, 0);

/** Throws where what was read and what was deleted are not the same, which the gate makes impossible. */
function expectAll(read: number, deleted: number): void {
	if (read !== deleted)
		throw new Error(
			`An erasure read ${read} events and deleted ${deleted}: nothing was changed. Somebody changed the log without the gate.`,
		);
}

/** Tells the events of the decisions taken out, whose verdicts are counted, from those that name others, of which the decision is all that counts. */
function judged(
	events: readonly Event[],
	decisions: readonly TakenDecisions[],
	definitions: ReadonlyMap<number, Definition>,
) {
	const taken = new Set(decisions.flatMap(({ ids }) => ids));
	const isTheirs = ({ decisionId }: Event) => taken.has(decisionId as string);
	const outcomes = events.filter(isTheirs);
	return {
		outcomes: outcomes.length,
		strays: events
			.filter((event) => !isTheirs(event))
			.map(({ decisionId }) => decisionId as string),
		verdicts: erasedVerdicts({ decisions, outcomes }, definitions),
	};
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
