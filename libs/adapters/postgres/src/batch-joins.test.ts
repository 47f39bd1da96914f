import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { idAt } from "../../../../test/support/builders.js";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { LearnerSession } from "./learner-session.js";
import {
	insertStates,
	lockStates,
	readDecisions,
	readStates,
	updateStates,
} from "./learning-sql.js";
import { readOutcomes } from "./outcomes-sql.js";

const IN_A_BATCH = 200;
const BETWEEN = 20;

let own: TestDatabase;
let session: LearnerSession;
let client: pg.Client;
const plans: Plan[] = [];
beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	session = new LearnerSession({
		connectionString: own.connectionString,
		applicationName: "joins",
	});
	client = await session.client();
	await client.query(`load 'auto_explain';
		set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_timing = off;
		set auto_explain.log_nested_statements = on; set auto_explain.log_format = json; set auto_explain.log_level = notice`);
	client.on("notice", ({ message }) => {
		const from = message?.indexOf("{") ?? -1;
		if (from >= 0)
			plans.push(JSON.parse(message?.slice(from) as string).Plan as Plan);
	});
});
afterAll(async () => {
	await session.close();
	await own.drop();
});

interface Plan {
	readonly "Node Type": string;
	readonly "Actual Rows": number;
	readonly "Actual Loops": number;
	readonly "Rows Removed by Join Filter"?: number;
	readonly "Rows Removed by Filter"?: number;
	readonly Plans?: readonly Plan[];
}

/** Rows that a plan's steps gave or threw away, all loops together. */
const handled = (plan: Plan): number =>
	plan["Actual Loops"] *
		(plan["Actual Rows"] +
			(plan["Rows Removed by Join Filter"] ?? 0) +
			(plan["Rows Removed by Filter"] ?? 0)) +
	(plan.Plans ?? []).reduce((sum, below) => sum + handled(below), 0);

it("a batch's statements handle a few rows for each of its items, though many others lie between them", async () => {
	const now = Date.now();
	const all = Array.from({ length: IN_A_BATCH * BETWEEN }, (_, i) =>
		idAt(now, i),
	).sort();
	const row = { experiment: "joined", version: 1, arm: "a" };
	await client.query("begin");
	await insertStates(
		client,
		all.map((id) => ({ id, row })),
	);
	const ids = all.filter((_, i) => i % BETWEEN === 0);
	const moved = ids.map((id) => ({
		id,
		...row,
		exposed: 1 as const,
		reward: 0.5,
	}));
	// Planned by the first, as in a session that saw an empty day.
	await updateStates(client, moved.slice(0, 1));
	plans.length = 0;

	expect(await lockStates(client, ids)).toHaveLength(IN_A_BATCH);
	expect(await readStates(client, ids)).toHaveLength(IN_A_BATCH);
	await readDecisions(client, ids);
	await readOutcomes(client, ids);
	await updateStates(client, moved);
	expect(plans.length).toBeGreaterThanOrEqual(5);
	for (const plan of plans)
		expect(handled(plan)).toBeLessThanOrEqual(8 * IN_A_BATCH);
	expect(
		(await lockStates(client, all)).filter(({ exposed }) => exposed === 1),
	).toHaveLength(IN_A_BATCH);
	await client.query("rollback");
});
