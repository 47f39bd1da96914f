import { randomUUID } from "node:crypto";
import pg from "pg";
import {
	Database,
	isRefusal,
	PostgresDefinitionStore,
	PostgresLearningLedger,
	PostgresLogReads,
	PostgresPosteriorSource,
} from "#adapters/postgres";
import {
	bucketMsFor,
	type Definition,
	type Experiment,
} from "#core/experiment";
import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvent,
	encodeEvents,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import { Learn, type LearnableMessage, Verify } from "#usecases/learning";
import { createTestDatabase, type TestDatabase } from "./database.js";

/** A migrated database of the test's own, what learners deliver to it, and what is to be read of it. */
export class LedgerOfTest {
	readonly store: PostgresDefinitionStore;
	readonly posteriors: PostgresPosteriorSource;
	#position = 0;
	readonly #learners: PostgresLearningLedger[] = [];
	readonly #boot = randomUUID();

	private constructor(
		private readonly testDatabase: TestDatabase,
		readonly database: Database,
		/** When the stream stored what is delivered, milliseconds. */
		private readonly storedAt: () => number,
	) {
		this.store = new PostgresDefinitionStore(database);
		this.posteriors = new PostgresPosteriorSource(database);
	}

	static async open(storedAt: () => number = Date.now): Promise<LedgerOfTest> {
		const testDatabase = await createTestDatabase({ migrated: true });
		const { connectionString } = testDatabase;
		const database = new Database({
			connectionString,
			applicationName: "test",
		});
		return new LedgerOfTest(testDatabase, database, storedAt);
	}

	get connectionString(): string {
		return this.testDatabase.connectionString;
	}

	async close(): Promise<void> {
		await Promise.all(this.#learners.map((learner) => learner.close()));
		await this.database.close();
		await this.testDatabase.drop();
	}

	/** Runs the experiment under this key; a new one unless it is said. */
	async define(
		experiment: Experiment,
		key = `${experiment.key}-${randomUUID()}`,
		version = 1,
	): Promise<Definition> {
		const bucketMs = bucketMsFor(experiment.policy);
		if (typeof bucketMs !== "number") throw new Error(bucketMs.message);
		const definition = await this.store.change(key, () => ({
			experiment: { ...experiment, key },
			version,
			state: "running",
			run: 1,
			bookedRun: 1,
			analysis: 1,
			epoch: 1,
			winner: null,
			held: false,
			bucketMs,
			action: "create",
			actor: "test",
			why: "",
		}));
		return definition as Definition;
	}

	/** Of a learner of its own; to be closed. */
	learner(): PostgresLearningLedger {
		return new PostgresLearningLedger({
			connectionString: this.connectionString,
			applicationName: "test learner",
			definitions: (ids) => this.store.byIds(ids),
		});
	}

	/** Learns what is delivered; closed with this. */
	learning(): Learn {
		const ledger = this.learner();
		this.#learners.push(ledger);
		return new Learn(ledger, isRefusal);
	}

	/** From now on the database itself refuses a decision under this id, for what it is, as it would a value that no check of ours foresaw. */
	async refuse(id: string): Promise<void> {
		await this.database.query(
			`create function refuse_one() returns trigger language plpgsql as $$
			begin
				if new.id::text = tg_argv[0] then raise exception 'refused by the test' using errcode = '22000'; end if;
				return new;
			end $$;
			create trigger refuse_one before insert on decisions for each row execute function refuse_one(${pg.escapeLiteral(id)})`,
		);
	}

	message = (
		subject: string,
		body: Uint8Array,
		storedAt = this.storedAt(),
	): LearnableMessage => {
		this.#position += 1;
		return { subject, body, storedAt, position: this.#position };
	};

	decided = (...rows: DecisionRow[]): LearnableMessage =>
		this.message(
			LOG_SUBJECT,
			encodeDecisions(rows, {
				boot: this.#boot,
				sequence: this.#position + 1,
			}),
		);

	happened = (event: Event): LearnableMessage =>
		this.message(eventSubject(event.type), encodeEvent(event));

	/** As a decider tells of events: in a pack of its own. */
	told = (...events: Event[]): LearnableMessage =>
		this.message(
			EVENT_PACK_SUBJECT,
			encodeEvents(events, {
				boot: this.#boot,
				sequence: this.#position + 1,
			}),
		);

	/** What comes under an event's subject and may be none. */
	rubbish = (text: string): LearnableMessage =>
		this.message("segue.events.play", new TextEncoder().encode(text));

	/** A clean fold of the log beside the stored sums. */
	verify = ({ experiment }: Definition) =>
		new Verify(
			new PostgresLogReads(this.database, this.posteriors, this.store),
		).execute(experiment.key);

	/** The stored sums, by arm and bucket. */
	sums = async ({ experiment, version }: Definition) =>
		(await this.posteriors.read(experiment.key, version, 0)).changed;
}
