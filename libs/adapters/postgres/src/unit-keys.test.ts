import { afterAll, beforeAll, expect, it } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database, keepUnitKeys, keptUnitKeys } from "./index.js";

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
	test = await createTestDatabase({ migrated: true });
	const { connectionString } = test;
	database = new Database({ connectionString, applicationName: "test" });
});
afterAll(async () => {
	await database?.close();
	await test?.drop();
});

const digest = (byte: number) => new Uint8Array(32).fill(byte);

it("what was kept of a key first stays, also where several come at once", async () => {
	expect(await keptUnitKeys(database)).toEqual(new Map());
	await Promise.all(
		[1, 2, 3].map((byte) =>
			keepUnitKeys(database, new Map([["a1", digest(byte)]])),
		),
	);
	const first = (await keptUnitKeys(database)).get("a1");
	await keepUnitKeys(
		database,
		new Map([
			["a1", digest(4)],
			["b2", digest(5)],
		]),
	);
	const kept = await keptUnitKeys(database);
	expect([...kept.keys()].sort()).toEqual(["a1", "b2"]);
	expect(kept.get("a1")).toEqual(first);
	expect([...(kept.get("b2") as Uint8Array)]).toEqual([...digest(5)]);
});
