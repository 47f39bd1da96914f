import type pg from "pg";
import type { DueMessage, Message, Outbox } from "#usecases/notifying";
import type { Database } from "./database.js";

interface MessageRecord {
	id: string;
	type: string;
	at: Date;
	data: Message["data"];
	attempts: number;
}

const GIVEN_UP_FOR = "30 days";

/** By the database's clock alone, so that processes need not agree on the time. */
export class PostgresOutbox implements Outbox {
	constructor(private readonly database: Pick<Database, "query">) {}

	async claim(most: number, leaseMs: number): Promise<readonly DueMessage[]> {
		const rows = await this.database.query<MessageRecord>(
			`update webhook_messages m
			set attempts = m.attempts + 1, due_at = clock_timestamp() + $2 * interval '1 ms'
			where m.id = any (array(
				select d.id from webhook_messages d
				where d.given_up_at is null and d.due_at <= clock_timestamp()
				order by d.due_at limit $1 for update skip locked
			))
			returning m.id, m.type, m.at, m.data, m.attempts`,
			[most, leaseMs],
		);
		return rows.map(({ at, attempts, ...message }) => ({
			...message,
			at: at.getTime(),
			attempt: attempts,
		}));
	}

	async remove(id: string): Promise<void> {
		await this.database.query("delete from webhook_messages where id = $1", [
			id,
		]);
	}

	async postpone(id: string, why: string, forMs: number): Promise<void> {
		await this.database.query(
			`update webhook_messages set failure = $2, due_at = clock_timestamp() + $3 * interval '1 ms' where id = $1`,
			[id, why, forMs],
		);
	}

	async giveUp(id: string, why: string): Promise<void> {
		await this.database.query(
			"update webhook_messages set failure = $2, given_up_at = clock_timestamp() where id = $1",
			[id, why],
		);
	}

	/** Messages that wait for an attempt. */
	async waiting(): Promise<number> {
		const [row] = await this.database.query<{ waiting: number }>(
			"select count(*) as waiting from webhook_messages m where m.given_up_at is null",
		);
		return row?.waiting ?? 0;
	}

	/** Deletes what was given up long ago. */
	async forget(): Promise<void> {
		await this.database.query(
			"delete from webhook_messages where given_up_at < clock_timestamp() - $1::interval",
			[GIVEN_UP_FOR],
		);
	}
}

/** Stores a message within the transaction of what it tells of. One that is stored already stays as it is. */
export async function putMessage(
	client: Pick<pg.ClientBase, "query">,
	{ id, type, at, data }: Message,
): Promise<void> {
	await client.query(
		`insert into webhook_messages (id, type, at, data) values ($1, $2, $3, $4) on conflict do nothing`,
		[id, type, new Date(at), JSON.stringify(data)],
	);
}
