import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { type BinaryRow, readBinary } from "./binary-rows.js";

let own: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
	own = await createTestDatabase();
	client = new pg.Client(own.connectionString);
	await client.connect();
});
afterAll(async () => {
	await client?.end();
	await own?.drop();
});

/** Copied, as whoever keeps what came must. */
async function rowsOf(select: string): Promise<(string | null)[][]> {
	const rows: (string | null)[][] = [];
	await readBinary(client, select, (row) =>
		rows.push(row.map((field) => field?.toString("hex") ?? null)),
	);
	return rows;
}

test("each field comes as its bytes, what has no value as null, and no rows as none", async () => {
	expect(
		await rowsOf(
			`select * from (values (1, '\\x00ff'::bytea, null::text), (-2, '', 'né')) as v (a, b, c)`,
		),
	).toEqual([
		["00000001", "00ff", null],
		["fffffffe", "", "6ec3a9"],
	]);
	expect(await rowsOf("select 1 where false")).toEqual([]);
	expect(await rowsOf("select from generate_series(1, 2)")).toEqual([[], []]);
});

test("rows larger than what a socket gives at once come whole and in order", async () => {
	const rows = await rowsOf(
		"select n, decode(repeat(lpad(to_hex(n), 2, '0'), 60000 * n), 'hex') from generate_series(1, 9) as g (n)",
	);
	expect(rows.map(([n]) => Number(n))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
	for (const [n, bytes] of rows)
		expect(bytes === n?.slice(-2).repeat(60_000 * Number(n))).toBe(true);
});

test("what fails, in the database or in taking a row, is told, and the connection serves on", async () => {
	const failing = rowsOf(
		"select 1 / (3 - n) from generate_series(1, 4) as g (n)",
	);
	await expect(failing).rejects.toThrow(/division by zero/);
	const taken: BinaryRow[] = [];
	const refused = readBinary(
		client,
		"select n from generate_series(1, 4) as g (n)",
		(row) => {
			taken.push(row);
			throw new Error("not this row");
		},
	);
	await expect(refused).rejects.toThrow("not this row");
	expect(taken).toHaveLength(1);
	expect(await rowsOf("select 7")).toEqual([["00000007"]]);
});
