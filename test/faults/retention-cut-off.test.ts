import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, PostgresErasure } from "#adapters/postgres";
import { DaysOfLog, dayOf } from "../support/days-of-log.js";
import { CutOff } from "../support/faults/cut-off.js";
import { inForm, seedOf } from "../support/faults/form.js";

/** In the short form every so manieth statement is the last one, by the seed which of them. */
const STRIDE = inForm({ short: 8, long: 1 });
/** Each run drops one; more than a run has statements at which it can be cut off. */
const DAYS = inForm({ short: 12, long: 60 });
const DECISIONS = 7;

let log: DaysOfLog;
let cutOff: CutOff;
beforeAll(async () => {
	log = await DaysOfLog.learn(DAYS, DECISIONS);
	cutOff = await CutOff.to(log.ledger.connectionString);
}, 120_000);
afterAll(async () => {
	await cutOff?.close();
	await log?.close();
});

test("retention that is cut off before any of its statements, or unheard, moves no bit of a sum, and the next run completes it", {
	timeout: 600_000,
}, async () => {
	const seed = seedOf("retention cut off");
	const statements = new Set<string>();
	let next = 0;
	const dropOne = (database: Database) =>
		log.retention(undefined, database).run.execute(dayOf(log.days[next] ?? 0));
	const cutAndComplete = async (
		cut: (
			work: (database: Database) => Promise<unknown>,
		) => Promise<string | null>,
	) => {
		next += 1;
		const [sums, { all }] = [await log.sums(), await log.events()];
		const same = async () => {
			expect(await log.sums()).toEqual(sums);
			expect((await log.verify()).differences).toEqual([]);
			expect((await log.events()).all).toBe(all);
		};
		const statement = await cut(dropOne);
		if (statement !== null) statements.add(statement);
		await same();
		const { kept } = await dropOne(log.ledger.database);
		expect(kept).toEqual([]);
		await same();
		expect(await log.retention().log.days(dayOf(log.days[next] ?? 0))).toEqual(
			[],
		);
		return statement;
	};
	let n = 1 + (seed % STRIDE);
	while ((await cutAndComplete((work) => cutOff.before(n, work))) !== null)
		n += STRIDE;
	expect(
		await cutAndComplete((work) =>
			cutOff.afterCommit(/insert into closed_days/, work),
		),
	).toBe("commit");
	expect(n).toBeGreaterThan(30);
	expect(statements.size).toBeGreaterThan(24 / STRIDE);
	const { closed, decisions } = await log.verify();
	expect(decisions).toBe((DAYS - next) * DECISIONS);
	expect(closed[0]?.learned).toBeGreaterThan(next);
	// What is left can still be erased, exactly.
	await new PostgresErasure(log.ledger.database).erase(["unit-1"], 10_000);
	expect((await log.verify()).differences).toEqual([]);
});
