import type { Definition, Group } from "#core/experiment";
import type {
	RevisionReads,
	SumsNow,
	TouchedDecision,
} from "#usecases/learning";
import { readClosedSums, readFloor } from "./closed-sums.js";
import type { Database } from "./database.js";
import { fromGridBytes } from "./decision-record.js";
import type { PostgresDefinitionStore } from "./definition-store.js";
import { KnownDefinitions } from "./known-definitions.js";
import {
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";
import { PostgresPosteriorSource } from "./posterior-source.js";

interface TouchedRecord {
	id: string;
	arm: string;
	unit: string;
	assigned_group: Group;
	definition_id: number;
	decided_at: Date;
	x: Buffer;
	revision: number;
}

type Outcome = TouchedDecision["outcomes"][number];

/** The log by revision: what each one stored, in short reads along the index on `batch`. */
export class PostgresRevisionReads implements RevisionReads {
	readonly #definitions: KnownDefinitions;
	readonly #posteriors: PostgresPosteriorSource;

	constructor(
		private readonly database: Database,
		store: Pick<PostgresDefinitionStore, "byIds">,
		/** Decisions read at once: what is read holds the event loop while it is taken in. */
		private readonly atOnce = 200,
	) {
		this.#posteriors = new PostgresPosteriorSource(database);
		this.#definitions = new KnownDefinitions((ids) => store.byIds(ids));
	}

	floor(experiment: string): Promise<number> {
		return readFloor(this.database, experiment);
	}

	/** Read as a decider reads it: page by page in one snapshot where it is large. */
	async sumsNow(experiment: string, version: number): Promise<SumsNow> {
		const { revision, changed } = await this.#posteriors.read(
			experiment,
			version,
			0,
		);
		const floor = await this.floor(experiment);
		const closed = await readClosedSums(this.database, experiment, version);
		return { revision, floor, buckets: changed, closed };
	}

	async touched(
		experiment: string,
		version: number,
		from: number,
		to: number,
	): Promise<readonly TouchedDecision[]> {
		const ids = await this.#touchedIds(experiment, from, to);
		const touched: TouchedDecision[] = [];
		for (let i = 0; i < ids.length; i += this.atOnce)
			touched.push(
				...(await this.#read(
					experiment,
					version,
					ids.slice(i, i + this.atOnce),
				)),
			);
		return touched;
	}

	async #read(
		experiment: string,
		version: number,
		ids: readonly string[],
	): Promise<readonly TouchedDecision[]> {
		const records = await this.#decisions(experiment, version, ids);
		if (records.length === 0) return [];
		const outcomes = await this.#outcomes(
			experiment,
			records.map(({ id }) => id),
		);
		await this.#definitions.learn(records.map((row) => row.definition_id));
		return records.map((record) => ({
			row: {
				id: record.id,
				arm: record.arm,
				unit: record.unit,
				group: record.assigned_group,
				decidedAt: record.decided_at.getTime(),
				x: fromGridBytes(record.x),
			},
			definition: this.#definitions.get(record.definition_id) as Definition,
			revision: record.revision,
			outcomes: outcomes.get(record.id) ?? [],
		}));
	}

	/** Also of other versions, and by outcomes of other experiments' decisions: a batch is of all. */
	async #touchedIds(
		experiment: string,
		from: number,
		to: number,
	): Promise<readonly string[]> {
		const batches = await this.database.query<{ batch: number }>(
			"select l.batch from revision_log l where l.experiment = $1 and l.revision > $2 and l.revision <= $3",
			[experiment, from, to],
		);
		const ids = await this.database.query<{ id: string }>(
			`select d.id from decisions d where d.batch = any ($1::bigint[]) and d.experiment = $2
			union
			select o.decision_id from outcomes o where o.batch = any ($1::bigint[])`,
			[batches.map(({ batch }) => batch), experiment],
		);
		return ids.map(({ id }) => id);
	}

	#decisions(
		experiment: string,
		version: number,
		ids: readonly string[],
	): Promise<TouchedRecord[]> {
		return this.database.query<TouchedRecord>(
			`select d.id, d.arm, d.unit, d.assigned_group, d.definition_id, d.decided_at, d.x, l.revision
			from decisions d join revision_log l on l.experiment = d.experiment and l.batch = d.batch
			where d.id = any ($3::uuid[]) and d.experiment = $1 and d.version = $2 and d.assigned_group <> 'outside'`,
			[experiment, version, ids],
		);
	}

	async #outcomes(
		experiment: string,
		ids: readonly string[],
	): Promise<ReadonlyMap<string, readonly Outcome[]>> {
		const rows = await this.database.query<
			OutcomeRecord & { revision: number | null }
		>(
			`select ${outcomeColumns}, l.revision
			from outcomes o left join revision_log l on l.experiment = $1 and l.batch = o.batch
			where o.decision_id = any ($2::uuid[])`,
			[experiment, ids],
		);
		const groups = new Map<string, Outcome[]>();
		for (const row of rows) {
			const outcome = { event: toEvent(row), revision: row.revision };
			const group = groups.get(row.decision_id);
			if (group) group.push(outcome);
			else groups.set(row.decision_id, [outcome]);
		}
		return groups;
	}
}
