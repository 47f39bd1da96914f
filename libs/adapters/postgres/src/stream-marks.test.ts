import { afterAll, beforeAll, expect, test } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database, PostgresStreamMarks } from "./index.js";

let own: TestDatabase;
let database: Database;
let marks: PostgresStreamMarks;
const HOUR = 3_600_000;

beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	database = new Database({
		connectionString: own.connectionString,
		applicationName: "test",
	});
	marks = new PostgresStreamMarks(database);
});
afterAll(async () => {
	await database?.close();
	await own?.drop();
});

test("a stream of which nothing was dropped has all there ever was, and so has one that was cut before the installation was made", async () => {
	expect(await marks.wholeSince()).toBeNull();
	await marks.cut(Date.now() - HOUR);
	expect(await marks.wholeSince()).toBeNull();
});

test("it has every message since the last cut, whoever cut it, in whatever order", async () => {
	const later = Date.now() + HOUR;
	await marks.cut(later);
	expect(await marks.wholeSince()).toBe(later);
	await marks.cut(later - 1);
	expect(await marks.wholeSince()).toBe(later);
	expect(await marks.droppedBefore()).toBe(later);
});

test("another stream has nothing of what was before", async () => {
	await database.query(
		"update installation i set stream_whole_since = null, stream_dropped_before = null, created_at = now() - interval '1 day'",
	);
	const first = { name: "first", lastPosition: 7 };
	await marks.replace(null, first);
	expect(await marks.wholeSince()).toBeNull();
	const before = Date.now() - 1_000;
	await marks.replace(first, { name: "second", lastPosition: 0 });
	expect(await marks.wholeSince()).toBeGreaterThan(before);
	expect(await marks.droppedBefore(), "what was heard of it stands").toBeNull();
});
