import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, isRefusal, PostgresErasure } from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { Learn } from "#usecases/learning";
import { aDecision, anEvent, anExperiment, idAt } from "../support/builders.js";
import { CutOff } from "../support/faults/cut-off.js";
import { inForm, seedOf } from "../support/faults/form.js";
import { LedgerOfTest } from "../support/ledger.js";
import { unitsHeld } from "../support/units-held.js";

/** In the short form every so manieth statement is the last one, by the seed which of them. */
const STRIDE = inForm({ short: 3, long: 1 });
const PATIENCE_MS = 10_000;
/** So that an erasure takes two transactions. */
const AT_ONCE = 4;
const DECISIONS = 6;

let log: LedgerOfTest;
let cutOff: CutOff;
let definitions: readonly Definition[];
let ids = 0;

beforeAll(async () => {
	log = await LedgerOfTest.open(() => Date.now() - 60_000);
	cutOff = await CutOff.to(log.connectionString);
	definitions = [
		await log.define(experiment("impression")),
		await log.define(experiment("windowClose")),
	];
});
afterAll(async () => {
	await cutOff?.close();
	await log?.close();
});

const experiment = (learn: string) =>
	anExperiment({
		key: "cut-off",
		arms: [{ key: "a" }, { key: "b" }],
		context: { features: [{ name: "v", from: "request", kind: "number" }] },
		policy: { kind: "linucb", alpha: 0.5 },
		reward: {
			learn,
			window: "30m",
			outcomes: [{ type: "play", value: 0.3 }],
		},
	});

/** A decision long enough ago, of the two experiments by turns. */
function decide(unit: string): DecisionRow {
	ids += 1;
	return aDecision(definitions[ids % 2] as Definition, {
		id: idAt(Date.now() - 40 * 60_000, ids),
		arm: ids % 4 < 2 ? "a" : "b",
		unit,
		context: { v: (ids % 7) / 4 },
	});
}

/** All that there may be of a unit, beside somebody who stays: learned, waiting, of no decision, of another's, not understood. */
async function learn(unit: string): Promise<void> {
	const mine = Array.from({ length: DECISIONS }, () => decide(unit));
	const others = decide("stays");
	const never = decide(unit);
	const own = log.learner();
	await new Learn(own, isRefusal).execute([
		log.decided(...mine, others),
		...[...mine, others, never].map((row) =>
			log.happened(anEvent(row, "play")),
		),
		log.happened(anEvent(others, "play", { id: `stray of ${unit}`, unit })),
		...mine.map((row) =>
			log.happened(anEvent(row, "play", { id: "another's", unit: "stays" })),
		),
		log.happened({ id: "signal", type: "skip", at: never.decidedAt, unit }),
		log.rubbish(JSON.stringify({ id: "x", type: "play", at: "never", unit })),
	]);
	await own.close();
	await log.database.query(
		`insert into requests (experiment, kind, key, decision_id, unit, answer, expires_at)
		values ('x', 'unit', $1, $2, $1, '{}', now() + interval '1 day')`,
		[unit, never.id],
	);
}

/** The stored sums are what the rows say, of both experiments. */
async function expectExact(): Promise<void> {
	for (const definition of definitions)
		expect((await log.verify(definition)).differences).toEqual([]);
}

const counted = async () => {
	const [row] = await log.database.query<{ all: number }>(
		"select sum(v.count)::bigint as all from verdict_counts v",
	);
	return row?.all;
};

test("an erasure that is cut off before any of its statements, or unheard, leaves exact sums, and the next one completes it", {
	timeout: 300_000,
}, async () => {
	const seed = seedOf("erasure cut off");
	const statements = new Set<string>();
	const erase = (unit: string) => (database: Database) =>
		new PostgresErasure(database, AT_ONCE).erase([unit], PATIENCE_MS);
	const cutAndComplete = async (
		unit: string,
		cut: (work: ReturnType<typeof erase>) => Promise<string | null>,
	) => {
		await learn(unit);
		const deliveries = await counted();
		const statement = await cut(erase(unit));
		if (statement !== null) statements.add(statement);
		await expectExact();
		await erase(unit)(log.database);
		await expectExact();
		expect(await counted()).toBe(deliveries);
		return statement;
	};
	let n = 1 + (seed % STRIDE);
	while (
		(await cutAndComplete(`cut-off-${n}-unit`, (work) =>
			cutOff.before(n, work),
		)) !== null
	)
		n += STRIDE;
	const unheard = await cutAndComplete("cut-off-0-unit", (work) =>
		cutOff.afterCommit(/into tombstones/, work),
	);
	expect(unheard).toBe("commit");
	// Two transactions of some twenty statements each.
	expect(n).toBeGreaterThan(35);
	expect(statements.size).toBeGreaterThan(20 / STRIDE);
	expect(await unitsHeld(log.database, /cut-off-\d+-unit/g)).toEqual(new Map());
	const verified = await Promise.all(definitions.map(log.verify));
	expect(verified.reduce((sum, one) => sum + one.decisions, 0)).toBe(
		Math.ceil(ids / (DECISIONS + 2)),
	);
});
