import type pg from "pg";
import type {
	LoggedDecision,
	OpenWindow,
	OpenWindows,
} from "#usecases/learning";
import type { Database } from "./database.js";
import type { KnownDefinitions } from "./known-definitions.js";

/** Windows of which the closing is not in the log yet, found along the index on their end. */
export class PostgresOpenWindows implements OpenWindows {
	constructor(private readonly database: Database) {}

	async due(before: number, most: number): Promise<readonly OpenWindow[]> {
		const rows = await this.database.query<{
			id: string;
			unit: string | null;
			ends_at: Date;
		}>(
			`select w.decision_id as id, w.ends_at, d.unit
			from (
				select o.decision_id, o.ends_at from open_windows o
				where o.ends_at <= to_timestamp($1 / 1000.0) order by o.ends_at limit $2
			) w left join decisions d on d.id = w.decision_id
			order by w.ends_at`,
			[before, most],
			"segue-due-windows",
		);
		return rows.map(({ id, unit, ends_at }) => ({
			id,
			unit,
			endsAt: ends_at.getTime(),
		}));
	}
}

/** Of decisions just stored, those that teach only from the close of their window on. Under the locks of their ids. */
export async function openWindows(
	client: pg.ClientBase,
	decisions: readonly LoggedDecision[],
	definitions: KnownDefinitions,
): Promise<void> {
	const waiting = decisions.flatMap(({ row }) => {
		const reward = definitions.get(row.definitionId)?.experiment.reward;
		return reward?.learn === "windowClose" && row.group !== "outside"
			? [{ id: row.id, endsAt: row.decidedAt + reward.windowMs }]
			: [];
	});
	if (waiting.length === 0) return;
	await client.query({
		name: "segue-open-windows",
		text: `insert into open_windows (decision_id, ends_at)
			select r.id, to_timestamp(r.ends_at / 1000.0) from unnest($1::uuid[], $2::float8[]) as r (id, ends_at)
			on conflict do nothing`,
		values: [waiting.map(({ id }) => id), waiting.map(({ endsAt }) => endsAt)],
	});
}

/** Under the locks of their ids; those of decisions that are gone too. */
export async function forgetWindows(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<void> {
	await client.query({
		name: "segue-forget-windows",
		text: "delete from open_windows w where w.decision_id = any ($1::uuid[])",
		values: [ids],
	});
}
