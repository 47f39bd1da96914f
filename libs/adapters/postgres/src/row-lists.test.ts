import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { readLists } from "./row-lists.js";

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

const listsOf = (name: string, words: string) =>
	readLists(client, {
		name,
		columns: { place: "r.place::text", word: "r.word" },
		with: "with r as materialized (select * from unnest($1::text[]) with ordinality as w (word, place) order by place desc)",
		rows: "from r",
		values: [words],
	});

test("each column is a list in the order of the rows, empty texts too, and none of no rows", async () => {
	expect(await listsOf("some", '{a,"","né, 𝄞"}')).toEqual({
		place: ["3", "2", "1"],
		word: ["né, 𝄞", "", "a"],
	});
	expect(await listsOf("one", '{""}')).toEqual({ place: ["1"], word: [""] });
	expect(await listsOf("none", "{}")).toEqual({ place: [], word: [] });
});

test.each([
	["null", "{a,null}"],
	["broken in two lines", '{"a\nb"}'],
])(
	"what is %s is told instead of moving what comes behind it to another row",
	async (_, words) => {
		await expect(listsOf("odd", words)).rejects.toThrow(
			/odd read [12] rows, but [12] times their word: one is null, or has a line break in it/,
		);
	},
);
