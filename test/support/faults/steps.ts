import pg from "pg";
import { waitFor } from "../segue.js";
import type { AtEnd, Ground } from "./ground.js";
import { type Mark, startTripwire, type Tripwire } from "./tripwire.js";
import { nats, postgres } from "./wire-frames.js";

/** What the database and the broker show while a learner stands at a step. */
interface Shown {
	/** As pg_stat_activity has it. */
	readonly state: string;
	/** What the learner's backend has locked, as `table mode` and `gate`. */
	readonly locks: readonly string[];
	/** Messages that learners hold. */
	readonly held: number;
}

/** A place in a batch where a learner may stop, how it is found, and how it is known that it stopped there. */
export interface Step {
	readonly name: string;
	/** Stands still before it sends this to the database, or before it hears this. */
	readonly database?: Mark;
	readonly broker?: Mark;
	/** Stands still as this table is written: the database waits in the midst of the statement. */
	readonly trap?: string;
	/** Whoever meets one of its decisions waits until its transaction has ended, also where the decision was known before. */
	readonly locks: boolean;
	readonly proof: (shown: Shown) => boolean;
}

const before = (says: RegExp): Mark => ({ from: "client", says });
const has = ({ locks }: Shown, what: RegExp): boolean =>
	locks.some((lock) => what.test(lock));
const idle = ({ state }: Shown): boolean => state === "idle in transaction";

const LOCKING = /from decision_states[^;]*for update/;
const GATE_TAKEN = /^gate$/;
const LETTERS_STORED = /^dead_letters RowExclusiveLock$/;
const IDS_INSERTED = /^decision_states\S* RowExclusiveLock$/;
const LOCKED = /^decision_states\S* RowShareLock$/;
const ROWS_INSERTED = /^(decisions|outcomes)(_\S*)? RowExclusiveLock$/;
const SUMS_ADDED = /^sums RowExclusiveLock$/;
const COUNTED = /^(verdict_counts|revision_log) RowExclusiveLock$/;
const REVISION_WRITTEN = /^revision_log RowExclusiveLock$/;

/** The steps of docs/invariants.md. Found by what must be said at them, however it is divided into messages. */
export const steps: readonly Step[] = [
	{
		name: "received",
		database: before(/pg_advisory_xact_lock_shared/),
		locks: false,
		proof: (shown) => shown.held > 0 && !has(shown, GATE_TAKEN),
	},
	{
		name: "gate taken",
		database: before(/insert into (decision_states|dead_letters)/),
		locks: false,
		proof: (shown) =>
			idle(shown) &&
			has(shown, GATE_TAKEN) &&
			!has(shown, LETTERS_STORED) &&
			!has(shown, IDS_INSERTED),
	},
	{
		name: "letters stored",
		database: {
			from: "client",
			says: /insert into decision_states/,
			behind: /insert into dead_letters/,
		},
		locks: false,
		proof: (shown) =>
			idle(shown) && has(shown, LETTERS_STORED) && !has(shown, IDS_INSERTED),
	},
	{
		name: "ids inserted",
		database: before(LOCKING),
		locks: false,
		proof: (shown) =>
			idle(shown) && has(shown, IDS_INSERTED) && !has(shown, LOCKED),
	},
	{
		name: "locked",
		database: {
			from: "client",
			says: /(copy|insert into) (decisions|outcomes) /,
			behind: LOCKING,
		},
		locks: true,
		proof: (shown) =>
			idle(shown) && has(shown, LOCKED) && !has(shown, ROWS_INSERTED),
	},
	{
		name: "asked for rows",
		database: { from: "server", says: /^copy in$/, behind: LOCKING },
		locks: true,
		proof: (shown) => has(shown, LOCKED) && has(shown, ROWS_INSERTED),
	},
	{
		name: "sums added",
		database: {
			from: "client",
			says: /segue_count_verdicts/,
			behind: /update sums /,
		},
		locks: true,
		proof: (shown) =>
			idle(shown) && has(shown, SUMS_ADDED) && !has(shown, COUNTED),
	},
	{
		name: "revision written",
		trap: "revision_log",
		locks: false,
		proof: (shown) => has(shown, REVISION_WRITTEN),
	},
	{
		name: "after commit",
		database: {
			from: "server",
			says: /^COMMIT$/,
			behind: /segue_take_revisions/,
		},
		locks: false,
		proof: (shown) => shown.held > 0 && !has(shown, GATE_TAKEN),
	},
	{
		name: "before ack",
		broker: {
			from: "client",
			says: /^PUB \$JS\.ACK\.SEGUE\.learners\.[^\n]*\n\+ACK/,
		},
		locks: false,
		proof: (shown) => shown.held > 0 && !has(shown, GATE_TAKEN),
	},
];

const TRAPPED = "on the tripwire";
const TRAP = 4_712;
const GATE = 7_301;

/** The ways of one learner to its database and its broker, on which it can be stopped at a step. */
export class Steps {
	#backend: number | null = null;
	/** Every backend of the learner that stopped: it has other transactions under way than the one at the step. */
	#stopped: readonly number[] = [];

	private constructor(
		private readonly ground: Ground,
		private readonly toDatabase: Tripwire,
		private readonly toBroker: Tripwire,
		/** Holds the trap while it is set. */
		private readonly trapper: pg.Client,
		/** What such a learner is started with. */
		readonly env: Readonly<Record<string, string>>,
	) {}

	static async make(atEnd: AtEnd, ground: Ground): Promise<Steps> {
		const database = new URL(ground.databaseUrl);
		const toDatabase = await startTripwire(
			{ host: database.hostname, port: Number(database.port) },
			postgres,
		);
		atEnd(() => toDatabase.close());
		const toBroker = await startTripwire(
			{ host: "127.0.0.1", port: ground.nats.port },
			nats,
		);
		atEnd(() => toBroker.close());
		const trapper = new pg.Client({ connectionString: ground.databaseUrl });
		await trapper.connect();
		atEnd(() => trapper.end());
		await makeTraps(trapper);
		database.port = String(toDatabase.port);
		database.searchParams.set("application_name", TRAPPED);
		return new Steps(ground, toDatabase, toBroker, trapper, {
			DATABASE_URL: database.href,
			NATS_URL: `nats://127.0.0.1:${toBroker.port}`,
		});
	}

	/** Resolves when the learner is there; it stays there until `release`. */
	async lay({ database, broker, trap }: Step): Promise<void> {
		this.#backend = null;
		if (database) this.#backend = await this.toDatabase.lay(database);
		else if (broker) await this.toBroker.lay(broker);
		else if (trap) await this.#trapped();
	}

	async #trapped(): Promise<void> {
		await this.trapper.query("select pg_advisory_lock($1)", [TRAP]);
		await waitFor(
			async () => {
				const { rows } = await this.trapper.query<{ pid: number }>(
					"select l.pid from pg_locks l where l.locktype = 'advisory' and l.objid = $1 and not l.granted and l.database = (select d.oid from pg_database d where d.datname = current_database())",
					[TRAP],
				);
				this.#backend = rows[0]?.pid ?? null;
				return this.#backend !== null;
			},
			30_000,
			() => "nobody went into the trap",
		);
	}

	/** Throws where the learner is not at this step as far as database and broker can tell. */
	async shown({ name, proof }: Step): Promise<void> {
		const shown: Shown[] = [];
		await waitFor(
			async () => {
				shown.push(await this.#shown());
				return proof(shown.at(-1) as Shown);
			},
			2_000,
			() => `not at the step "${name}" but ${JSON.stringify(shown[0])}`,
		);
		const { rows } = await this.trapper.query<{ pid: number }>(
			"select a.pid from pg_stat_activity a where a.datname = current_database() and a.application_name = $1",
			[TRAPPED],
		);
		this.#stopped = rows.map(({ pid }) => pid);
	}

	async #shown(): Promise<Shown> {
		const { held } = await this.ground.consumer();
		const { rows: states } = await this.trapper.query<{ state: string }>(
			"select a.state from pg_stat_activity a where a.pid = $1",
			[this.#backend],
		);
		const { rows } = await this.trapper.query<{ lock: string }>(
			`select case when l.locktype = 'advisory' then 'gate' else c.relname || ' ' || l.mode end as lock
			from pg_locks l left join pg_class c on c.oid = l.relation
			where l.pid = $1 and l.granted and (l.locktype = 'relation' or (l.locktype = 'advisory' and l.classid = $2))`,
			[this.#backend, GATE],
		);
		const locks = rows.map(({ lock }) => lock);
		return { state: states[0]?.state ?? "", locks, held };
	}

	/** Whether anyone else waits for what the learner that was shown at this step has locked. */
	async delaysOthers(): Promise<boolean> {
		const { rows } = await this.trapper.query(
			`select 1 from pg_stat_activity a where a.datname = current_database()
			and a.pid <> all ($1::int[]) and $1::int[] && pg_blocking_pids(a.pid)`,
			[this.#stopped],
		);
		return rows.length > 0;
	}

	/** What was held arrives, and who is in the trap goes on. */
	async release(): Promise<void> {
		this.toDatabase.release();
		this.toBroker.release();
		await this.#openTrap();
	}

	/** What was held is lost with the learner that was killed; who is in the trap goes on, not knowing. */
	async lose(): Promise<void> {
		this.toDatabase.lose();
		this.toBroker.lose();
		await this.#openTrap();
	}

	async #openTrap(): Promise<void> {
		await this.trapper.query("select pg_advisory_unlock_all()");
	}
}

/** A learner on the tripwire waits in the midst of its statement while the trap is held. */
async function makeTraps(trapper: pg.Client): Promise<void> {
	await trapper.query(
		`create function wait_in_the_trap() returns trigger language plpgsql as $$
		begin
			if current_setting('application_name') = '${TRAPPED}' then
				perform pg_advisory_xact_lock_shared(${TRAP});
			end if;
			return null;
		end $$`,
	);
	for (const { trap } of steps)
		if (trap !== undefined)
			await trapper.query(
				`create trigger trap after insert on ${trap} for each statement execute function wait_in_the_trap()`,
			);
}
