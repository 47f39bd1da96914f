import type pg from "pg";
import { closingGraceMs } from "#core/experiment";
import type {
	LoggedDecision,
	OpenWindow,
	OpenWindows,
} from "#usecases/learning";
import type { Database } from "./database.js";
import type { KnownDefinitions } from "./known-definitions.js";

/** Windows of which the closing is not in the log yet, found along the index on when it is due. */
export class PostgresOpenWindows implements OpenWindows {
	constructor(private readonly database: Database) {}

	async due(now: number, most: number): Promise<readonly OpenWindow[]> {
		const rows = await this.database.query<{
			id: string;
			unit: string | null;
			ends_at: Date;
		}>(
			`select w.decision_id as id, w.ends_at, d.unit
			from (
				select o.decision_id, o.ends_at from open_windows o
				where o.due_at <= to_timestamp($1 / 1000.0) order by o.due_at limit $2
			) w left join decisions d on d.id = w.decision_id`,
			[now, most],
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
			? [{ id: row.id, ...closingTimes(row.decidedAt, reward.windowMs) }]
			: [];
	});
	if (waiting.length === 0) return;
	await client.query({
		name: "segue-open-windows",
		text: `insert into open_windows (decision_id, ends_at, due_at)
			select r.id, to_timestamp(r.ends_at / 1000.0), to_timestamp(r.due_at / 1000.0)
			from unnest($1::uuid[], $2::float8[], $3::float8[]) as r (id, ends_at, due_at)
			on conflict do nothing`,
		values: [
			waiting.map(({ id }) => id),
			waiting.map(({ endsAt }) => endsAt),
			waiting.map(({ dueAt }) => dueAt),
		],
	});
}

function closingTimes(decidedAt: number, windowMs: number) {
	const endsAt = decidedAt + windowMs;
	return { endsAt, dueAt: endsAt + closingGraceMs(windowMs) };
}

/** Under the locks of their ids; those of decisions that are gone too. */
export async function forgetWindows(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<void> {
	if (ids.length === 0) return;
	await client.query({
		name: "segue-forget-windows",
		text: "delete from open_windows w where w.decision_id = any ($1::uuid[])",
		values: [ids],
	});
}
