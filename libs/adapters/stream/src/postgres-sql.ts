import type { Pool, QueryConfig } from "pg";

/** Rung when messages are stored, and by nobody in particular. */
export const STORED_CHANNEL = "segue_stream";
export const POSTERIORS_CHANNEL = "segue_posteriors";

export interface StoredRow {
	readonly position: number;
	readonly subject: string;
	readonly body: Uint8Array;
	readonly storedAt: number;
}

interface MessageColumns {
	position: string;
	subject: string;
	body: Uint8Array;
	stored_at: number;
}

function storedRow(row: MessageColumns): StoredRow {
	return {
		position: Number(row.position),
		subject: row.subject,
		body: row.body,
		storedAt: row.stored_at,
	};
}

/** A second message under one id is taken for the first again: stored once. */
export async function insertMessage(
	pool: Pool,
	subject: string,
	messageId: string,
	body: Uint8Array,
	timeoutMs: number,
): Promise<void> {
	const insert: QueryConfig & { query_timeout: number } = {
		text: `
			with message as (
				insert into stream_messages (subject, message_id, body)
				values ($1, $2, $3)
				on conflict (message_id) do nothing
				returning position
			), waiting as (
				insert into stream_unacknowledged (position) select message.position from message
			)
			select pg_notify($4, '') from message`,
		values: [subject, messageId, body, STORED_CHANNEL],
		query_timeout: timeoutMs,
	};
	await pool.query(insert);
}

export interface ClaimedRow extends StoredRow {
	readonly deliveries: number;
}

/** Takes up to `most` messages that nobody holds, oldest first, as many as fit into `maxBytes` but at least one. */
export async function claimMessages(
	pool: Pool,
	most: number,
	maxBytes: number,
	claimMs: number,
): Promise<readonly ClaimedRow[]> {
	const { rows } = await pool.query<MessageColumns & { deliveries: number }>(
		`with free as (
			select waiting.position
			from stream_unacknowledged waiting
			where waiting.claimed_until <= clock_timestamp()
			order by waiting.position
			limit $1
			for update skip locked
		), sized as (
			select message.position,
				sum(octet_length(message.body)) over (order by message.position) - octet_length(message.body) as bytes_before
			from free join stream_messages message on message.position = free.position
		), taken as (
			update stream_unacknowledged waiting
			set claimed_until = clock_timestamp() + $3 * interval '1 millisecond', deliveries = waiting.deliveries + 1
			from sized
			where waiting.position = sized.position and sized.bytes_before < $2
			returning waiting.position, waiting.deliveries
		)
		select message.position, message.subject, message.body, taken.deliveries,
			floor(extract(epoch from message.stored_at) * 1000)::float8 as stored_at
		from taken join stream_messages message on message.position = taken.position
		order by message.position`,
		[most, maxBytes, claimMs],
	);
	return rows.map((row) => ({ ...storedRow(row), deliveries: row.deliveries }));
}

export async function acknowledgeMessages(
	pool: Pool,
	positions: readonly number[],
): Promise<void> {
	await pool.query(
		"delete from stream_unacknowledged where position = any($1::bigint[])",
		[positions],
	);
}

export async function extendClaims(
	pool: Pool,
	positions: readonly number[],
	claimMs: number,
): Promise<void> {
	await pool.query(
		`update stream_unacknowledged
		set claimed_until = clock_timestamp() + $2 * interval '1 millisecond'
		where position = any($1::bigint[])`,
		[positions, claimMs],
	);
}

/** Counted no further than `most`. */
export async function countUnacknowledged(
	pool: Pool,
	most: number,
): Promise<number> {
	const { rows } = await pool.query<{ count: string }>(
		"select count(*) as count from (select 1 from stream_unacknowledged limit $1) waiting",
		[most],
	);
	return Number(rows[0]?.count ?? 0);
}

/** Deletes up to `most`; returns how many. */
export async function purgeAcknowledged(
	pool: Pool,
	storedBefore: number,
	most: number,
): Promise<number> {
	const { rowCount } = await pool.query(
		`delete from stream_messages
		where position in (
			select message.position
			from stream_messages message
			where message.stored_at < to_timestamp($1 / 1000.0)
				and not exists (select from stream_unacknowledged waiting where waiting.position = message.position)
			limit $2
		)`,
		[storedBefore, most],
	);
	return rowCount ?? 0;
}

export interface TailRow extends StoredRow {
	readonly transaction: bigint;
}

export interface TailPage {
	readonly rows: readonly TailRow[];
	/** No transaction below this one is still under way: nothing can appear there any more. */
	readonly settled: bigint;
}

/** Up to `most` messages of transactions from `transaction` on, in that order, without those in `seen`. */
export async function readTail(
	pool: Pool,
	prefix: string,
	since: number,
	transaction: bigint,
	seen: readonly number[],
	most: number,
): Promise<TailPage> {
	const { rows } = await pool.query<
		MessageColumns & { transaction: string | null; settled: string }
	>(
		`select snapshot.settled::text as settled, message.*
		from (select pg_snapshot_xmin(pg_current_snapshot()) as settled) snapshot
		left join lateral (
			select stored.position, stored.subject, stored.body, stored.transaction::text as transaction,
				floor(extract(epoch from stored.stored_at) * 1000)::float8 as stored_at
			from stream_messages stored
			where stored.transaction >= $3::text::xid8
				and stored.stored_at >= to_timestamp($2 / 1000.0)
				and starts_with(stored.subject, $1)
				and stored.position <> all($4::bigint[])
			order by stored.transaction, stored.position
			limit $5
		) message on true`,
		[prefix, since, transaction.toString(), seen, most],
	);
	const found = rows.flatMap((row) =>
		row.transaction === null
			? []
			: [{ ...storedRow(row), transaction: BigInt(row.transaction) }],
	);
	return { rows: found, settled: BigInt(rows[0]?.settled ?? 0) };
}

export async function notify(
	pool: Pool,
	channel: string,
	payload: string,
): Promise<void> {
	await pool.query("select pg_notify($1, $2)", [channel, payload]);
}

export interface ServerFacts {
	readonly migrated: boolean;
	/** False where a power cut can take what was committed. */
	readonly synced: boolean;
}

export async function readServerFacts(pool: Pool): Promise<ServerFacts> {
	const { rows } = await pool.query<ServerFacts>(
		`select to_regclass('stream_unacknowledged') is not null as migrated, current_setting('fsync') = 'on' as synced`,
	);
	return rows[0] ?? { migrated: false, synced: false };
}
