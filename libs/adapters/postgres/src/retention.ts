import type { Definition } from "#core/experiment";
import type { LoggedState, StoredBucket } from "#usecases/learning";
import type {
	DayCounts,
	DroppedDay,
	RetainedLog,
	SweptRows,
} from "#usecases/retaining";
import { GATE, RETENTION } from "./advisory-locks.js";
import { alone } from "./alone.js";
import type { Database } from "./database.js";
import {
	type DecisionRecord,
	decisionColumns,
	doubleBytes,
	toDecisionRow,
} from "./decision-record.js";
import type { PostgresDefinitionStore } from "./definition-store.js";
import { nextBatch, takeFloors, takeRevisions, underGate } from "./gate.js";
import { KnownDefinitions } from "./known-definitions.js";
import {
	byDecision,
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";
import {
	closeSums,
	countDay,
	dropDay,
	expireWaiting,
	isMerged,
	isThere,
	moveHorizon,
	putMerged,
	readDays,
	readSumsOfDay,
	readUnbooked,
	sweepLeftOver,
	takeUnmerged,
} from "./retention-sql.js";
import {
	assembleBuckets,
	type ChunkRecord,
	chunkCount,
	chunkOf,
} from "./sums-chunks.js";

/** Readers of the log hold their locks for seconds at most; nobody waits for retention. */
const PATIENCE_MS = 60_000;
/** Buckets merged in one transaction. */
const MERGED_AT_ONCE = 100;

/** The partitions of the log, dropped behind a horizon that learners read under the gate. */
export class PostgresRetention implements RetainedLog {
	readonly #definitions: KnownDefinitions;

	constructor(
		private readonly database: Database,
		store: Pick<PostgresDefinitionStore, "byIds">,
		private readonly patienceMs = PATIENCE_MS,
	) {
		this.#definitions = new KnownDefinitions((ids) => store.byIds(ids));
	}

	alone<T>(work: () => Promise<T>): Promise<T | null> {
		return alone(this.database.options, RETENTION, work);
	}

	days(before: string): Promise<readonly string[]> {
		return readDays(this.database, before);
	}

	count(day: string): Promise<DayCounts> {
		return countDay(this.database, day);
	}

	moveHorizon(before: string): Promise<void> {
		return underGate(this.database, this.patienceMs, (client) =>
			moveHorizon(client, before),
		);
	}

	unbooked(day: string): Promise<readonly string[]> {
		return readUnbooked(this.database, day);
	}

	async floors(): Promise<number> {
		const [row] = await this.database.query<{ floors: number }>(
			"select coalesce(sum(r.floor), 0)::bigint as floors from revisions r",
		);
		return row?.floors ?? 0;
	}

	async page(
		day: string,
		afterId: string | null,
		most: number,
	): Promise<readonly LoggedState[]> {
		const records = await this.database.query<DecisionRecord>(
			`select ${decisionColumns.map((column) => `d.${column}`).join(", ")} from decisions d
			where d.id >= segue_id_floor($1::date::timestamp at time zone 'utc')
			and d.id < segue_id_floor(($1::date + 1)::timestamp at time zone 'utc')
			and ($2::uuid is null or d.id > $2::uuid)
			order by d.id limit $3`,
			[day, afterId, most],
		);
		const rows = records.map(toDecisionRow);
		await this.#definitions.learn(rows.map((row) => row.definitionId));
		const outcomes = byDecision(
			(
				await this.database.query<OutcomeRecord>(
					`select ${outcomeColumns} from outcomes o where o.decision_id = any ($1::uuid[])`,
					[rows.map((row) => row.id)],
				)
			).map(toEvent),
		);
		return rows.map((row) => ({
			row,
			definition: this.#definitions.get(row.definitionId) as Definition,
			outcomes: outcomes.get(row.id) ?? [],
		}));
	}

	async storedSums(day: string) {
		return bucketsOf(await readSumsOfDay(this.database, day));
	}

	/** Under the gate as a batch is, so that no erasure comes in between. */
	mergeSome(day: string): Promise<ReadonlyMap<string, number>> {
		return this.database.transaction(async (client) => {
			await client.query(`select pg_advisory_xact_lock_shared(${GATE}, 1)`);
			const unmerged = bucketsOf(
				await takeUnmerged(client, day, MERGED_AT_ONCE),
			);
			if (unmerged.length === 0) return new Map<string, number>();
			const batch = await nextBatch(client);
			await putMerged(client, batch, unmerged.flatMap(toChunks));
			return takeRevisions(
				client,
				batch,
				unmerged.map(({ experiment }) => experiment),
			);
		});
	}

	async drop(
		day: string,
		counts: DayCounts,
		experiments: readonly string[],
	): Promise<DroppedDay | null> {
		await this.#expire(day);
		return underGate(this.database, this.patienceMs, async (client) => {
			if (!(await isThere(client, day)))
				return { revisions: new Map<string, number>(), buckets: 0 };
			if (!(await isMerged(client, day))) return null;
			const buckets = await closeSums(client, day);
			await dropDay(client, day, counts);
			const batch = await nextBatch(client);
			const revisions = await takeFloors(client, batch, experiments);
			return { revisions, buckets };
		});
	}

	/** Beside batches, which touch nothing of the day any more, but not beside an erasure, which counts the same events. */
	#expire(day: string): Promise<void> {
		return this.database.transaction(async (client) => {
			await client.query(`select pg_advisory_xact_lock_shared(${GATE}, 1)`);
			if (await isThere(client, day)) await expireWaiting(client, day);
		});
	}

	sweep(): Promise<SweptRows> {
		return sweepLeftOver(this.database);
	}
}

/** Shards added up, by experiment and version. */
function bucketsOf(chunks: readonly ChunkRecord[]): {
	readonly experiment: string;
	readonly buckets: readonly StoredBucket[];
}[] {
	const groups = new Map<
		string,
		{ experiment: string; version: number; chunks: ChunkRecord[] }
	>();
	for (const chunk of chunks) {
		const { experiment, version } = chunk;
		const key = `${experiment} ${version}`;
		const group = groups.get(key);
		if (group) group.chunks.push(chunk);
		else groups.set(key, { experiment, version, chunks: [chunk] });
	}
	return [...groups.values()].map(({ experiment, version, chunks: own }) => ({
		experiment,
		buckets: assembleBuckets(own).map((bucket) => ({ ...bucket, version })),
	}));
}

function toChunks({
	experiment,
	buckets,
}: {
	readonly experiment: string;
	readonly buckets: readonly StoredBucket[];
}): Omit<ChunkRecord, "shard">[] {
	return buckets.flatMap(({ version, arm, bucket, sums }) =>
		Array.from({ length: chunkCount(sums.length) }, (_, chunk) => ({
			experiment,
			version,
			arm,
			bucket,
			chunk,
			data: doubleBytes(chunkOf(sums, chunk)),
		})),
	);
}
