import { randomBytes } from "node:crypto";
import type pg from "pg";
import { parseExperiment, renderExperiment } from "#core/experiment";
import { Slices } from "#usecases/deciding";
import type {
	DefinitionAudit,
	DefinitionChange,
	DefinitionStore,
	StoredDefinition,
} from "#usecases/defining";
import { fail } from "#usecases/errors";
import type { Database } from "./database.js";
import { ParsedExperiments } from "./parsed-experiments.js";

interface DefinitionRecord {
	id: number;
	experiment: string;
	version: number;
	state: StoredDefinition["state"];
	run: number;
	booked_run: number;
	analysis: number;
	epoch: number;
	winner: string | null;
	held: boolean;
	bucket_ms: number;
	definition: unknown;
	action: DefinitionChange["action"];
	actor: string;
	why: string;
	created_at: Date;
	salt: Buffer;
}

const columns = `d.id, d.experiment, d.version, d.state, d.run, coalesce(d.booked_run, d.run) as booked_run, d.analysis, d.epoch, d.winner, d.held, d.bucket_ms, d.definition, d.action, d.actor, d.why, d.created_at, e.salt`;

/** Experiments and their immutable definition rows. */
export class PostgresDefinitionStore
	implements DefinitionStore, DefinitionAudit
{
	/** Current definitions by row id, as last read by `all`. */
	#current: ReadonlyMap<number, StoredDefinition> = new Map();
	readonly #parsed = new ParsedExperiments();
	/** Current rows that cannot be read, by id; each is told of once. */
	#unreadable: ReadonlyMap<number, { key: string; why: unknown }> = new Map();

	/** `unreadable` is told of each experiment that `all` leaves out, and why. */
	constructor(
		private readonly database: Database,
		private readonly unreadable: (
			key: string,
			error: unknown,
		) => void = () => {},
	) {}

	/**
	 * Asked twice a second by every decider, so rows that are known already are not read or parsed again. A row that cannot be read, such as
	 * one of a newer Segue, is left out: the other experiments go on.
	 */
	async all(): Promise<readonly StoredDefinition[]> {
		const heads = await this.database.query<{ id: number }>(
			"select e.definition_id as id from experiments e where e.definition_id is not null order by e.key",
		);
		const unknown = heads.flatMap(({ id }) =>
			this.#current.has(id) || this.#unreadable.has(id) ? [] : [id],
		);
		const records =
			unknown.length > 0 ? await recordsOf(this.database, unknown) : [];
		const next = new Map<number, StoredDefinition>();
		const unreadable = new Map<number, { key: string; why: unknown }>();
		for (const record of records)
			try {
				next.set(record.id, toDefinition(record, this.#parsed));
			} catch (error) {
				unreadable.set(record.id, { key: record.experiment, why: error });
				this.unreadable(record.experiment, error);
			}
		for (const { id } of heads) {
			const kept = this.#current.get(id);
			if (kept) next.set(id, kept);
			const left = this.#unreadable.get(id);
			if (left) unreadable.set(id, left);
		}
		this.#current = next;
		this.#unreadable = unreadable;
		return heads.flatMap(({ id }) => next.get(id) ?? []);
	}

	/** Why `all` left the experiment out when it was last read; null where it did not. */
	whyLeftOut(key: string): unknown {
		for (const left of this.#unreadable.values())
			if (left.key === key) return left.why;
		return null;
	}

	async find(key: string): Promise<StoredDefinition | null> {
		const rows = await this.database.query<DefinitionRecord>(
			`select ${columns} from experiments e join experiment_definitions d on d.id = e.definition_id where e.key = $1`,
			[key],
		);
		return rows[0] ? toDefinition(rows[0], this.#parsed) : null;
	}

	/** Definition rows by id, current or not: what a logged decision was decided under. */
	async byIds(ids: readonly number[]): Promise<readonly StoredDefinition[]> {
		return this.#read(await recordsOf(this.database, ids));
	}

	async ofVersion(
		key: string,
		version: number,
	): Promise<StoredDefinition | null> {
		const rows = await this.database.query<DefinitionRecord>(
			`select ${columns} from experiment_definitions d join experiments e on e.key = d.experiment
			where d.experiment = $1 and d.version = $2 order by d.id desc limit 1`,
			[key, version],
		);
		return rows[0] ? toDefinition(rows[0], this.#parsed) : null;
	}

	async page(
		key: string,
		below: number | null,
		most: number,
	): Promise<readonly StoredDefinition[]> {
		const rows = await this.database.query<DefinitionRecord>(
			`select ${columns} from experiment_definitions d join experiments e on e.key = d.experiment
			where d.experiment = $1 and ($2::bigint is null or d.id < $2) order by d.id desc limit $3`,
			[key, below, most],
		);
		return this.#read(rows);
	}

	/** Of many rows the first time takes long: decisions are answered in between. */
	async #read(
		rows: readonly DefinitionRecord[],
	): Promise<readonly StoredDefinition[]> {
		const slices = new Slices();
		const read: StoredDefinition[] = [];
		for (const row of rows) {
			await slices.pause();
			read.push(toDefinition(row, this.#parsed));
		}
		return read;
	}

	async change(
		key: string,
		decide: (
			current: StoredDefinition | null,
			newestVersion: number,
		) => DefinitionChange | null,
	): Promise<StoredDefinition | null> {
		return this.database.transaction((client) =>
			changeDefinition(client, key, decide),
		);
	}
}

function recordsOf(
	database: Database,
	ids: readonly number[],
): Promise<DefinitionRecord[]> {
	return database.query<DefinitionRecord>(
		`select ${columns} from experiment_definitions d join experiments e on e.key = d.experiment where d.id = any ($1::bigint[])`,
		[ids],
	);
}

/** The database's, by which definition rows are dated. */
export class PostgresClock {
	constructor(private readonly database: Database) {}

	/** Milliseconds since the epoch. */
	async now(): Promise<number> {
		const rows = await this.database.query<{ now: Date }>(
			"select clock_timestamp() as now",
		);
		return (rows[0] as { now: Date }).now.getTime();
	}
}

/** The same within a transaction of the caller's, which may do more. */
export async function changeDefinition(
	client: pg.ClientBase,
	key: string,
	decide: Parameters<DefinitionStore["change"]>[1],
): Promise<StoredDefinition | null> {
	await client.query("savepoint untouched");
	await client.query(
		"insert into experiments (key, salt) values ($1, $2) on conflict do nothing",
		[key, randomBytes(32)],
	);
	await client.query(
		"select e.key from experiments e where e.key = $1 for update",
		[key],
	);
	const found = await client.query<DefinitionRecord>(
		`select ${columns} from experiments e join experiment_definitions d on d.id = e.definition_id where e.key = $1`,
		[key],
	);
	const current = found.rows[0] ? toDefinition(found.rows[0]) : null;
	const newest = await client.query<{ version: number }>(
		"select coalesce(max(d.version), 0) as version from experiment_definitions d where d.experiment = $1",
		[key],
	);
	const change = decide(current, newest.rows[0]?.version ?? 0);
	if (change === null) {
		await client.query("rollback to savepoint untouched");
		return current;
	}
	const inserted = await client.query<DefinitionRecord>(
		`with d as (
			insert into experiment_definitions (experiment, version, state, run, booked_run, analysis, epoch, winner, held, bucket_ms, definition, action, actor, why)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning *
		), e as (
			update experiments set definition_id = d.id from d where key = $1 returning salt
		), r as (
			insert into revisions (experiment) values ($1) on conflict do nothing
		)
		select ${columns} from d, e`,
		[
			key,
			change.version,
			change.state,
			change.run,
			change.bookedRun,
			change.analysis,
			change.epoch,
			change.winner,
			change.held,
			change.bucketMs,
			JSON.stringify(renderExperiment(change.experiment)),
			change.action,
			change.actor,
			change.why,
		],
	);
	return toDefinition(inserted.rows[0] as DefinitionRecord);
}

/** Definition rows by id, within a transaction. */
export async function readDefinitions(
	client: pg.ClientBase,
	ids: readonly number[],
): Promise<readonly StoredDefinition[]> {
	const { rows } = await client.query<DefinitionRecord>(
		`select ${columns} from experiment_definitions d join experiments e on e.key = d.experiment where d.id = any ($1::bigint[])`,
		[ids],
	);
	return rows.map((row) => toDefinition(row));
}

function toDefinition(
	row: DefinitionRecord,
	parsed: ParsedExperiments | null = null,
): StoredDefinition {
	const experiment = parsed?.get(row.id) ?? experimentOf(row);
	parsed?.keep(row.id, experiment);
	return {
		id: row.id,
		experiment,
		version: row.version,
		state: row.state,
		run: row.run,
		bookedRun: row.booked_run,
		analysis: row.analysis,
		epoch: row.epoch,
		winner: row.winner,
		held: row.held,
		salt: row.salt.toString("hex"),
		bucketMs: row.bucket_ms,
		createdAt: row.created_at.getTime(),
		action: row.action,
		actor: row.actor,
		why: row.why,
	};
}

/** Throws unreadable-definition. */
function experimentOf({ id, experiment, definition }: DefinitionRecord) {
	const parsed = parseExperiment(definition, "stored");
	if (parsed.ok) return parsed.value;
	const first = parsed.problems[0];
	throw fail(
		"unreadable-definition",
		`The definition of ${experiment} in the database, row ${id}, cannot be read by this Segue: ${first?.path ?? ""}: ${first?.message ?? ""} Other experiments go on. Where a newer Segue wrote it, start that one.`,
	);
}
