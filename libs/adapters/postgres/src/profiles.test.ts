import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FollowErasures } from "#usecases/erasing";
import { ProfileCache } from "#usecases/profiling";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { GATE } from "./advisory-locks.js";
import { PostgresErasure, PostgresProfiles } from "./index.js";

const PATIENCE_MS = 20_000;

let log: LedgerOfTest;
let profiles: PostgresProfiles;
let erasure: PostgresErasure;
beforeAll(async () => {
	log = await LedgerOfTest.open();
	profiles = new PostgresProfiles(log.database);
	erasure = new PostgresErasure(log.database);
});
afterAll(() => log?.close());

const late = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const has = async (unit: string) => (await profiles.read([unit])).has(unit);

describe("an erasure", () => {
	test("removes the profiles of its units and of no others, and counts them", async () => {
		for (const unit of ["gone-1", "gone-2", "stays"])
			await profiles.put(unit, { v: 1 });
		const { removed } = await erasure.erase(
			["gone-1", "gone-2", "nobody"],
			PATIENCE_MS,
		);
		expect(removed.profiles).toBe(2);
		expect(await has("gone-1")).toBe(false);
		expect(await has("stays")).toBe(true);
		const again = await erasure.erase(["gone-1"], PATIENCE_MS);
		expect(again.removed.profiles).toBe(0);
		const returned = await profiles.put("gone-1", { v: 2 });
		expect(returned.values).toEqual({ v: 2 });
		expect(returned.updatedAt).toBeGreaterThan(again.erasedAt);
	});

	test("comes whole before or after a put: what was put at or before its instant is gone, what came after stays", async () => {
		const rounds = 60;
		for (let i = 0; i < rounds; i++) {
			const unit = `races-${i}`;
			const [put, { erasedAt, removed }] = await Promise.all([
				late(i % 4).then(() => profiles.put(unit, { v: i })),
				erasure.erase([unit], PATIENCE_MS),
			]);
			// A tombstone knows milliseconds.
			const came = Math.floor(put.updatedAt) > erasedAt ? "after" : "before";
			expect({
				came,
				left: await has(unit),
				removed: removed.profiles,
			}).toEqual(
				came === "after"
					? { came, left: true, removed: 0 }
					: { came, left: false, removed: 1 },
			);
		}
	});

	for (const known of [false, true])
		test(`is waited for by a put of ${known ? "another" : "the first"} profile that began before it was committed, whose instant is after it`, async () => {
			const unit = `waits-${known}`;
			if (known) await profiles.put(unit, { v: 0 });
			let put: ReturnType<typeof profiles.put> | undefined;
			let committedAt = 0;
			await log.database.transaction(async (client) => {
				await client.query("select pg_advisory_xact_lock($1, 1)", [GATE]);
				put = profiles.put(unit, { v: 1 });
				await late(100);
				const { rows } = await client.query(
					"select (extract(epoch from clock_timestamp()) * 1000)::float8 as at",
				);
				committedAt = rows[0].at;
			});
			expect((await put)?.updatedAt).toBeGreaterThan(committedAt);
		});

	test("elsewhere is heard of: this decider forgets the unit's profile, and no other's", async () => {
		await profiles.put("heard", { v: 1 });
		await profiles.put("other", { v: 2 });
		const cache = new ProfileCache(profiles);
		const clock = { now: () => Date.now() };
		const remembered = { forget: async () => {} };
		const follow = new FollowErasures(
			erasure,
			remembered,
			clock,
			(error) => {
				throw error;
			},
			(erased) => cache.forgetErased(erased),
		);
		await follow.poll();
		for (const unit of ["heard", "other"])
			expect(await cache.lookUp(unit, 10_000)).toHaveProperty("v");
		await erasure.erase(["heard"], PATIENCE_MS);
		await follow.poll();
		expect(cache.lookUp("other", 10_000)).toEqual({ v: 2 });
		expect(await cache.lookUp("heard", 10_000)).toEqual({});
	});
});

test("the instant of a put grows though the database's clock was set back", async () => {
	await profiles.put("ahead", { v: 1 });
	const [ahead] = await log.database.query<{ at: number }>(
		`update profiles p set updated_at = p.updated_at + interval '1 hour' where p.unit = 'ahead'
		returning (extract(epoch from p.updated_at) * 1000)::float8 as at`,
	);
	const { updatedAt } = await profiles.put("ahead", { v: 2 });
	expect(updatedAt).toBeGreaterThan(ahead?.at ?? Number.POSITIVE_INFINITY);
});

test("changes are found by their instant, and profiles by their unit, whatever there is besides", async () => {
	await log.database.query(
		`insert into profiles (unit, values, updated_at)
		select 'many-' || i, '{"v": 1}', now() - interval '1 day' from generate_series(1, 20000) i`,
	);
	await log.database.query("analyze profiles");
	const planOf = async (sql: string) =>
		JSON.stringify(await log.database.query(`explain (format json) ${sql}`));
	expect(
		await planOf(
			"select p.unit from profiles p where p.updated_at > now() - interval '10 s' order by p.updated_at limit 5001",
		),
	).toContain("profiles_updated_at");
	expect(
		await planOf("select p.unit from profiles p where p.unit = any ('{a,b}')"),
	).toContain("profiles_pkey");
});
