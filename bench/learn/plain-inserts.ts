import pg from "pg";
import type { Pair } from "./pairs.js";

/** What a plain program would do with the same pairs: batches of inserts into two tables with the same columns and indexes. */

type Columns<Row> = readonly (readonly [
	name: string,
	type: string,
	value: (row: Row) => unknown,
])[];

const json = (value: unknown) =>
	value === null ? null : JSON.stringify(value);
const bytes = (array: ArrayBufferView) =>
	Buffer.from(array.buffer, array.byteOffset, array.byteLength);
const grid = (values: Float64Array) =>
	bytes(Int32Array.from(values, (value) => value * 4_096));
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

const BOOT = "019b0000-0000-7000-8000-000000000000";
const HASH = Buffer.alloc(32, 7);

const decisionColumns: Columns<Pair> = [
	["id", "uuid", ({ row }) => row.id],
	["experiment", "text", ({ row }) => row.experiment],
	["version", "int", ({ row }) => row.version],
	["definition_id", "bigint", ({ row }) => row.definitionId],
	["unit", "text", ({ row }) => row.unit],
	["session", "text", ({ row }) => row.session],
	["assigned_group", "text", ({ row }) => row.group],
	["arm", "text", ({ row }) => row.arm],
	["propensity", "float8", ({ row }) => row.propensity],
	["distribution", "text", ({ row }) => row.distribution],
	["context", "jsonb", ({ row }) => json(row.context)],
	["x", "bytea", ({ row }) => grid(row.x)],
	["eligible", "bytea", ({ row }) => bytes(Int16Array.from(row.eligible))],
	["excluded", "jsonb", ({ row }) => json(row.excluded)],
	["means", "bytea", ({ row }) => grid(row.means)],
	["propensities", "bytea", ({ row }) => bytes(row.propensities)],
	[
		"policy_propensities",
		"bytea",
		({ row }) =>
			row.policyPropensities === null ? null : bytes(row.policyPropensities),
	],
	["missing", "jsonb", ({ row }) => json(row.missing)],
	["degraded", "jsonb", ({ row }) => json(row.degraded)],
	["decided_at", "timestamptz", ({ row }) => at(row.decidedAt)],
	["origin", "text", ({ row }) => row.origin],
	["parent", "uuid", ({ row }) => row.parent],
	["trace_id", "text", ({ row }) => row.traceId],
	["request_id", "text", ({ row }) => row.requestId],
	["consent", "jsonb", ({ row }) => json(row.consent)],
	["privacy_version", "text", ({ row }) => row.privacyVersion],
	["extra", "jsonb", ({ row }) => json(row.extra)],
	["revision", "bigint", ({ row }) => row.revision],
	["reference_bucket", "bigint", ({ row }) => row.referenceBucket],
	["core_version", "text", ({ row }) => row.coreVersion],
	["batch", "bigint", () => 1],
	["boot", "uuid", () => BOOT],
	["sequence", "bigint", () => 1],
	["stored_at", "timestamptz", ({ row }) => at(row.decidedAt)],
];

const outcomeColumns: Columns<Pair> = [
	["decision_id", "uuid", ({ event }) => event.decisionId],
	["event_id", "text", ({ event }) => event.id],
	["unit", "text", ({ event }) => event.unit],
	["type", "text", ({ event }) => event.type],
	["at", "timestamptz", ({ event }) => at(event.at)],
	["value", "float8", ({ event }) => event.value ?? null],
	["body_hash", "bytea", () => HASH],
	["batch", "bigint", () => 1],
	["boot", "uuid", () => BOOT],
	["sequence", "bigint", () => 1],
	["stored_at", "timestamptz", ({ event }) => at(event.at)],
];

function insertion<Row>(table: string, columns: Columns<Row>): string {
	const names = columns.map(([name]) => name).join(", ");
	const arrays = columns.map(([, type], place) => `$${place + 1}::${type}[]`);
	return `insert into ${table} (${names}) select * from unnest(${arrays.join(", ")})`;
}

const insertDecisions = insertion("plain.decisions", decisionColumns);
const insertOutcomes = insertion("plain.outcomes", outcomeColumns);

export class PlainInserts {
	constructor(
		private readonly client: pg.Client,
		private readonly pairsABatch: number,
	) {}

	/** Tables like the log's, partitioned as it is, with its indexes; empty. */
	static async prepare(
		connectionString: string,
		pairsABatch: number,
	): Promise<PlainInserts> {
		const client = new pg.Client({ connectionString });
		await client.connect();
		await client.query("create schema plain");
		for (const [table, key] of [
			["decisions", "id"],
			["outcomes", "decision_id"],
		]) {
			await client.query(
				`create table plain.${table} (like public.${table} including all) partition by range (${key})`,
			);
			await client.query(
				`create table plain.${table}_all partition of plain.${table} default`,
			);
		}
		return new PlainInserts(client, pairsABatch);
	}

	/** Takes what the log holds now in place of what was inserted. */
	async takeOver(): Promise<void> {
		await this.client.query("truncate plain.decisions, plain.outcomes");
		for (const table of ["decisions", "outcomes"])
			await this.client.query(
				`insert into plain.${table} select * from public.${table}`,
			);
	}

	/** Each batch in a transaction of its own. */
	async insert(pairs: readonly Pair[]): Promise<void> {
		for (let from = 0; from < pairs.length; from += this.pairsABatch) {
			const batch = pairs.slice(from, from + this.pairsABatch);
			await this.client.query("begin");
			await this.#insert(
				"plain-decisions",
				insertDecisions,
				decisionColumns,
				batch,
			);
			await this.#insert(
				"plain-outcomes",
				insertOutcomes,
				outcomeColumns,
				batch,
			);
			await this.client.query("commit");
		}
	}

	async #insert<Row>(
		name: string,
		text: string,
		columns: Columns<Row>,
		rows: readonly Row[],
	): Promise<void> {
		const values = columns.map(([, , value]) => rows.map(value));
		await this.client.query({ name, text, values });
	}

	async close(): Promise<void> {
		await this.client.end();
	}
}
