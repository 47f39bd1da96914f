import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, migrate, PostgresDefinitionStore } from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { PutExperiment, StartExperiment } from "#usecases/defining";
import { sampleExperiment } from "../client.js";
import { createTestDatabase } from "../database.js";
import { startNats, type TestNats } from "../nats-server.js";
import { waitFor } from "../segue.js";
import {
	type Consumed,
	type GroundStream,
	overJetStream,
	overPostgres,
	type StreamKind,
} from "./ground-stream.js";
import { History, type Outgoing } from "./history.js";
import { Learner } from "./learner.js";

/** Given what to do at its end, which is done last-in-first-out. */
export type AtEnd = (undo: () => Promise<void>) => void;

const PUBLISH_WITHIN_MS = 30_000;
const by = { actor: "faults", why: "" };

interface Parts {
	/** Null where the stream is in the database. */
	readonly nats: TestNats | null;
	readonly databaseUrl: string;
	readonly database: Database;
	readonly stream: GroundStream;
}

interface Wanted {
	/** How many run; the first is the sample. */
	readonly experiments?: number;
	/** An empty database of the test's own; else one of the run's PostgreSQL is made. */
	readonly databaseUrl?: string;
	/** JetStream where nothing is said. */
	readonly stream?: StreamKind;
}

/** A stream and a database of a test's own, in which experiments run, and the one who publishes into it. */
export class Ground {
	private constructor(
		private readonly parts: Parts,
		/** What was published. */
		readonly history: History,
		private readonly atEnd: AtEnd,
	) {}

	static async make(
		atEnd: AtEnd,
		random: () => number,
		wanted: Wanted = {},
	): Promise<Ground> {
		const nats = wanted.stream === "postgres" ? null : await startNats();
		if (nats !== null) atEnd(() => nats.stop());
		const databaseUrl = wanted.databaseUrl ?? (await databaseOfItsOwn(atEnd));
		if (wanted.databaseUrl !== undefined) await migrate(wanted.databaseUrl);
		const database = new Database({
			connectionString: databaseUrl,
			applicationName: "faults",
		});
		atEnd(() => database.close());
		const definitions: Definition[] = [];
		for (let i = 0; i < (wanted.experiments ?? 1); i++)
			definitions.push(await runningExperiment(database, i));
		const stream =
			nats === null
				? await overPostgres(databaseUrl, database)
				: await overJetStream(nats);
		atEnd(() => stream.stream.close());
		return new Ground(
			{ nats, databaseUrl, database, stream },
			new History(definitions, random),
			atEnd,
		);
	}

	get nats(): TestNats {
		if (this.parts.nats === null)
			throw new Error("The stream is in the database: there is no broker.");
		return this.parts.nats;
	}

	get databaseUrl(): string {
		return this.parts.databaseUrl;
	}

	get database(): Database {
		return this.parts.database;
	}

	async consumer(): Promise<Consumed> {
		return await this.parts.stream.consumed();
	}

	/** A learner on this stream and database, or on the ways to them that are given. */
	async learner(env: Readonly<Record<string, string>> = {}): Promise<Learner> {
		const learner = await Learner.start({
			DATABASE_URL: this.databaseUrl,
			...this.parts.stream.env,
			...env,
		});
		this.atEnd(() => learner.kill());
		return learner;
	}

	/** In the order given; all are stored when it resolves. */
	async publish(messages: readonly Outgoing[]): Promise<void> {
		await Promise.all(
			messages.map(({ subject, body }) =>
				this.parts.stream.stream.publish(
					subject,
					body,
					randomUUID(),
					PUBLISH_WITHIN_MS,
				),
			),
		);
	}

	/** Whether all of them are committed. */
	async stored(items: readonly (DecisionRow | Event)[]): Promise<boolean> {
		const [row] = await this.database.query<{ stored: number }>(
			`select ((select count(*) from decisions d where d.id::text = any ($1::text[]))
				+ (select count(*) from outcomes o where o.event_id = any ($1::text[])))::int as stored`,
			[items.map(({ id }) => id)],
		);
		return row?.stored === items.length;
	}

	/** Small bursts one after another until it is stopped. */
	load(pauseMs: number): { stop(): Promise<void> } {
		let stopped = false;
		const loading = (async () => {
			while (!stopped) {
				await this.publish(
					this.history.burst({ decisions: 20, outcomesEach: 5 }),
				);
				await sleep(pauseMs);
			}
		})();
		const stop = async () => {
			stopped = true;
			await loading;
		};
		this.atEnd(stop);
		return { stop };
	}

	/** Publishes; resolves once learners took that share of it, with what resolves once all of it is stored. */
	async takenOf(
		messages: readonly Outgoing[],
		share: number,
	): Promise<{ published: Promise<void> }> {
		const { newest } = await this.consumer();
		const wanted = newest + Math.max(1, Math.floor(messages.length * share));
		const published = this.publish(messages);
		const deadline = performance.now() + PUBLISH_WITHIN_MS;
		while ((await this.consumer()).newest < wanted) {
			if (performance.now() > deadline)
				throw new Error("learners did not take the messages");
			await sleep(2);
		}
		return { published };
	}

	/** Until fewer than `messages` wait or are held. */
	async backlogBelow(messages: number, withinMs: number): Promise<void> {
		await waitFor(
			async () => (await this.consumer()).backlog < messages,
			withinMs,
			() =>
				`after ${withinMs} ms the backlog was still not below ${messages} messages`,
		);
	}
}

async function databaseOfItsOwn(atEnd: AtEnd): Promise<string> {
	const test = await createTestDatabase({ migrated: true });
	atEnd(() => test.drop());
	return test.connectionString;
}

async function runningExperiment(
	database: Database,
	i: number,
): Promise<Definition> {
	const store = new PostgresDefinitionStore(database);
	const key = i === 0 ? sampleExperiment.key : `${sampleExperiment.key}-${i}`;
	const document = { ...sampleExperiment, key };
	await new PutExperiment(store, store).execute({ key, document, ...by });
	return await new StartExperiment(store, store).execute({ key, ...by });
}
