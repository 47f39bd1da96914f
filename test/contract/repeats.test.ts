import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { MemoryClock, MemoryRepeats } from "#adapters/memory";
import { Database, forgetRepeats, PostgresRepeats } from "#adapters/postgres";
import type { RepeatableAsk } from "#usecases/deciding";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startProxy } from "../support/tcp-proxy.js";
import { repeatsSuite } from "./repeats.suite.js";

repeatsSuite("Memory", async () => {
	const stored = new Set<string>();
	const clock = new MemoryClock(0);
	const repeats = new MemoryRepeats(clock, (id) => stored.has(id));
	return {
		deciders: [repeats, repeats],
		store: async (row) => void stored.add(row.id),
		pass: async (ms) => clock.advance(ms),
		stop: async () => {},
	};
});

/** A decider's own pool of connections to the keys. */
function poolOn({ connectionString }: TestDatabase) {
	return new Database({ connectionString, applicationName: "test", most: 3 });
}

repeatsSuite("Postgres", async () => {
	const database = await createTestDatabase({ migrated: true });
	const pools = [poolOn(database), poolOn(database)] as const;
	const [here, there] = pools;
	return {
		deciders: [new PostgresRepeats(here), new PostgresRepeats(there)],
		// Whether it is there is all that is looked at.
		store: async ({ id }) =>
			void (await here.query(
				`insert into decisions select r.* from jsonb_populate_record(null::decisions, jsonb_build_object(
					'id', $1::text, 'experiment', 'repeats', 'version', 1, 'definition_id', 1, 'unit', 'unit-1',
					'assigned_group', 'policy', 'arm', 'a', 'propensity', 1, 'distribution', 'policy', 'context', '{}'::jsonb,
					'x', '', 'eligible', '', 'excluded', '{}'::jsonb, 'means', '', 'propensities', '', 'missing', '[]'::jsonb,
					'degraded', '[]'::jsonb, 'decided_at', now(), 'origin', 'server', 'revision', 0, 'reference_bucket', 0,
					'core_version', 'e1k1d1', 'batch', 1, 'boot', $1::text, 'sequence', 1, 'stored_at', now()
				)) as r`,
				[id],
			)),
		pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
		stop: async () => {
			for (const pool of pools) await pool.close();
			await database.drop();
		},
	};
});

describe("Postgres", () => {
	let database: TestDatabase;
	let pool: Database;
	beforeAll(async () => {
		database = await createTestDatabase({ migrated: true });
		pool = poolOn(database);
	});
	afterAll(async () => {
		await pool.close();
		await database.drop();
	});

	const answer = {
		decisionId: "019a0000-0000-7000-8000-000000000001",
		experiment: "repeats",
		version: 1,
		arm: "a",
		payload: {},
		propensity: 1,
		group: "policy" as const,
		revision: 0,
		missing: [],
		ignored: [],
		degraded: [],
	};
	const ask = (
		key: string,
		more: Partial<RepeatableAsk> = {},
		spanMs = 3_600_000,
	): RepeatableAsk => ({
		experiment: "repeats",
		unit: "u",
		request: null,
		sticky: { kind: "unit", key, spanMs, arms: ["a"], payloadAt: () => ({}) },
		decision: { row: null, answer },
		...more,
	});

	test("a repeated ask writes nothing", async () => {
		const repeats = new PostgresRepeats(pool);
		await repeats.keep(ask("read only"), 10_000);
		const version = async () =>
			(
				await pool.query(
					"select r.xmin::text, r.xmax::text, r.ctid::text from requests r where r.key = 'read only'",
				)
			)[0];
		const before = await version();
		const later = ask("read only", { decision: null });
		for (let i = 0; i < 5; i++) await repeats.keep(later, 10_000);
		expect(await version()).toEqual(before);
	});

	test("keys whose time is over are forgotten, in as many statements as it takes, and no others", async () => {
		await pool.query("delete from requests");
		const repeats = new PostgresRepeats(pool);
		const keys = Array.from({ length: 25 }, (_, i) => i);
		await Promise.all(
			keys.map((i) =>
				repeats.keep(ask(`old ${i}`, {}, i < 20 ? 1 : 60_000), 10_000),
			),
		);
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(await forgetRepeats(pool, 7)).toBe(20);
		expect(await forgetRepeats(pool, 7)).toBe(0);
		const left = await pool.query<{ n: number }>(
			"select count(*)::int as n from requests",
		);
		expect(left).toEqual([{ n: 5 }]);
	});

	test("a decision with a very large context is refused rather than kept", async () => {
		const repeats = new PostgresRepeats(pool);
		const payload = { text: "x".repeat(300_000) };
		const large = { row: null, answer: { ...answer, payload } };
		await expect(
			repeats.keep(ask("large", { decision: large }), 10_000),
		).rejects.toThrow("at most 262144 are kept");
	});

	test("payloads that together are larger than a definition are refused rather than sent", async () => {
		const repeats = new PostgresRepeats(pool);
		const arms = Array.from({ length: 140 }, (_, i) => `arm ${i}`);
		const payloadAt = () => ({ text: "x".repeat(16_000) });
		const { sticky } = ask("payloads");
		const large = { ...sticky!, arms, payloadAt };
		const request = { key: "payloads", hash: "cd".repeat(32), spanMs: 60_000 };
		await expect(
			repeats.keep(ask("payloads", { sticky: large, request }), 10_000),
		).rejects.toThrow("at most 2097152 are looked through");
		expect(
			await repeats.keep(ask("payloads", { sticky: large }), 10_000),
		).toBeNull();
	});

	test("explanations that wait together go by a few in a statement, and beyond a bound of bytes are refused", async () => {
		const sent: number[] = [];
		const bytesOf = (value: unknown): number =>
			Array.isArray(value)
				? value.reduce((sum, one) => sum + bytesOf(one), 0)
				: typeof value === "string" || Buffer.isBuffer(value)
					? Buffer.byteLength(value)
					: 0;
		const repeats = new PostgresRepeats({
			query: async (_: string, values: unknown[] = []) => {
				sent.push(bytesOf(values));
				return [];
			},
		});
		const explanation = { x: "x".repeat(400_000) } as never;
		const request = { key: "waits", hash: "cd".repeat(32), spanMs: 60_000 };
		const large = { row: null, answer: { ...answer, explanation } };
		const asks = Array.from({ length: 200 }, () =>
			repeats
				.keep(ask("waits", { request, decision: large }), 10_000)
				.catch((error) => error.message),
		);
		const answers = await Promise.all(asks);
		const kept = answers.filter((one) => one === null).length;
		expect(new Set(answers.slice(kept))).toEqual(
			new Set(["The database did not answer in time."]),
		);
		expect(kept).toBe(Math.floor((64 * 1_024 * 1_024) / (sent[0]! / 2)));
		expect(sent).toHaveLength(Math.ceil(kept / 2));
		expect(Math.max(...sent)).toBeLessThanOrEqual(1_024 * 1_024);
	});

	test("a long explanation is kept under a requestId, and hinders no decision from standing for its unit", async () => {
		const repeats = new PostgresRepeats(pool);
		const explanation = { x: new Array(300_000).fill(0.5) } as never;
		const id = "019a0000-0000-7000-8000-000000000003";
		const explained = { ...answer, decisionId: id, explanation };
		const request = { key: "long", hash: "ef".repeat(32), spanMs: 60_000 };
		const decision = { row: null, answer: explained };
		for (const [key, keys] of [
			["alone", {}],
			["long", { request }],
		] as const) {
			const asked = ask(key, { decision, ...keys });
			expect(await repeats.keep(asked, 10_000)).toBeNull();
			const stuck = await repeats.keep(ask(key), 10_000);
			expect(stuck?.answer).toEqual({ ...answer, decisionId: id });
		}
		const named = ask("other", { request });
		expect((await repeats.keep(named, 10_000))?.answer).toEqual(explained);
	});

	test("of several asks for one unit in a statement the first is kept, whatever their requestIds and their neighbours", async () => {
		const repeats = new PostgresRepeats(pool);
		const units = ["first c", "first a", "first b"];
		const idOf = (i: number) =>
			`019a0000-0000-7000-8000-0000000001${i.toString().padStart(2, "0")}`;
		const results = await Promise.all(
			Array.from({ length: 30 }, (_, i) => {
				const request = {
					key: `first ${99 - i}`,
					hash: "ef".repeat(32),
					spanMs: 60_000,
				};
				const decision = {
					row: null,
					answer: { ...answer, decisionId: idOf(i) },
				};
				return repeats.keep(
					ask(units[i % 3] as string, { request, decision }),
					10_000,
				);
			}),
		);
		expect(results.map((one) => one?.answer.decisionId ?? null)).toEqual(
			results.map((_, i) => (i < 3 ? null : idOf(i % 3))),
		);
	});

	test("however many keys are asked for, they share 1,024 locks, which hold as long as the statement", async () => {
		const stripes = new Set<number>();
		const repeats = new PostgresRepeats({
			query: (text: string, values: unknown[] = []) =>
				pool.transaction(async (client) => {
					const { rows } = await client.query(text, values);
					const locks = await client.query<{ objid: number; mode: string }>(
						"select objid::int, mode from pg_locks where pid = pg_backend_pid() and locktype = 'advisory' and classid = 7306",
					);
					expect(locks.rows.length).toBeGreaterThan(0);
					for (const { objid, mode } of locks.rows) {
						expect(mode).toBe("ExclusiveLock");
						stripes.add(objid);
					}
					return rows;
				}),
		});
		await Promise.all(
			Array.from({ length: 4_000 }, (_, i) => {
				const request = {
					key: `stripe ${i}`,
					hash: "ef".repeat(32),
					spanMs: 60_000,
				};
				return repeats.keep(ask(`striped ${i}`, { request }), 60_000);
			}),
		);
		expect(Math.max(...stripes)).toBeLessThan(1_024);
		expect(stripes.size).toBeGreaterThan(1_000);
	});

	test("a key that somebody keeps beside its lock, as deciders before the lock did, is waited for and found", async () => {
		const repeats = new PostgresRepeats(pool);
		const other = poolOn(database);
		const id = "019a0000-0000-7000-8000-000000000002";
		let asked: ReturnType<PostgresRepeats["keep"]> | undefined;
		await other.transaction(async (client) => {
			await client.query(
				`insert into requests (experiment, kind, key, unit, decision_id, answer, expires_at)
				values ('repeats', 'unit', 'beside', 'u', $1, $2, now() + interval '1 hour')`,
				[id, JSON.stringify({ ...answer, decisionId: id })],
			);
			const request = { key: "beside", hash: "cd".repeat(32), spanMs: 60_000 };
			asked = repeats.keep(ask("beside", { request }), 10_000);
			await vi.waitFor(async () => {
				const waiting = await other.query(
					"select 1 from pg_locks l join pg_stat_activity s using (pid) where l.locktype = 'transactionid' and not l.granted and s.datname = current_database()",
				);
				expect(waiting).toHaveLength(1);
			}, 10_000);
		});
		expect((await asked)?.answer.decisionId).toBe(id);
		await other.close();
	});

	test("a database that does not answer costs an ask its time, and those after it none while all statements hang", async () => {
		const holding = poolOn(database);
		await holding.transaction(async (client) => {
			await client.query("lock table requests in access exclusive mode");
			const repeats = new PostgresRepeats(pool);
			const waits = 60;
			const hung = await Promise.all(
				Array.from({ length: 400 }, (_, i) =>
					repeats.keep(ask(`hung ${i}`), waits).catch((error) => error.message),
				),
			);
			expect(new Set(hung)).toEqual(
				new Set(["The database did not answer in time."]),
			);
			const later = repeats.keep(ask("later"), waits / 2);
			const turn = new Promise((resolve) => setTimeout(resolve, 0, "a turn"));
			expect(await Promise.race([later.catch(() => "refused"), turn])).toBe(
				"refused",
			);
		});
		await holding.close();
		const repeats = new PostgresRepeats(pool);
		expect(await repeats.keep(ask("after"), 10_000)).toBeNull();
	});

	test("a database that is away is told of once a second, not once an ask", async () => {
		const address = new URL(database.connectionString);
		const proxy = await startProxy({
			host: address.hostname,
			port: Number(address.port),
		});
		await proxy.cut();
		address.port = String(proxy.port);
		const away = poolOn({ ...database, connectionString: address.href });
		const told: unknown[] = [];
		const repeats = new PostgresRepeats(away, (error) => told.push(error));
		for (let i = 0; i < 20; i++)
			await expect(repeats.keep(ask(`away ${i}`), 10_000)).rejects.toThrow();
		expect(told.length).toBeGreaterThanOrEqual(1);
		expect(told.length).toBeLessThan(20);
		await away.close();
	});
});
