import type { StreamIdentity } from "#usecases/ingesting";
import type { StreamMarks } from "#usecases/watching";
import type { Database } from "./database.js";

/** The stream's identity as it was last known, in the installation's row. */
export class PostgresStreamMarks implements StreamMarks {
	constructor(private readonly database: Pick<Database, "query">) {}

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
			`update installation i set stream_identity = $1, stream_last_position = $2
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
}
