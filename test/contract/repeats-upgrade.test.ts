import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Database, PostgresRepeats } from "#adapters/postgres";
import type { DrawnDecision, RepeatableAsk } from "#usecases/deciding";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

/** What deciders before migration 0028 send, word for word: while an upgrade rolls they keep beside the new ones. */
const earlierSql = `with asked as materialized (
		select a.*, r.decision_id as standing_id, r.request_hash as standing_hash, r.answer as standing_answer, r.row as standing_row
		from unnest(
			$1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::float8[], $7::uuid[], $8::uuid[], $9::json[], $10::bytea[]
		) with ordinality as a (experiment, kind, key, unit, request_hash, span_ms, replaced, decision_id, answer, row, place)
		left join requests r on r.experiment = a.experiment and r.kind = a.kind and r.key = a.key
			and r.expires_at > now() and r.decision_id is distinct from a.replaced
	), kept as (
		insert into requests as r (experiment, kind, key, unit, request_hash, replaced, decision_id, answer, row, expires_at)
		select distinct on (a.experiment, a.kind, a.key) a.experiment, a.kind, a.key, a.unit, a.request_hash, a.replaced,
			a.decision_id, a.answer, a.row, now() + a.span_ms * interval '1 millisecond'
		from asked a
		where a.decision_id is not null and a.standing_id is null
		order by a.experiment, a.kind, a.key, a.place
		on conflict (experiment, kind, key) do update set unit = excluded.unit, request_hash = excluded.request_hash,
			replaced = excluded.replaced, decision_id = excluded.decision_id, answer = excluded.answer, row = excluded.row,
			expires_at = excluded.expires_at
		where r.expires_at <= now() or r.decision_id = excluded.replaced
		returning r.experiment, r.kind, r.key, r.decision_id
	)
	select a.place::int, '' as key, a.standing_id as decision_id, a.standing_hash as request_hash, a.standing_answer as answer,
		case when segue_is_logged(a.standing_id) then null else a.standing_row end as row
	from asked a where a.standing_id is not null
	union all
	select null, k.experiment || ' ' || k.kind || ' ' || k.key, k.decision_id, null, null, null from kept k`;

let database: TestDatabase;
let pool: Database;
let repeats: PostgresRepeats;
beforeAll(async () => {
	database = await createTestDatabase({ migrated: true });
	pool = new Database({
		connectionString: database.connectionString,
		applicationName: "test",
		most: 3,
	});
	repeats = new PostgresRepeats(pool);
});
afterAll(async () => {
	await pool.close();
	await database.drop();
});

let made = 0;
/** As `answerDrawn` makes it; what a client may name says that another arm was drawn. */
function anAnswer(arm: string): DrawnDecision {
	made += 1;
	return {
		decisionId: `019a0000-0000-7000-8000-${made.toString().padStart(12, "0")}`,
		experiment: "repeats",
		version: 12,
		arm,
		payload: { drawn: arm, arm: "z" },
		propensity: 1,
		group: "policy",
		revision: 0,
		missing: [],
		ignored: ["nul \u0000", '"arm":"z"'],
		degraded: [],
	};
}

const HASH = "ab".repeat(32);
const HOUR_MS = 3_600_000;
const request = (key: string, spanMs = HOUR_MS) => ({
	key,
	hash: HASH,
	spanMs,
});
const unit = (key: string, arms: readonly string[]) => ({
	kind: "unit" as const,
	key,
	spanMs: HOUR_MS,
	arms,
	payloadAt: (place: number) => ({ now: arms[place]! }),
});

const keep = (
	answer: DrawnDecision | null,
	keys: Partial<Pick<RepeatableAsk, "request" | "sticky">>,
) =>
	repeats.keep(
		{
			experiment: "repeats",
			unit: "u",
			request: null,
			sticky: null,
			...keys,
			decision: answer && { answer, row: null },
		},
		10_000,
	);

/** Keeps as an earlier decider does, in place of the decision `replaced` where its arm may not stand any more. */
async function keepEarlier(
	kind: "request" | "unit",
	key: string,
	answer: DrawnDecision,
	replaced: string | null = null,
): Promise<void> {
	const records = await pool.query<{ place: number | null }>(earlierSql, [
		["repeats"],
		[kind],
		[key],
		["u"],
		[kind === "request" ? Buffer.from(HASH, "hex") : null],
		[HOUR_MS],
		[replaced],
		[answer.decisionId],
		[JSON.stringify(answer)],
		[null],
	]);
	expect(records).toMatchObject([{ place: null }]);
}

test("a decision that an earlier decider put in the place of a unit's stands by its own arm", async () => {
	const [first, second] = [anAnswer("a"), anAnswer("b")];
	expect(await keep(first, { sticky: unit("u", ["a", "b"]) })).toBeNull();
	await keepEarlier("unit", "u", second, first.decisionId);
	const keys = { request: request("r"), sticky: unit("u", ["b", "c"]) };
	expect((await keep(anAnswer("c"), keys))?.answer).toEqual(second);
	expect(await keep(anAnswer("c"), keys)).toMatchObject({
		under: "request",
		answer: { ...second, payload: { now: "b" }, repeated: true },
	});
	const third = anAnswer("a");
	expect(await keep(third, { sticky: unit("u", ["a", "c"]) })).toBeNull();
	const stuck = await keep(null, { sticky: unit("u", ["a", "c"]) });
	expect(stuck?.answer).toEqual(third);
});

test("a unit's decision that an earlier decider kept first stands by its arm, and gives way where that may not", async () => {
	const [first, second] = [anAnswer("a"), anAnswer("b")];
	await keepEarlier("unit", "first", first);
	const stuck = await keep(second, { sticky: unit("first", ["a", "b"]) });
	expect(stuck?.answer).toEqual(first);
	expect(await keep(second, { sticky: unit("first", ["b", "z"]) })).toBeNull();
});

test("an answer that an earlier decider keeps under a requestId whose time is over goes out as it was kept", async () => {
	const drawn = anAnswer("a");
	const sticky = unit("over", ["a"]);
	await keep(drawn, { sticky });
	const again = { payload: { earlier: true }, repeated: true as const };
	// Another decision, and the unit's own as it went out again.
	for (const [key, answer] of [
		["another", anAnswer("b")],
		["own", { ...drawn, ...again }],
	] as const) {
		await keep(anAnswer("c"), { request: request(key, 1), sticky });
		await expect.poll(() => keep(null, { request: request(key) })).toBeNull();
		await keepEarlier("request", key, answer);
		const standing = await keep(null, { request: request(key) });
		expect(JSON.stringify(standing?.answer)).toBe(JSON.stringify(answer));
	}
});

test("keys are kept in the order in which an earlier decider keeps them, so that neither waits for the other in a circle", async () => {
	const keys = ["1", "2", "3"].map((name) => `order ${name}`);
	const earlier = keys.map(() => anAnswer("a"));
	const insert = (i: number) => ({
		text: `insert into requests (experiment, kind, key, unit, decision_id, answer, expires_at)
			values ('repeats', 'unit', $1, 'u', $2, $3, now() + interval '1 hour')`,
		values: [keys[i], earlier[i]!.decisionId, JSON.stringify(earlier[i])],
	});
	let asked: ReturnType<typeof keep>[] = [];
	await pool.transaction(async (client) => {
		await client.query(insert(0));
		// In one turn, so in one statement; it comes to the first key and waits for this transaction.
		asked = [...keys]
			.reverse()
			.map((key) => keep(anAnswer("b"), { sticky: unit(key, ["a", "b"]) }));
		await vi.waitFor(async () => {
			const waiting = await pool.query(
				"select 1 from pg_locks l join pg_stat_activity s using (pid) where l.locktype = 'transactionid' and not l.granted and s.datname = current_database()",
			);
			expect(waiting).toHaveLength(1);
		}, 10_000);
		await client.query("set local lock_timeout = '100ms'");
		await client.query(insert(1));
		await client.query(insert(2));
	});
	const answers = (await Promise.all(asked)).map((one) => one?.answer);
	expect(answers.reverse()).toEqual(earlier);
});
