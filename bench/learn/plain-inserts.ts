import pg from "pg";
import type { Pair } from "./pairs.js";

/** What a plain program would do with the same pairs: batches of inserts into two tables with the same columns and indexes. */

type Columns<Row> = readonly (readonly [
	name: string,
	type: string,
	value: (row: Row) => unknown,
])[];

interface InBatch extends Pair {
	readonly batch: number;
}

/** Above those of the log, so that its index grows at the end here too. */
const FIRST_BATCH = 1e9;

const json = (value: unknown) =>
	value === null ? null : JSON.stringify(value);
const bytes = (array: ArrayBufferView) =>
	Buffer.from(array.buffer, array.byteOffset, array.byteLength);
const grid = (values: Float64Array) =>
	bytes(Int32Array.from(values, (value) => value * 4_096));
const at = (milliseconds: number) => new Date(milliseconds).toISOString();

const BOOT = "019b0000-0000-7000-8000-000000000000";
const HASH = Buffer.alloc(32, 7);
const PAIRS_A_BATCH = 1_000;

const decisionColumns: Columns<InBatch> = [
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
	["batch", "bigint", ({ batch }) => batch],
	["boot", "uuid", () => BOOT],
	["sequence", "bigint", () => 1],
	["stored_at", "timestamptz", ({ row }) => at(row.decidedAt)],
];

const outcomeColumns: Columns<InBatch> = [
	["decision_id", "uuid", ({ event }) => event.decisionId],
	["event_id", "text", ({ event }) => event.id],
	["unit", "text", ({ event }) => event.unit],
	["type", "text", ({ event }) => event.type],
	["at", "timestamptz", ({ event }) => at(event.at)],
	["value", "float8", ({ event }) => event.value ?? null],
	["body_hash", "bytea", () => HASH],
	["batch", "bigint", ({ batch }) => batch],
	["boot", "uuid", () => BOOT],
	["sequence", "bigint", () => 1],
	["stored_at", "timestamptz", ({ event }) => at(event.at)],
];

export class PlainInserts {
	readonly #inserts: readonly Insert[];
	#batch = FIRST_BATCH;

	private constructor(
		private readonly clients: readonly pg.Client[],
		private readonly schema: string,
	) {
		this.#inserts = [
			insertOf(`${schema}.decisions`, decisionColumns),
			insertOf(`${schema}.outcomes`, outcomeColumns),
		];
	}

	/** Tables like the log's, partitioned as it is, with its indexes; empty. */
	static async prepare(
		connectionString: string,
		schema: string,
		connections: number,
	): Promise<PlainInserts> {
		const clients = Array.from(
			{ length: connections },
			() => new pg.Client({ connectionString }),
		);
		await Promise.all(clients.map((client) => client.connect()));
		const [client] = clients;
		await client?.query(`create schema ${schema}`);
		for (const [table, key] of [
			["decisions", "id"],
			["outcomes", "decision_id"],
		]) {
			await client?.query(
				`create table ${schema}.${table} (like public.${table} including all) partition by range (${key})`,
			);
			await client?.query(
				`create table ${schema}.${table}_all partition of ${schema}.${table} default`,
			);
		}
		return new PlainInserts(clients, schema);
	}

	/** Takes what the log holds now in place of what was inserted. */
	async takeOver(): Promise<void> {
		const { schema } = this;
		const [client] = this.clients;
		await client?.query(`truncate ${schema}.decisions, ${schema}.outcomes`);
		for (const table of ["decisions", "outcomes"])
			await client?.query(
				`insert into ${schema}.${table} select * from public.${table}`,
			);
	}

	/** Each batch in a transaction of its own; each connection takes the next. */
	async insert(pairs: readonly Pair[]): Promise<void> {
		let from = 0;
		const inserting = async (client: pg.Client) => {
			while (from < pairs.length) {
				const batch = this.#batch++;
				const rows = pairs
					.slice(from, from + PAIRS_A_BATCH)
					.map((pair) => ({ ...pair, batch }));
				from += PAIRS_A_BATCH;
				await client.query("begin");
				for (const { name, text, columns } of this.#inserts)
					await client.query({
						name,
						text,
						values: columns.map(([, , value]) => rows.map(value)),
					});
				await client.query("commit");
			}
		};
		await Promise.all(this.clients.map(inserting));
	}

	async close(): Promise<void> {
		await Promise.all(this.clients.map((client) => client.end()));
	}
}

interface Insert {
	readonly name: string;
	readonly text: string;
	readonly columns: Columns<InBatch>;
}

function insertOf(table: string, columns: Columns<InBatch>): Insert {
	const names = columns.map(([name]) => name).join(", ");
	const arrays = columns.map(([, type], place) => `$${place + 1}::${type}[]`);
	return {
		name: table,
		text: `insert into ${table} (${names}) select * from unnest(${arrays.join(", ")})`,
		columns,
	};
}
