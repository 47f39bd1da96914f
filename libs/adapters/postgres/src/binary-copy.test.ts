import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { type CopyColumn, copyRows } from "./binary-copy.js";
import { connectionConfig } from "./database.js";

interface Row {
	readonly id: string | null;
	readonly words: string | null;
	readonly small: number | null;
	readonly large: number | null;
	readonly real: number | null;
	readonly raw: Uint8Array | null;
	readonly shorts: readonly number[];
	readonly units: readonly number[];
	readonly doubles: readonly number[] | null;
	readonly document: unknown;
	readonly at: number;
}

const columns: readonly CopyColumn<Row>[] = [
	["id", (to, row) => to.uuid(row.id)],
	["words", (to, row) => to.text(row.words)],
	["small", (to, row) => to.int4(row.small)],
	["large", (to, row) => to.int8(row.large)],
	["real", (to, row) => to.float8(row.real)],
	["raw", (to, row) => to.bytes(row.raw)],
	["shorts", (to, row) => to.int16s(row.shorts)],
	["units", (to, row) => to.int32s(row.units, 0.25)],
	["doubles", (to, row) => to.float64s(row.doubles)],
	["document", (to, row) => to.jsonb(row.document)],
	["at", (to, row) => to.time(row.at)],
];

const row: Row = {
	id: "019B0000-0000-7000-8000-00000000aBcD",
	words: "ünïcödé 𝄞",
	small: -7,
	large: -(2 ** 53) + 1,
	real: -0.1,
	raw: Uint8Array.of(0, 255, 92, 39),
	shorts: [-(2 ** 15), 0, 2 ** 15 - 1],
	units: [-0.25, 2 ** 29 - 0.25],
	doubles: [-0, Number.MIN_VALUE, 1 / 3],
	document: { a: [1, null, "𝄞"] },
	at: -1,
};

/** Text that PostgreSQL stores: no NUL, no half of a surrogate pair. */
const storable = fc
	.string({ unit: "binary" })
	.map((text) => Buffer.from(text.replaceAll("\u0000", "")).toString());

const rows = fc.array(
	fc.record({
		id: fc.option(fc.uuid()),
		words: fc.option(storable),
		small: fc.option(fc.integer()),
		large: fc.option(fc.maxSafeInteger()),
		real: fc.option(fc.double({ noNaN: true })),
		raw: fc.option(fc.uint8Array({ maxLength: 300 })),
		shorts: fc.array(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })),
		units: fc.array(fc.integer().map((units) => units / 4)),
		doubles: fc.option(fc.array(fc.double({ noNaN: true }))),
		document: fc.option(fc.dictionary(storable, fc.option(storable))),
		at: fc.integer({ min: 0, max: 253_402_300_799_999 }),
	}),
	{ minLength: 1, maxLength: 40 },
);

let own: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
	own = await createTestDatabase();
	client = new pg.Client({
		...connectionConfig({
			connectionString: own.connectionString,
			applicationName: "copies",
		}),
		query_timeout: 1_000,
	});
	await client.connect();
	await client.query(
		`create temp table copied (place serial, id uuid, words text, small int, large bigint, real float8, raw bytea, shorts bytea, units bytea, doubles bytea, document jsonb, at timestamptz,
			check (words <> 'words that nobody may say'))`,
	);
});
afterAll(async () => {
	await client.end();
	await own.drop();
});

const copy = (list: readonly Row[]) =>
	copyRows(client, "copied", columns, list);

const numbers = (
	bytes: Buffer,
	width: number,
	read: (bytes: Buffer, at: number) => number,
) =>
	Array.from({ length: bytes.length / width }, (_, i) =>
		read(bytes, i * width),
	);

async function copied() {
	const { rows } = await client.query(
		`delete from copied returning place, id, words, small, large, real, raw, shorts, units, doubles, document, date_part('epoch', at) * 1000 as at`,
	);
	return rows
		.sort((a, b) => a.place - b.place)
		.map(({ place: _, ...rest }) => ({
			...rest,
			raw: rest.raw && new Uint8Array(rest.raw),
			shorts: numbers(rest.shorts, 2, (bytes, at) => bytes.readInt16LE(at)),
			units: numbers(rest.units, 4, (bytes, at) => bytes.readInt32LE(at) / 4),
			doubles:
				rest.doubles &&
				numbers(rest.doubles, 8, (bytes, at) => bytes.readDoubleLE(at)),
			at: Math.round(rest.at),
		}));
}

describe("rows copied in", () => {
	it("are there as they were given, null or not", async () => {
		await fc.assert(
			fc.asyncProperty(rows, async (list) => {
				await copy(list as Row[]);
				expect(await copied()).toEqual(list);
			}),
			{ numRuns: 60 },
		);
	});

	it("hold negative numbers, text beyond the basic plane and bytes of any value", async () => {
		await copy([row]);
		expect(await copied()).toEqual([{ ...row, id: row.id?.toLowerCase() }]);
	});

	it("may be more than a buffer's beginning holds", async () => {
		const words = "ö".repeat(100_000);
		await copy([{ ...row, words }, row]);
		expect((await copied()).map((one) => one.words)).toEqual([
			words,
			row.words,
		]);
	});

	it.each([
		["a NUL in a text", { words: "\u0000" }, { code: "22021" }],
		["a NUL in a document", { document: { a: "\u0000" } }, { code: "22P05" }],
		[
			"a broken constraint",
			{ words: "words that nobody may say" },
			{ code: "23514" },
		],
		["a number beyond its column", { small: 2 ** 31 }, RangeError],
		["what is no UUID", { id: "nonsense" }, RangeError],
	] as const)(
		"are refused for %s, all of them, and the connection goes on",
		async (_, fields, error) => {
			const refused = expect(copy([row, { ...row, ...fields }])).rejects;
			await (typeof error === "function"
				? refused.toThrow(error)
				: refused.toMatchObject(error));
			expect(await copied()).toEqual([]);
		},
	);

	it("are bound by the time limit of a statement like any other", async () => {
		const other = new pg.Client({ connectionString: own.connectionString });
		await other.connect();
		await client.query("create table if not exists waited (id uuid)");
		await other.query("begin; lock table waited");
		const waiting = copyRows(
			client,
			"waited",
			[["id", (to, one: Row) => to.uuid(one.id)]],
			[row],
		);
		await expect(waiting).rejects.toThrow("Query read timeout");
		await other.query("rollback");
		await other.end();
	});
});
