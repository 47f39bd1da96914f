import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConsentStore } from "#usecases/consenting";
import type { ProfileStore, UnitChanges } from "#usecases/profiling";

export interface ConsentsHarness {
	readonly consents: ConsentStore & UnitChanges;
	readonly profiles: ProfileStore & UnitChanges;
	/** Lets time go by. */
	pass(ms: number): Promise<void>;
	stop(): Promise<void>;
}

/** What whoever keeps consents must do. */
export function consentsSuite(
	name: string,
	start: () => Promise<ConsentsHarness>,
): void {
	describe(`${name} consents`, () => {
		let harness: ConsentsHarness;
		beforeAll(async () => {
			harness = await start();
		});
		afterAll(() => harness?.stop());

		const yes = {
			answers: { personalization: true, location: false },
			jurisdiction: "eu",
			ageAtLeast: 16,
		};
		const less = { answers: {}, jurisdiction: null, ageAtLeast: null };

		test("are read as they were put, each put replacing the one before", async () => {
			const { consents } = harness;
			const put = await consents.put("whole", yes, []);
			expect(put.values).toEqual({ ...yes, since: expect.any(Number) });
			const read = await consents.read(["whole", "nobody", "Whole"]);
			expect([...read]).toEqual([["whole", put]]);
			const next = await consents.put("whole", less, []);
			expect(next.values).toMatchObject(less);
			expect((await consents.read(["whole"])).get("whole")).toEqual(next);
		});

		test("stand since the last change of any of it, and a put of the same moves only its instant", async () => {
			const { consents, pass } = harness;
			const put = (change: object) =>
				consents.put("stands", { ...yes, ...change }, []);
			const first = await put({});
			await pass(5);
			const same = await put({
				answers: { location: false, personalization: true },
			});
			expect(same.values.since).toBe(first.values.since);
			expect(same.updatedAt).toBeGreaterThan(first.updatedAt);
			let before = same;
			for (const change of [
				{ answers: { personalization: true } },
				{ answers: { personalization: false } },
				{ jurisdiction: "us" },
				{ ageAtLeast: 13 },
				{ jurisdiction: null },
			]) {
				await pass(5);
				const changed = await put(change);
				expect(changed.values.since).toBeGreaterThan(before.values.since);
				before = changed;
			}
		});

		test("that were put since an instant are named", async () => {
			const { consents, pass } = harness;
			const { now } = await consents.changedSince(null);
			await pass(5);
			const { updatedAt } = await consents.put("after", yes, []);
			const since = await consents.changedSince(now);
			expect(since.changed).toEqual([{ unit: "after", updatedAt }]);
			expect((await consents.changedSince(since.now)).changed).toEqual([]);
		});

		test("take features out of the unit's profile, and of no other's; who keeps it hears of that", async () => {
			const { consents, profiles, pass } = harness;
			const values = { loyalty: 1, tempo: 120 };
			for (const unit of ["stripped", "other"])
				await profiles.put(unit, values);
			const { now } = await profiles.changedSince(null);
			await pass(5);
			await consents.put("stripped", less, ["loyalty", "taste"]);
			const read = await profiles.read(["stripped", "other"]);
			expect(read.get("stripped")?.values).toEqual({ tempo: 120 });
			expect(read.get("other")?.values).toEqual(values);
			const { changed } = await profiles.changedSince(now);
			expect(changed?.map(({ unit }) => unit)).toEqual(["stripped"]);
		});
	});
}
