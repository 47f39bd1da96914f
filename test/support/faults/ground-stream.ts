import { jetstreamManager } from "@nats-io/jetstream";
import type { Database } from "#adapters/postgres";
import { openJetStream, openPostgresStream } from "#adapters/stream";
import type { Stream } from "#usecases/ingesting";
import type { TestNats } from "../nats-server.js";

export type StreamKind = "jetstream" | "postgres";

/** What the stream itself says of the messages that learners share. */
export interface Consumed {
	/** Those that wait or are held. */
	readonly backlog: number;
	readonly held: number;
	/** Deliveries beyond the first of each. */
	readonly again: number;
	/** Place in the stream of the last that was handed out. */
	readonly newest: number;
}

/** A stream as a test publishes to it and looks at it from outside. */
export interface GroundStream {
	readonly stream: Stream;
	/** For processes that are to use it too. */
	readonly env: Readonly<Record<string, string>>;
	consumed(): Promise<Consumed>;
}

export async function overJetStream(nats: TestNats): Promise<GroundStream> {
	const stream = await openJetStream({ servers: nats.url });
	const manager = await jetstreamManager(stream.connection);
	return {
		stream,
		env: { NATS_URL: nats.url },
		consumed: async () => {
			const { num_pending, num_ack_pending, delivered } =
				await manager.consumers.info("SEGUE", "learners");
			return {
				backlog: num_pending + num_ack_pending,
				held: num_ack_pending,
				again: delivered.consumer_seq - delivered.stream_seq,
				newest: delivered.stream_seq,
			};
		},
	};
}

/** The stream's table forgets how often a message was delivered once it is acknowledged: a trigger of the test's own counts. */
export async function overPostgres(
	connectionString: string,
	database: Database,
): Promise<GroundStream> {
	for (const statement of [
		"create sequence delivered_again minvalue 0 start 0",
		"select nextval('delivered_again')",
		`create function count_again() returns trigger language plpgsql as
			$$ begin perform nextval('delivered_again'); return null; end $$`,
		`create trigger delivered_again after update on stream_unacknowledged for each row
			when (new.deliveries > old.deliveries and old.deliveries > 0) execute function count_again()`,
	])
		await database.query(statement);
	return {
		stream: await openPostgresStream({ connectionString }),
		env: { SEGUE_STREAM: "postgres" },
		consumed: async () => {
			const [row] = await database.query<Consumed>(
				`select count(*)::int as backlog,
					count(*) filter (where u.claimed_until > clock_timestamp())::int as held,
					(select s.last_value from delivered_again s)::int as again,
					coalesce(min(u.position) filter (where u.deliveries = 0) - 1,
						(select max(m.position) from stream_messages m), 0)::int as newest
				from stream_unacknowledged u`,
			);
			return row as Consumed;
		},
	};
}
