import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase } from "../../../../test/support/database.js";
import { Database } from "./database.js";
import { sweepUnits, type UnitSpans } from "./unit-retention.js";

const DAY = 86_400_000;

let database: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
	const created = await createTestDatabase({ migrated: true });
	drop = created.drop;
	database = new Database({
		connectionString: created.connectionString,
		applicationName: "test",
	});
});
afterAll(async () => {
	await database?.close();
	await drop?.();
});

const forever: UnitSpans = { profile: null, consent: null, ids: null };
const retention = {
	byJurisdiction: new Map([
		["short", { profile: 10 * DAY, consent: 20 * DAY, ids: 40 * DAY }],
		["long", forever],
	]),
	otherwise: { ...forever, profile: 30 * DAY, consent: 30 * DAY },
};

async function put(
	unit: string,
	daysAgo: number,
	jurisdiction: string | null,
	answers: object | null,
) {
	const at = new Date(Date.now() - daysAgo * DAY);
	await database.query(
		"insert into profiles (unit, values, updated_at) values ($1, '{}', $2)",
		[unit, at],
	);
	if (answers !== null)
		await database.query(
			"insert into consents (unit, answers, jurisdiction, since, updated_at) values ($1, $2, $3, $4, $4)",
			[unit, JSON.stringify(answers), jurisdiction, at],
		);
}

test("profiles and consents go when their unit's jurisdiction keeps them no longer; refusals stay as long as ids may live", async () => {
	const yes = { a: true };
	const both = { a: true, b: false };
	await put("short-young", 9, "short", yes);
	await put("short-15", 15, "short", yes);
	await put("short-25", 25, "short", yes);
	await put("short-25-refusing", 25, "short", both);
	await put("short-45-refusing", 45, "short", both);
	await put("long-99", 99, "long", both);
	await put("elsewhere-31", 31, "elsewhere", yes);
	await put("nowhere-29", 29, null, null);
	await put("nowhere-31", 31, null, null);

	expect(await sweepUnits(database, retention)).toEqual({
		profiles: 6,
		consents: 3,
		stripped: 2,
	});
	const units = async (table: "profiles" | "consents") =>
		(
			await database.query<{ unit: string }>(
				`select t.unit from ${table} t order by t.unit`,
			)
		).map(({ unit }) => unit);
	expect(await units("profiles")).toEqual([
		"long-99",
		"nowhere-29",
		"short-young",
	]);
	expect(await units("consents")).toEqual([
		"long-99",
		"short-15",
		"short-25-refusing",
		"short-young",
	]);
	const [left] = await database.query<{ answers: object; moved: boolean }>(
		"select c.answers, c.since > c.updated_at as moved from consents c where c.unit = 'short-25-refusing'",
	);
	expect(left).toEqual({ answers: { b: false }, moved: true });
	expect(await sweepUnits(database, retention)).toEqual({
		profiles: 0,
		consents: 0,
		stripped: 0,
	});
});
