import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	EVENT_PACK_SUBJECT,
	encodeDecisions,
	encodeEvents,
	LOG_SUBJECT,
} from "#core/log";
import { Learn } from "#usecases/learning";
import { eventually } from "../../../../test/contract/eventually.js";
import {
	aDecision,
	aDefinition,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database, isRefusal, PostgresLearningLedger } from "./index.js";

const PAIRS = 300;
const BATCHES = 8;
const boot = "019b0000-0000-7000-8000-000000000001";
const definition = aDefinition(
	anExperiment({
		key: "planned",
		arms: [{ key: "a" }, { key: "b" }],
		context: { intercept: true, features: [] },
		policy: { kind: "linucb" },
		reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
	}),
);

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	database = new Database({
		connectionString: own.connectionString,
		applicationName: "plans",
	});
});
afterAll(async () => {
	await database.close();
	await own.drop();
});

/** Sequential scans of the log's partitions by sessions that ended, and whether those that began in the test are among them. */
async function scans() {
	const [row] = await database.query<{ scans: number; rows: number }>(
		`select sum(t.seq_scan)::int as scans, sum(t.n_tup_ins)::int as rows from pg_stat_user_tables t
		where t.relname ~ '^(decision_states|decisions|outcomes)_\\d{8}$'`,
	);
	return row;
}

/** Of decision states: all, and those that found room on the row's page and so left the index alone. */
async function updates() {
	const [row] = await database.query<{ all: number; besideTheIndex: number }>(
		`select sum(t.n_tup_upd)::int as "all", sum(t.n_tup_hot_upd)::int as "besideTheIndex" from pg_stat_user_tables t
		where t.relname ~ '^decision_states_\\d{8}$'`,
	);
	return row;
}

describe("the statements of a batch", () => {
	it("find rows by their keys, though the day was empty when they were planned, and change states in their place", async () => {
		const before = await scans();
		const ledger = new PostgresLearningLedger({
			connectionString: own.connectionString,
			applicationName: "planned learner",
			definitions: async () => [definition],
		});
		const learn = new Learn(ledger, isRefusal);
		const now = Date.now();
		for (let batch = 0; batch < BATCHES; batch++) {
			const decisions = Array.from({ length: PAIRS }, (_, i) =>
				aDecision(definition, { id: idAt(now, batch * PAIRS + i), arm: "a" }),
			);
			const events = decisions.map((one) => anEvent(one, "play"));
			const publisher = { boot, sequence: 1 };
			for (const [subject, body] of [
				[LOG_SUBJECT, encodeDecisions(decisions, publisher)],
				[EVENT_PACK_SUBJECT, encodeEvents(events, publisher)],
			] as const)
				await learn.execute([
					{ subject, body, storedAt: now, position: 2 * batch + 1 },
				]);
		}
		await ledger.close();
		// A session tells its counts when it ends.
		await eventually(async () =>
			expect((await scans())?.rows).toBe(
				(before?.rows ?? 0) + 3 * BATCHES * PAIRS,
			),
		);
		expect((await scans())?.scans).toBe(before?.scans);
		expect(await updates()).toEqual({
			all: BATCHES * PAIRS,
			besideTheIndex: BATCHES * PAIRS,
		});
	});
});
