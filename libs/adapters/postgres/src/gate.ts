import type pg from "pg";
import { GATE } from "./advisory-locks.js";
import type { Database } from "./database.js";
import { SilentCopies } from "./silent-copies.js";

const LOCK_TIMEOUT_MS = 200;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 400;
/** Lock not available in time, deadlock, serialization failure: nothing was done, and trying again may help. */
const waitedInVain: ReadonlySet<unknown> = new Set(["55P03", "40P01", "40001"]);

/** The gate was held by batches for as long as there was patience. Nothing was changed. */
export class GateBusy extends Error {
	constructor(patienceMs: number) {
		super(
			`Learners were inside their transactions for all of ${Math.round(patienceMs / 100) / 10} s: nothing was changed. Try again soon.`,
		);
		this.name = "GateBusy";
	}
}

interface GateOptions {
	/** Statements that come before all others. */
	readonly settings?: string;
	/** Told for how many milliseconds the gate was waited for, failed tries included. */
	readonly onTaken?: (waitedMs: number) => void;
}

/**
 * A transaction with no batch in it and none beside it. Each wait for a lock is short, since all learners wait behind it; a learner
 * that was stopped inside its transaction is ended by its sessions' own limits, 5 s together, so a patience beyond that outlives it.
 * Throws GateBusy.
 */
export async function underGate<T>(
	database: Database,
	patienceMs: number,
	work: (client: pg.PoolClient) => Promise<T>,
	{ settings = "", onTaken = () => {} }: GateOptions = {},
): Promise<T> {
	const deadline = performance.now() + patienceMs;
	const silent = new SilentCopies(database);
	let askedAt: number | null = null;
	for (
		let pause = FIRST_PAUSE_MS;
		;
		pause = Math.min(LONGEST_PAUSE_MS, 2 * pause)
	) {
		try {
			return await database.transaction(async (client) => {
				askedAt ??= performance.now();
				await client.query(
					`set local lock_timeout = ${LOCK_TIMEOUT_MS}; set local jit = off; ${settings} select pg_advisory_xact_lock(${GATE}, 1)`,
				);
				onTaken(performance.now() - askedAt);
				return await work(client);
			});
		} catch (error) {
			if (!waitedInVain.has((error as { code?: unknown }).code)) throw error;
			if (performance.now() + pause >= deadline) throw new GateBusy(patienceMs);
			await silent.end();
			await new Promise((resolve) =>
				setTimeout(resolve, pause * (0.5 + Math.random() / 2)),
			);
		}
	}
}

/** Takes one revision of each experiment as the transaction's last act. */
export async function takeRevisions(
	client: pg.ClientBase,
	batch: number,
	experiments: readonly string[],
): Promise<ReadonlyMap<string, number>> {
	if (experiments.length === 0) return new Map();
	await client.query(
		`select ${namingRevisions}`,
		revisionNames(batch, experiments),
	);
	const { rows } = await client.query<RevisionRow>(taking);
	return new Map(rows.map((row) => [row.experiment, row.revision]));
}

/** What says of which experiments revisions are taken, in any statement before; its values are `revisionNames`. */
export const namingRevisions =
	"set_config('segue.experiments', $1, true), set_config('segue.batch', $2, true)";

export const revisionNames = (
	batch: number,
	experiments: readonly string[],
): [string, string] => [
	[...new Set(experiments)].sort().join(","),
	String(batch),
];

interface RevisionRow {
	readonly experiment: string;
	readonly revision: number;
}
const taking = "select t.experiment, t.revision from segue_take_revisions() t";

/** The same for what was named already, where rows of the log have gone: what came before can no longer be derived again. */
export async function takeNamedFloors(
	client: pg.ClientBase,
): Promise<ReadonlyMap<string, number>> {
	// Statements of their own in one message.
	const results = (await client.query(
		`${taking}; update revisions r set floor = r.revision
		where r.experiment = any (string_to_array(current_setting('segue.experiments'), ','))`,
	)) as unknown as pg.QueryResult<RevisionRow>[];
	return new Map(
		(results[0]?.rows ?? []).map((row) => [row.experiment, row.revision]),
	);
}

/** Both. */
export async function takeFloors(
	client: pg.ClientBase,
	batch: number,
	experiments: readonly string[],
): Promise<ReadonlyMap<string, number>> {
	if (experiments.length === 0) return new Map();
	await client.query(
		`select ${namingRevisions}`,
		revisionNames(batch, experiments),
	);
	return takeNamedFloors(client);
}

export async function nextBatch(client: pg.ClientBase): Promise<number> {
	const { rows } = await client.query<{ batch: number }>(
		"select nextval('batch_ids') as batch",
	);
	return (rows[0] as { batch: number }).batch;
}
