import {
	afterAll,
	beforeAll,
	beforeEach,
	describe,
	expect,
	test,
} from "vitest";
import type { Definition } from "#core/experiment";
import { type DecisionRow } from "#core/log";
import { foldBatch, Learn } from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import {
	isRefusal,
	isTransient,
	PostgresBookedReads,
	PostgresDecisionReads,
	PostgresPosteriorSource,
	PostgresReportReads,
} from "./index.js";

const experiment = anExperiment({
	key: "ledger",
	arms: [{ key: "a" }, { key: "b" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [
			{ type: "play", value: 0.3 },
			{ type: "skip", value: -0.2, within: "30s" },
			{ type: "complete", value: 0.7 },
		],
	},
});

let log: LedgerOfTest;
let definition: Definition;

beforeAll(async () => {
	log = await LedgerOfTest.open();
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = await log.define(experiment);
});

function someDecisions(count: number, first = 0): DecisionRow[] {
	const now = Date.now();
	return Array.from({ length: count }, (_, i) =>
		aDecision(definition, {
			id: idAt(now, first + i),
			arm: i % 2 === 0 ? "a" : "b",
			unit: `unit-${i % 5}`,
			context: { v: (i % 17) / 4 },
		}),
	);
}

describe("any order, any duplication, several learners at once", () => {
	test("the stored sums equal the fold of the log, and the log holds each item once", {
		timeout: 60_000,
	}, async () => {
		const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
		console.log(`learning-ledger: SEED=${seed}`);
		const random = seededRandom(seed);
		const rows = someDecisions(300);
		const events = rows.flatMap((row) => {
			const outcomes = ["impression", "play", "skip", "complete"]
				.filter(() => random() < 0.5)
				.map((type) => anEvent(row, type));
			const retracts = outcomes
				.filter(() => random() < 0.08)
				.map((event) =>
					anEvent(row, "retract", { id: `r-${event.id}`, retracts: event.id }),
				);
			return [...outcomes, ...retracts];
		});
		const messages = [
			...Array.from({ length: 60 }, (_, i) =>
				log.decided(...rows.slice(i * 5, i * 5 + 5)),
			),
			...events.map(log.happened),
		];
		const deliveries = shuffled(
			[...messages, ...messages.filter(() => random() < 0.2)],
			random,
		);
		const learners = [log.learner(), log.learner(), log.learner()];
		await Promise.all(
			learners.map(async (own, k) => {
				const learn = new Learn(own, isRefusal);
				for (let i = k * 20; i < deliveries.length; i += 60)
					await learn.execute(deliveries.slice(i, i + 20));
			}),
		);
		await Promise.all(learners.map((own) => own.close()));
		const verification = await log.verify(definition);
		expect(verification.differences).toEqual([]);
		expect(verification.decisions).toBe(rows.length);
		expect(verification.outcomes).toBe(events.length);
		const expected = foldBatch(
			rows.map((row) => ({
				row,
				definition,
				outcomes: events.filter((event) => event.decisionId === row.id),
				exposed: 0,
				reward: 0,
			})),
		);
		const { changed } = await log.posteriors.read(
			definition.experiment.key,
			1,
			0,
		);
		for (const { arm, delta } of expected.sums)
			expect(changed.find((bucket) => bucket.arm === arm)?.sums).toEqual(delta);
	});
});

describe("revisions", () => {
	test("a batch that stores rows of the experiment takes one, a pure duplicate none, a placeholder none", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1) as [DecisionRow];
		const play = log.happened(anEvent(row, "play"));
		expect((await learn.execute([play]))[0]?.revisions.size).toBe(0);
		const decision = log.decided(row);
		expect((await learn.execute([decision]))[0]?.revisions).toEqual(
			new Map([[definition.experiment.key, 1]]),
		);
		expect((await learn.execute([decision, play]))[0]).toMatchObject({
			decisions: 0,
			events: 0,
			duplicates: 2,
		});
		expect((await learn.execute([decision]))[0]?.revisions.size).toBe(0);
		const second = await learn.execute([
			log.happened(anEvent(row, "complete")),
		]);
		expect(second[0]?.revisions).toEqual(
			new Map([[definition.experiment.key, 2]]),
		);
		await own.close();
	});

	test("a reader is given only what moved since the revision it holds", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const source = new PostgresPosteriorSource(log.database);
		const [a, b] = someDecisions(2) as [DecisionRow, DecisionRow];
		await learn.execute([log.decided(a), log.happened(anEvent(a, "play"))]);
		const first = await source.read(definition.experiment.key, 1, 0);
		expect(first.changed.map((bucket) => bucket.arm)).toEqual(["a"]);
		await learn.execute([log.decided(b), log.happened(anEvent(b, "play"))]);
		const second = await source.read(
			definition.experiment.key,
			1,
			first.revision,
		);
		expect(second.revision).toBe(2);
		expect(second.changed.map((bucket) => bucket.arm)).toEqual(["b"]);
		expect(
			(await source.read(definition.experiment.key, 1, 2)).changed,
		).toEqual([]);
		await own.close();
	});
});

describe("what cannot enter the set", () => {
	test("is dead-lettered with its reason, once under redelivery, and the rest of the batch is learned", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [good, wrong] = someDecisions(2) as [DecisionRow, DecisionRow];
		const old = aDecision(definition, {
			id: idAt(Date.now() - 30 * 86_400_000, 7),
			arm: "a",
		});
		const ahead = aDecision(definition, {
			id: idAt(Date.now() + 3_600_000, 8),
			arm: "a",
		});
		const batch = [
			log.decided(
				good,
				{ ...wrong, x: Float64Array.from([1, 2, 3]) },
				{ ...wrong, definitionId: 999_999 },
			),
			log.decided({ ...wrong, arm: "zz" }),
			log.decided(old),
			log.decided(ahead),
			log.happened(anEvent(good, "play", { at: Date.now() + 3_600_000 })),
			log.happened(anEvent(good, "complete")),
			log.message("segue.events.play", new TextEncoder().encode("{")),
		];
		const before = await log.database.query<{ n: number }>(
			"select count(*) as n from dead_letters",
		);
		const [first] = await learn.execute(batch);
		expect(first).toMatchObject({ decisions: 1, events: 1, refused: 7 });
		const [again] = await learn.execute(batch);
		expect(again).toMatchObject({ decisions: 0, events: 0, refused: 0 });
		const letters = await log.database.query<{ reason: string }>(
			"select l.reason from dead_letters l order by l.id",
		);
		expect(letters).toHaveLength((before[0]?.n ?? 0) + 7);
		const reasons = letters.map((letter) => letter.reason).join("\n");
		for (const reason of [
			"wrong dimension",
			"unknown definition",
			"unknown arm",
			"before horizon",
			"future",
		])
			expect(reasons).toContain(reason);
		await own.close();
	});

	test("an item that the database itself refuses is found by halving and dead-lettered alone", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const rows = someDecisions(4);
		await log.refuse((rows[1] as DecisionRow).id);
		const results = await learn.execute([log.decided(...rows)]);
		const total = (name: "decisions" | "refused") =>
			results.reduce((sum, result) => sum + result[name], 0);
		expect([total("decisions"), total("refused")]).toEqual([3, 1]);
		expect(results.flatMap(({ reasons }) => reasons)).toEqual([
			"refused by the database",
		]);
		expect((await log.verify(definition)).equal).toBe(true);
		await own.close();
	});
});

describe("another body under a stored id", () => {
	test("is a conflict: dead-lettered once, never in the set; the same body again is a duplicate", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1) as [DecisionRow];
		const event = anEvent(row, "play", { id: "same" });
		const other = { ...event, type: "complete" };
		await learn.execute([log.decided(row), log.happened(event)]);
		const conflict = log.happened(other);
		expect(
			(await learn.execute([conflict, log.happened(event)]))[0],
		).toMatchObject({
			events: 0,
			duplicates: 1,
			refused: 1,
			reasons: ["conflict"],
		});
		expect((await learn.execute([conflict]))[0]).toMatchObject({ refused: 0 });
		const [together] = someDecisions(1, 50) as [DecisionRow];
		const first = anEvent(together, "play", { id: "same" });
		const [both] = await learn.execute([
			log.decided(together),
			log.happened(first),
			log.happened({ ...first, value: 7 }),
		]);
		expect(both).toMatchObject({ events: 1, refused: 1 });
		expect((await log.verify(definition)).equal).toBe(true);
		await own.close();
	});
});

describe("what must not block learning", () => {
	test("bytes that Postgres cannot hold in a text: NUL in a body, in a subject, half a surrogate", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1) as [DecisionRow];
		const results = await learn.execute([
			log.message("segue.events.play", new Uint8Array([0])),
			log.message("segue.events.a\u0000b", new TextEncoder().encode("{}")),
			log.message("segue.events.play", new TextEncoder().encode('"\\ud800"')),
			log.decided(row),
		]);
		expect(results[0]).toMatchObject({ decisions: 1, refused: 3 });
		await own.close();
	});

	test("a database in trouble loses nothing: a disk that is full for a while refuses the batch, not the item", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1) as [DecisionRow];
		await log.database.query(
			"create function disk_full() returns trigger language plpgsql as $$ begin raise exception 'disk full' using errcode = '53100'; end $$",
		);
		await log.database.query(
			"create trigger full_disk before insert on outcomes for each row execute function disk_full()",
		);
		const batch = [log.decided(row), log.happened(anEvent(row, "play"))];
		await expect(learn.execute(batch)).rejects.toThrow("disk full");
		await log.database.query("drop trigger full_disk on outcomes");
		await log.database.query("drop function disk_full");
		expect((await learn.execute(batch))[0]).toMatchObject({
			decisions: 1,
			events: 1,
			refused: 0,
		});
		await own.close();
	});

	test("a day without partitions: they are made, and the next try succeeds", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1, 900) as [DecisionRow];
		const suffix = new Date().toISOString().slice(0, 10).replaceAll("-", "");
		await log.database.query(`drop table outcomes_${suffix}`);
		const batch = [log.decided(row), log.happened(anEvent(row, "play"))];
		await expect(learn.execute(batch)).rejects.toThrow(/no partition/);
		expect((await learn.execute(batch))[0]).toMatchObject({
			decisions: 1,
			events: 1,
			refused: 0,
		});
		await own.close();
	});
});

describe("reads", () => {
	test("a decision is found with its events and their verdicts, and counts in the report", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const [row] = someDecisions(1) as [DecisionRow];
		await learn.execute([
			log.decided(row),
			log.happened(anEvent(row, "play")),
			log.happened(anEvent(row, "complete", { unit: "somebody-else" })),
			log.happened(
				anEvent(row, "skip", {
					at: row.decidedAt + 60_000,
				}),
			),
		]);
		const found = await new PostgresDecisionReads(log.database, log.store).find(
			row.id,
		);
		expect(found).toMatchObject({
			row,
			learned: { exposed: true, reward: 1229 / 4096, revision: 1 },
		});
		const verdicts = Object.fromEntries(
			(found?.events ?? [])
				.filter((event) => "type" in event)
				.map((event) => [event.type, event.verdict]),
		);
		expect(verdicts.play).toBe("applied");
		expect(verdicts.complete).toBe("wrong unit");
		expect(verdicts.skip).toBe("no value");
		const open = await new PostgresReportReads(
			log.database,
			new PostgresBookedReads(log.database),
		).open(
			{
				experiment: definition.experiment.key,
				version: 1,
				run: definition.run,
			},
			{
				bookedUpTo: null,
				cursor: null,
				isPending: false,
				revision: 0,
				newestRevision: 1,
				decisions: 0,
				waiting: 1,
				unbooked: 0,
				bookedAt: null,
			},
		);
		expect(open).toEqual({
			arms: [
				{
					group: "policy",
					arm: "a",
					decisions: 1,
					learned: 1,
				},
			],
			firstAt: row.decidedAt,
			lastAt: row.decidedAt,
		});
		await own.close();
	});

	test("a connection cut in mid-batch leaves nothing half done, and the next batch goes on", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const rows = someDecisions(3);
		await learn.execute([log.decided(rows[0] as DecisionRow)]);
		await log.database.query(
			"select pg_terminate_backend(a.pid) from pg_stat_activity a where a.application_name = 'test learner' and a.datname = current_database()",
		);
		const batch = [
			log.decided(...rows),
			log.happened(anEvent(rows[1] as DecisionRow, "play")),
		];
		let attempts = 0;
		while (attempts < 5) {
			attempts += 1;
			try {
				await learn.execute(batch);
				break;
			} catch (error) {
				expect(isTransient(error), String(error)).toBe(true);
			}
		}
		const verification = await log.verify(definition);
		expect(verification).toMatchObject({
			equal: true,
			decisions: 3,
			outcomes: 1,
		});
		await own.close();
	});
});

test("sums that come near the end of exactness are alarmed, and still learned", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const [first, second] = someDecisions(3).filter((_, i) => i !== 1) as [
		DecisionRow,
		DecisionRow,
	];
	const [before] = await learn.execute([
		log.decided(first),
		log.happened(anEvent(first, "play")),
	]);
	expect(before?.alarms).toEqual([]);
	const entry = Buffer.alloc(8);
	entry.writeDoubleLE(2 ** 28);
	await log.database.query(
		"update sums s set data = overlay(s.data placing $2 from 1) where s.experiment = $1",
		[definition.experiment.key, entry],
	);
	const [after] = await learn.execute([
		log.decided(second),
		log.happened(anEvent(second, "play")),
	]);
	expect(after?.alarms).toEqual([
		expect.stringContaining(definition.experiment.key),
	]);
	await own.close();
});

test("the sums stay small: 300 batches on one arm leave a table of a few pages", {
	timeout: 60_000,
}, async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	for (let i = 0; i < 300; i++) {
		const [row] = someDecisions(1, 1_000 + i) as [DecisionRow];
		await learn.execute([log.decided(row), log.happened(anEvent(row, "play"))]);
	}
	const [size] = await log.database.query<{ bytes: number }>(
		"select pg_table_size('sums') as bytes",
	);
	expect(size?.bytes).toBeLessThan(1_048_576);
	await own.close();
});
