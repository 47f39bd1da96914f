import type { DefinitionStore } from "#usecases/defining";
import type { GuardTrips, StoredTrip, Trip } from "#usecases/guarding";
import type { Message } from "#usecases/notifying";
import type { Database } from "./database.js";
import { changeDefinition } from "./definition-store.js";
import { putMessage } from "./webhook-outbox.js";

interface TripRecord {
	experiment: string;
	since: number;
	guardrail: number;
	metric: string;
	action: Trip["action"];
	look: Trip["look"];
	sentence: string;
	at: Date;
}

/** What guardrails did. */
export class PostgresGuardTrips implements GuardTrips {
	constructor(
		private readonly database: Pick<Database, "query" | "transaction">,
	) {}

	async since(
		experiment: string,
		since: number,
	): Promise<readonly StoredTrip[]> {
		const rows = await this.database.query<TripRecord>(
			`select t.experiment, t.since, t.guardrail, t.metric, t.action, t.look, t.sentence, t.at from guard_trips t
			where t.experiment = $1 and t.since = $2 order by t.at, t.guardrail`,
			[experiment, since],
		);
		return rows.map((row) => ({ ...row, at: row.at.getTime() }));
	}

	trip(
		trip: Trip,
		act: ((store: Pick<DefinitionStore, "change">) => Promise<boolean>) | null,
		message: Message | null,
	): Promise<boolean> {
		return this.database.transaction(async (client) => {
			const acted =
				act === null ||
				(await act({
					change: (key, decide) => changeDefinition(client, key, decide),
				}));
			if (!acted) return false;
			const inserted = await client.query(
				`insert into guard_trips (experiment, since, guardrail, metric, action, look, sentence)
				values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
				[
					trip.experiment,
					trip.since,
					trip.guardrail,
					trip.metric,
					trip.action,
					JSON.stringify(trip.look),
					trip.sentence,
				],
			);
			if (inserted.rowCount === 0) return false;
			if (message !== null) await putMessage(client, message);
			return true;
		});
	}
}
