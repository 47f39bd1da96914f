import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Learn, SumsInTime } from "#usecases/learning";
import { oldestOf, RunRetention } from "#usecases/retaining";
import {
	BUCKET_MS,
	DaysOfLog,
	dayOf,
	today,
} from "../../../../test/support/days-of-log.js";
import { isRefusal, PostgresErasure, PostgresRevisionReads } from "./index.js";

let log: DaysOfLog;
beforeAll(async () => {
	log = await DaysOfLog.learn();
});
afterAll(() => log?.close());

test("a dry run says what would go and changes nothing", async () => {
	const before = dayOf(log.days[1] as number);
	const { dropped, before: said } = await log
		.retention()
		.run.execute(before, true);
	expect(said).toBe(before);
	expect(dropped.at(-1)).toEqual({
		day: dayOf(log.days[0] as number),
		decisions: 40,
		outcomes: 33,
		signals: 1,
		waiting: 1,
	});
	expect((await log.verify()).decisions).toBe(200);
});

test("a day whose sums are not what its rows say is kept, and so are the days after it", async () => {
	const [first] = log.days as [number];
	await log.flipByte(first / BUCKET_MS + 1);
	const { kept, dropped } = await log.retention().run.execute(dayOf(today()));
	await log.flipByte(first / BUCKET_MS + 1);
	expect(kept[0]?.day).toBe(dayOf(first));
	expect(kept[0]?.differences).toHaveLength(1);
	expect(dropped.map(({ day }) => day)).not.toContain(kept[0]?.day);
	expect((await log.verify()).differences).toEqual([]);
});

test("the sums do not move by a bit, replay begins from what was folded away and says so, and what comes again is refused", async () => {
	const sums = await log.sums();
	const before = await log.verify();
	const delivered = await log.events();
	const shards = await log.ledger.database.query(
		"select distinct s.shard from sums s",
	);
	expect(shards.length).toBeGreaterThan(1);
	const { run, announced } = log.retention();
	const result = await run.execute(dayOf(log.days[3] as number));
	expect(result.kept).toEqual([]);
	expect(result.dropped.filter(({ decisions }) => decisions > 0)).toHaveLength(
		3,
	);
	expect(announced).toEqual([[log.key, result.revisions[log.key]]]);

	const tables = await log.ledger.database.query<{ name: string }>(
		"select c.relname as name from pg_class c where c.relname ~ '_[0-9]{8}$' and c.relkind = 'r'",
	);
	for (const { day } of result.dropped)
		expect(
			tables.filter(({ name }) => name.endsWith(day.replaceAll("-", ""))),
		).toEqual([]);

	const same = async () => {
		expect(await log.sums()).toEqual(sums);
		const verification = await log.verify();
		expect(verification.differences).toEqual([]);
		expect(verification.decisions).toBe(80);
		expect(verification.closed).toEqual([
			{ experiment: log.key, buckets: expect.any(Number), learned: 96 },
		]);
	};
	expect(before.closed).toEqual([]);
	await same();
	const counted = await log.events();
	expect(counted.all).toBe(delivered.all);
	expect(counted.expired).toBe(3);
	expect(counted.waiting).toBe(delivered.waiting - 3);
	const [{ closed } = { closed: -1 }] = await log.ledger.database.query<{
		closed: number;
	}>(
		`select count(*) filter (where s.shard <> 17)::int as closed from sums s where s.bucket < $1`,
		[(log.days[3] as number) / BUCKET_MS],
	);
	expect(closed).toBe(0);

	const own = log.ledger.learner();
	for (const day of log.days.slice(0, 4)) {
		const [again] = await new Learn(own, isRefusal).execute(
			log.messages.get(dayOf(day)) ?? [],
		);
		expect(again?.decisions).toBe(0);
		expect(again?.events).toBe(0);
		if (day < (log.days[3] as number))
			expect(new Set(again?.reasons)).toEqual(new Set(["before horizon"]));
	}
	await own.close();
	await same();
	expect((await run.execute(dayOf(log.days[3] as number))).dropped).toEqual([]);
});

test("replay finds a changed byte in what was folded away", async () => {
	const [first] = log.days as [number];
	await log.flipByte(first / BUCKET_MS);
	expect((await log.verify()).differences).toHaveLength(1);
	await log.flipByte(first / BUCKET_MS);
	expect((await log.verify()).equal).toBe(true);
});

test("sums of the past begin from what was folded away, at no revision below the floor", async () => {
	const reads = new PostgresRevisionReads(
		log.ledger.database,
		log.ledger.store,
	);
	const { floor, revision, closed } = await reads.sumsNow(log.key, 1);
	expect(floor).toBe(revision);
	expect(closed.length).toBeGreaterThan(0);
	const open = (begin: "nothing" | "now") =>
		SumsInTime.open(reads, log.key, 1, revision, begin);
	const forwards = await open("nothing");
	await forwards.moveTo(revision);
	const now = await open("now");
	const named = (sums: readonly { arm: string; bucket: number }[]) =>
		[...sums].sort((a, b) =>
			a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : a.bucket - b.bucket,
		);
	expect(named(forwards.all())).toEqual(named(now.all()));
	await now.moveTo(0);
	expect(now.all()).toEqual([]);
});

test("an erasure takes out what is in the log, and says that what was folded away stays", async () => {
	const [learned] = (await log.verify()).closed;
	const { removed, foldedBefore } = await new PostgresErasure(
		log.ledger.database,
	).erase(["unit-1"], 10_000);
	expect(removed.decisions).toBe(12);
	expect(foldedBefore).toBe(log.days[3]);
	const verification = await log.verify();
	expect(verification.differences).toEqual([]);
	expect(verification.closed[0]).toEqual(learned);
});

test("a reader that holds a day is waited for in short tries, and the day stays where it does not end", async () => {
	const reader = new pg.Client({
		connectionString: log.ledger.connectionString,
	});
	await reader.connect();
	await reader.query("begin; select count(*) from decisions");
	const before = dayOf(log.days[4] as number);
	await expect(log.retention(300).run.execute(before)).rejects.toThrow(
		"nothing was changed",
	);
	const own = log.ledger.learner();
	await new Learn(own, isRefusal).execute(
		log.messages.get(dayOf(log.days[4] as number)) ?? [],
	);
	await own.close();
	await reader.query("rollback");
	await reader.end();
	// An erasure between the merging of the shards and the drop has them merged again.
	const { log: retention } = log.retention();
	const drop = retention.drop.bind(retention);
	let erased = 0;
	retention.drop = async (...day) => {
		if (erased === 0)
			erased = (
				await new PostgresErasure(log.ledger.database).erase(["unit-2"], 10_000)
			).removed.decisions;
		return drop(...day);
	};
	const { dropped } = await new RunRetention(retention, () => {}).execute(
		before,
	);
	expect(erased).toBeGreaterThan(0);
	expect(dropped.map(({ day }) => day)).toEqual([dayOf(log.days[3] as number)]);
	expect((await log.verify()).differences).toEqual([]);
});

test("what waits elsewhere of days before the horizon goes too", async () => {
	await log.ledger.database.query(
		`insert into requests (experiment, kind, key, decision_id, unit, answer, expires_at)
		select 'x', 'request', k.id::text, k.id, 'u', '{}', now() + interval '1 day' from (values
			(segue_id_floor(now() - interval '9 days')), (segue_id_floor(now()))
		) as k (id)`,
	);
	const { log: retention } = log.retention();
	expect((await retention.sweep()).requests).toBe(1);
	expect((await retention.sweep()).requests).toBe(0);
});

test("only one runs at a time", async () => {
	const { log: retention } = log.retention();
	const inner = await retention.alone(async () =>
		log.retention().log.alone(async () => "both"),
	);
	expect(inner).toBeNull();
	expect(await retention.alone(async () => "one")).toBe("one");
});

test("the oldest of ninety days is today's and 89 before it", () => {
	expect(oldestOf(90, Date.UTC(2026, 3, 1, 23))).toBe("2026-01-02");
	expect(oldestOf(1, Date.UTC(2026, 3, 1))).toBe("2026-04-01");
});
