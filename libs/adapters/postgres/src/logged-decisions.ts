import type { DecisionRow } from "#core/log";
import type { LoggedDecisions } from "#usecases/deciding";
import type { Database } from "./database.js";
import {
	type DecisionRecord,
	decisionColumns,
	toDecisionRow,
} from "./decision-record.js";

const columns = decisionColumns.map((column) => `d.${column}`).join(", ");
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** Whole rows of the log, a page at a time. */
export class PostgresLoggedDecisions implements LoggedDecisions {
	constructor(private readonly database: Database) {}

	async newest(): Promise<string | null> {
		const [row] = await this.database.query<{ id: string }>(
			"select d.id from decisions d order by d.id desc limit 1",
		);
		return row?.id ?? null;
	}

	async between(
		after: string | null,
		newest: string,
		most: number,
		experiment?: string,
	): Promise<readonly DecisionRow[]> {
		const records = await this.database.query<DecisionRecord>(
			`select ${columns} from decisions d
			where d.id > $1::uuid and d.id <= $2::uuid and ($4::text is null or d.experiment = $4)
			order by d.id limit $3`,
			[after ?? FIRST_ID, newest, most, experiment ?? null],
		);
		return records.map(toDecisionRow);
	}

	async sample(
		most: number,
		seed: number,
		experiment?: string,
	): Promise<readonly string[]> {
		const rows = await this.database.query<{ id: string }>(
			`select s.id from (
				select d.id from decisions d where $3::text is null or d.experiment = $3
				order by hashtextextended(d.id::text, $2::bigint), d.id limit $1
			) s order by s.id`,
			[most, seed, experiment ?? null],
		);
		return rows.map(({ id }) => id);
	}

	async byIds(ids: readonly string[]): Promise<readonly DecisionRow[]> {
		const records = await this.database.query<DecisionRecord>(
			`select ${columns} from decisions d where d.id = any ($1::uuid[])`,
			[ids],
		);
		return records.map(toDecisionRow);
	}
}
