import type { StreamIdentity } from "#usecases/ingesting";
import type { StreamCuts } from "#usecases/retaining";
import type { StreamMarks } from "#usecases/watching";
import { ROOM } from "./advisory-locks.js";
import { alone } from "./alone.js";
import type { Database } from "./database.js";

const CUT_MS = 5_000;
const CUT = `update installation i set
		stream_whole_since = greatest(i.stream_whole_since, to_timestamp($1 / 1000.0)),
		stream_dropped_before = to_timestamp($1 / 1000.0)
	where i.stream_dropped_before is null or i.stream_dropped_before < to_timestamp($1 / 1000.0)`;

/** The stream's identity as it was last known, and what it has, in the installation's row. */
export class PostgresStreamMarks implements StreamMarks, StreamCuts {
	constructor(private readonly database: Pick<Database, "query" | "options">) {}

	async read(): Promise<StreamIdentity | null> {
		const [row] = await this.database.query<{
			name: string | null;
			position: number;
		}>(
			"select i.stream_identity as name, i.stream_last_position as position from installation i",
		);
		return row?.name == null
			? null
			: { name: row.name, lastPosition: row.position };
	}

	async replace(
		known: StreamIdentity | null,
		now: StreamIdentity,
	): Promise<boolean> {
		const rows = await this.database.query(
			`update installation i set stream_identity = $1, stream_last_position = $2,
				stream_whole_since = case when i.stream_identity is null then i.stream_whole_since else clock_timestamp() end
			where i.stream_identity is not distinct from $3::text and i.stream_last_position = $4
			returning true as replaced`,
			[
				now.name,
				now.lastPosition,
				known?.name ?? null,
				known?.lastPosition ?? 0,
			],
		);
		return rows.length > 0;
	}

	async raise({ name, lastPosition }: StreamIdentity): Promise<void> {
		await this.database.query(
			`update installation i set stream_last_position = $2
			where i.stream_identity = $1 and i.stream_last_position < $2`,
			[name, lastPosition],
		);
	}

	/** Before messages are dropped that were stored before the instant, milliseconds. */
	async cut(before: number): Promise<void> {
		await this.database.query(CUT, [before]);
	}

	/** By a session of its own: room is needed most when the pool has much to do. */
	async cutAlone(
		work: (cut: (before: number) => Promise<void>) => Promise<void>,
	): Promise<void> {
		const options = { ...this.database.options, statementTimeoutMs: CUT_MS };
		await alone(options, ROOM, (session) =>
			work(async (before) => {
				await session.query(CUT, [before]);
			}),
		);
	}

	/** From when on the stream has every message, milliseconds; null where it has all there ever were. */
	async wholeSince(): Promise<number | null> {
		const [row] = await this.database.query<{ since: Date | null }>(
			"select i.stream_whole_since as since from installation i where i.stream_whole_since > i.created_at",
		);
		return row?.since?.getTime() ?? null;
	}

	/** Before which instant learners may have dropped messages, milliseconds; null where they never did. */
	async droppedBefore(): Promise<number | null> {
		const [row] = await this.database.query<{ before: Date | null }>(
			"select i.stream_dropped_before as before from installation i",
		);
		return row?.before?.getTime() ?? null;
	}
}
