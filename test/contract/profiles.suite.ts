import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ProfileStore, UnitChanges } from "#usecases/profiling";

export interface ProfilesHarness {
	readonly profiles: ProfileStore & UnitChanges;
	/** The same, naming two changes at most. */
	readonly forgetful: UnitChanges;
	/** Lets time go by. */
	pass(ms: number): Promise<void>;
	stop(): Promise<void>;
}

/** What whoever keeps profiles must do. */
export function profilesSuite(
	name: string,
	start: () => Promise<ProfilesHarness>,
): void {
	describe(`${name} profiles`, () => {
		let harness: ProfilesHarness;
		beforeAll(async () => {
			harness = await start();
		});
		afterAll(() => harness?.stop());

		const values = {
			tier: "paid",
			premium: true,
			share: 0.1,
			taste: Array.from({ length: 256 }, (_, i) => Math.sin(i) / 3),
		};

		test("are answered bit for bit as they were put, each put replacing the one before", async () => {
			const { profiles } = harness;
			const put = await profiles.put("whole", values);
			expect(put.values).toEqual(values);
			expect(put.bytes).toBeGreaterThan(256);
			const read = await profiles.read(["whole", "nobody", "Whole"]);
			expect([...read]).toEqual([["whole", put]]);
			const less = await profiles.put("whole", { premium: false });
			expect(less.values).toEqual({ premium: false });
			expect((await profiles.read(["whole"])).get("whole")).toEqual(less);
		});

		test("have an instant that grows with each put, however many come at once", async () => {
			const { profiles } = harness;
			const puts = await Promise.all(
				Array.from({ length: 20 }, (_, v) => profiles.put("often", { v })),
			);
			const instants = puts.map(({ updatedAt }) => updatedAt);
			expect(new Set(instants).size).toBe(20);
			const last = (await profiles.read(["often"])).get("often");
			expect(last?.updatedAt).toBe(Math.max(...instants));
			expect(last?.values).toEqual(
				puts.find(({ updatedAt }) => updatedAt === last?.updatedAt)?.values,
			);
		});

		test("that were put since an instant are named, with the instant that a read shows", async () => {
			const { profiles, pass } = harness;
			await profiles.put("before", { v: 1 });
			await pass(5);
			const { now, changed } = await profiles.changedSince(null);
			expect(changed).toEqual([]);
			await pass(5);
			const { updatedAt } = await profiles.put("after", { v: 1 });
			const since = await profiles.changedSince(now);
			expect(since.changed).toEqual([{ unit: "after", updatedAt }]);
			expect(since.now).toBeGreaterThanOrEqual(updatedAt);
			expect((await profiles.changedSince(since.now)).changed).toEqual([]);
		});

		test("that are too many to name are not named", async () => {
			const { profiles, forgetful, pass } = harness;
			const { now } = await profiles.changedSince(null);
			await pass(5);
			await profiles.put("one", {});
			await profiles.put("two", {});
			expect((await forgetful.changedSince(now)).changed).toHaveLength(2);
			await profiles.put("three", {});
			expect((await forgetful.changedSince(now)).changed).toBeNull();
		});
	});
}
