import pg from "pg";
import {
	afterAll,
	beforeAll,
	beforeEach,
	describe,
	expect,
	test,
} from "vitest";
import type { Definition } from "#core/experiment";
import { ErasureBusy } from "#usecases/erasing";
import { Learn } from "#usecases/learning";
import { eventually } from "../../../../test/contract/eventually.js";
import { aDecision, anEvent, idAt } from "../../../../test/support/builders.js";
import {
	aMinuteAgo,
	decisionsOf,
	erasable,
} from "../../../../test/support/erasable.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import { unitsHeld } from "../../../../test/support/units-held.js";
import { isRefusal, PostgresErasure, PostgresRevisionReads } from "./index.js";

const PATIENCE_MS = 20_000;

let log: LedgerOfTest;
let definition: Definition;

beforeAll(async () => {
	log = await LedgerOfTest.open(aMinuteAgo);
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = await log.define(erasable);
});

const erasure = (mostAtOnce?: number) =>
	new PostgresErasure(log.database, mostAtOnce);

describe("beside learners", () => {
	test("nothing of the unit is left and the sums equal the log, whatever they commit meanwhile", {
		timeout: 60_000,
	}, async () => {
		const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
		console.log(`erasure beside learners: SEED=${seed}`);
		const random = seededRandom(seed);
		const unit = `raced-${definition.id}`;
		const rows = Array.from({ length: 150 }, (_, i) =>
			aDecision(definition, {
				id: idAt(aMinuteAgo(), i),
				arm: i % 2 ? "a" : "b",
				unit: i % 3 === 0 ? unit : `raced-beside-${i}`,
				context: { v: i % 7 },
			}),
		);
		const events = rows.map((row) => anEvent(row, "play"));
		const deliveries = shuffled(
			[...rows.map((row) => log.decided(row)), ...events.map(log.happened)],
			random,
		);
		const learners = [log.learner(), log.learner()];
		let done = false;
		const learning = Promise.all(
			learners.map(async (own, k) => {
				const learn = new Learn(own, isRefusal);
				for (let i = k * 10; i < deliveries.length; i += 20)
					await learn.execute(deliveries.slice(i, i + 10));
				done = true;
			}),
		);
		while (!done) await erasure().erase([unit], PATIENCE_MS);
		await learning;
		await Promise.all(learners.map((own) => own.close()));
		expect(await unitsHeld(log.database, new RegExp(unit, "g"))).toEqual(
			new Map(),
		);
		const verification = await log.verify(definition);
		expect(verification.differences).toEqual([]);
		expect(verification.decisions).toBe(100);
	});

	test("a learner that stands still inside its transaction is waited for, and told of where it stands too long", async () => {
		const stopped = new pg.Client({
			connectionString: log.connectionString,
		});
		await stopped.connect();
		await stopped.query("begin; select pg_advisory_xact_lock_shared(7301, 1)");
		const unit = `patient-${definition.id}`;
		await expect(erasure().erase([unit], 300)).rejects.toThrow(ErasureBusy);
		expect(await erasure().erasedAt(unit)).toBeNull();
		const waiting = erasure().erase([unit], PATIENCE_MS);
		await eventually(async () => {
			const { rows } = await stopped.query(
				`select 1 from pg_locks l where l.locktype = 'advisory' and l.classid = 7301 and not l.granted
				and l.database = (select d.oid from pg_database d where d.datname = current_database())`,
			);
			expect(rows).toHaveLength(1);
		});
		await new Promise((resolve) => setTimeout(resolve, 250));
		await stopped.query("commit");
		const { erasedAt, gateMs } = await waiting;
		expect(erasedAt).toBeGreaterThan(0);
		expect(gateMs).toBeGreaterThan(200);
		await stopped.end();
	});
});

/** Whether a learner would get the gate now. */
async function isGateFree(client: pg.Client): Promise<boolean> {
	const { rows } = await client.query<{ free: boolean }>(
		"select pg_try_advisory_xact_lock_shared(7301, 1) as free",
	);
	return rows[0]?.free === true;
}

test("where what it only reads is locked, an erasure lets learners through the gate, and begins anew until it can", async () => {
	const unit = `locked-${definition.id}`;
	const rows = decisionsOf(definition, unit, 20);
	await new Learn(log.learner(), isRefusal).execute(
		rows.flatMap((row) => [
			log.decided(row),
			log.happened(anEvent(row, "play")),
		]),
	);
	const { connectionString } = log;
	const [locking, learner] = [
		new pg.Client({ connectionString }),
		new pg.Client({ connectionString }),
	];
	await Promise.all([locking.connect(), learner.connect()]);
	await locking.query("begin; lock table decisions in access exclusive mode");
	const erasing = erasure().erase([unit], PATIENCE_MS);
	await eventually(async () => expect(await isGateFree(learner)).toBe(false));
	await eventually(async () => expect(await isGateFree(learner)).toBe(true));
	await eventually(async () => expect(await isGateFree(learner)).toBe(false));
	await locking.query("commit");
	expect((await erasing).removed).toMatchObject({
		decisions: 20,
		outcomes: 20,
	});
	expect((await log.verify(definition)).differences).toEqual([]);
	await Promise.all([locking.end(), learner.end()]);
});

describe("revisions", () => {
	test("an erasure takes one of each touched experiment, below which nothing can be derived again", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const unit = `floor-${definition.id}`;
		const mine = decisionsOf(definition, unit, 1);
		const kept = decisionsOf(definition, `floor-kept-${definition.id}`, 1, 9);
		const { key } = definition.experiment;
		await learn.execute([log.decided(...mine)]);
		await learn.execute([log.decided(...kept)]);
		const { revisions } = await erasure().erase([unit], PATIENCE_MS);
		expect(revisions).toEqual(new Map([[key, 3]]));
		const reads = new PostgresRevisionReads(log.database, log.store);
		expect(await reads.floor(key)).toBe(3);
		await own.close();
	});
});
