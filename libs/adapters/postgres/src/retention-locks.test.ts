import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Learn } from "#usecases/learning";
import { aDecision, anEvent, idAt } from "../../../../test/support/builders.js";
import {
	DaysOfLog,
	dayOf,
	today,
} from "../../../../test/support/days-of-log.js";
import { Database, isRefusal } from "./index.js";

const DAYS = 6;
const DECISIONS = 900;
/** What a learner that stands still may cost the others. */
const IDLE_LIMIT_MS = 5_000;

let log: DaysOfLog;
beforeAll(async () => {
	log = await DaysOfLog.learn(DAYS, DECISIONS);
});
afterAll(() => log?.close());

interface Drop {
	readonly heldMs: number;
	readonly lockTimeout: string;
}

/** A way to the database that tells of each transaction that dropped a table for how long no batch came past it, and how long it would have waited for its locks. */
function timed(drops: Drop[]): Database {
	const database = new Database({
		connectionString: log.ledger.connectionString,
		applicationName: "test retention",
	});
	const transaction = database.transaction.bind(database);
	database.transaction = async <T>(
		work: (client: pg.PoolClient) => Promise<T>,
	): Promise<T> => {
		let gateAt = 0;
		let lockTimeout = "";
		const done = await transaction(async (client) => {
			const query = client.query.bind(client) as (
				...args: unknown[]
			) => Promise<pg.QueryResult>;
			const watched = async (...args: unknown[]) => {
				const text = String(args[0]);
				if (lockTimeout === "" && text.startsWith("drop table"))
					lockTimeout = (await query("show lock_timeout")).rows[0].lock_timeout;
				const result = await query(...args);
				if (text.includes("pg_advisory_xact_lock(")) gateAt = performance.now();
				return result;
			};
			Object.assign(client, { query: watched });
			try {
				return await work(client);
			} finally {
				Object.assign(client, { query });
			}
		});
		if (lockTimeout !== "")
			drops.push({ heldMs: performance.now() - gateAt, lockTimeout });
		return done;
	};
	return database;
}

test("a day is dropped by short tries for its locks, held for one transaction while learners go on, and nothing of theirs is lost", {
	timeout: 60_000,
}, async () => {
	const drops: Drop[] = [];
	const database = timed(drops);
	const own = log.ledger.learner();
	const learn = new Learn(own, isRefusal);
	let running = true;
	let learned = 0;
	let longestMs = 0;
	const learning = (async () => {
		for (let i = 0; running; i++) {
			const id = idAt(today() + 1_000, 10_000 + i);
			const row = aDecision(log.definition, {
				id,
				arm: "a",
				unit: `u-${i}`,
				context: { v: 1 },
			});
			const since = performance.now();
			await learn.execute([
				log.ledger.decided(row),
				log.ledger.happened(anEvent(row, "play")),
			]);
			longestMs = Math.max(longestMs, performance.now() - since);
			learned += 1;
		}
	})();
	const { dropped, kept } = await log
		.retention(undefined, database)
		.run.execute(dayOf(log.days[DAYS - 2] as number));
	running = false;
	await learning;
	await own.close();
	await database.close();

	expect(kept).toEqual([]);
	expect(dropped.filter(({ decisions }) => decisions > 0)).toHaveLength(
		DAYS - 2,
	);
	expect(drops.length).toBe(dropped.length);
	const held = drops.map(({ heldMs }) => heldMs).sort((a, b) => a - b);
	const longest = held.at(-1) as number;
	console.log(
		`retention locks: ${drops.length} days dropped, exclusive for ${held[held.length >> 1]?.toFixed(1)} ms each (median), ${longest.toFixed(1)} ms at most; ${learned} batches beside them, the slowest ${longestMs.toFixed(1)} ms`,
	);
	expect(new Set(drops.map(({ lockTimeout }) => lockTimeout))).toEqual(
		new Set(["200ms"]),
	);
	expect(longest).toBeLessThan(IDLE_LIMIT_MS);
	expect(learned).toBeGreaterThan(0);
	const verification = await log.verify();
	expect(verification.differences).toEqual([]);
	expect(verification.decisions).toBe(2 * DECISIONS + learned);
});
