import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeadLetters, KeptLetter } from "#usecases/redriving";

export interface DeadLettersHarness {
	readonly letters: DeadLetters;
	/** As a learner stores one, received at the instant. Returns its id. */
	add(
		letter: Pick<KeptLetter, "subject" | "reason" | "payload" | "receivedAt">,
	): Promise<number>;
	stop(): Promise<void>;
}

const SUBJECT = "segue.events.play";
const idsOf = (letters: readonly KeptLetter[]) => letters.map(({ id }) => id);

/** What every adapter of the port DeadLetters must do. */
export function deadLettersSuite(
	name: string,
	start: () => Promise<DeadLettersHarness>,
): void {
	describe(`${name} as DeadLetters`, () => {
		let harness: DeadLettersHarness;
		let ids: number[];
		const payload = Uint8Array.of(0, 255, 10);

		beforeAll(async () => {
			harness = await start();
			const add = (reason: string, receivedAt: number) =>
				harness.add({ subject: SUBJECT, reason, payload, receivedAt });
			ids = [
				await add("bad event: at: Required, but missing.", 1_000_000),
				await add("future: at is ahead", 2_000_000),
				await add("bad pack: no list", 3_000_000),
				await add("bad event: 100 % wrong_", 4_000_000),
			];
		});
		afterAll(() => harness.stop());

		it("shows the newest first, to the byte and to the bound", async () => {
			const [first, ...others] = await harness.letters.newest({}, 2);
			expect(first).toMatchObject({
				id: ids[3],
				subject: SUBJECT,
				reason: "bad event: 100 % wrong_",
				receivedAt: 4_000_000,
				redrivenAt: null,
				redrives: 0,
			});
			expect([...(first as KeptLetter).payload]).toEqual([...payload]);
			expect(idsOf(others)).toEqual([ids[2]]);
		});

		it.each([
			["by what the reason begins with", { reason: "bad event" }, [0, 3]],
			[
				"by the reason to the letter",
				{ reason: "bad event: 100 % wrong_" },
				[3],
			],
			["not by what is only in it", { reason: "event" }, []],
			["not by a pattern", { reason: "bad%" }, []],
			["since an instant, which is included", { since: 3_000_000 }, [2, 3]],
			[
				"by two conditions at once",
				{ reason: "bad", since: 2_000_000 },
				[2, 3],
			],
		])("chooses %s", async (_, filter, places) => {
			const expected = places.map((place) => ids[place]);
			const all = await harness.letters.page(filter, 0, 1_000_000, 10);
			expect(idsOf(all)).toEqual(expected);
			const newest = await harness.letters.newest(filter, 10);
			expect(idsOf(newest)).toEqual(expected.reverse());
		});

		it("goes page by page in order, up to a last id", async () => {
			const { letters } = harness;
			expect(await letters.lastId()).toBe(ids[3]);
			const first = await letters.page({}, 0, ids[2] as number, 2);
			expect(idsOf(first)).toEqual(ids.slice(0, 2));
			const rest = await letters.page(
				{},
				ids[1] as number,
				ids[2] as number,
				2,
			);
			expect(idsOf(rest)).toEqual([ids[2]]);
			const some = { ids: [ids[3] as number, ids[0] as number, 999_999] };
			expect(idsOf(await letters.page(some, 0, 1_000_000, 9))).toEqual([
				ids[0],
				ids[3],
			]);
		});

		it("marks once, whoever repeats it, and then only those that wait are chosen where asked", async () => {
			const { letters } = harness;
			const one = { id: ids[1] as number, redrives: 0 };
			await letters.mark([one, one]);
			await letters.mark([one]);
			const [marked] = await letters.newest({ ids: [one.id] }, 1);
			expect(marked).toMatchObject({ redrives: 1 });
			expect(marked?.redrivenAt).toBeGreaterThan(4_000_000);
			expect(await letters.newest({ ids: [one.id], waiting: true }, 1)).toEqual(
				[],
			);
			await letters.mark([{ id: one.id, redrives: 1 }]);
			expect(await letters.newest({ ids: [one.id] }, 1)).toMatchObject([
				{ redrives: 2 },
			]);
		});
	});
}
