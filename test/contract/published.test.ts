import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
	Database,
	forgetPublished,
	PostgresPublishedGaps,
	PostgresPublishedPacks,
} from "#adapters/postgres";
import type { GapsSeen } from "#usecases/watching";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { seededRandom, shuffled } from "../support/random.js";

const quiet = { recovered: 0, alarmed: [], givenUp: [], open: [], missing: 0 };
const failNever = (what: string, error: unknown) => {
	throw new Error(what, { cause: error });
};

describe("what deciders published and learners took", () => {
	let own: TestDatabase;
	let database: Database;
	let gaps: PostgresPublishedGaps;
	let boot: string;

	beforeAll(async () => {
		own = await createTestDatabase({ migrated: true });
		const { connectionString } = own;
		database = new Database({ connectionString, applicationName: "test" });
		gaps = new PostgresPublishedGaps(database);
	});
	beforeEach(async () => {
		await database.query("truncate published, published_gaps");
		boot = randomUUID();
	});
	afterAll(async () => {
		await database.close();
		await own.drop();
	});

	const going = new AbortController().signal;
	const learner = () => new PostgresPublishedPacks(database, failNever, going);
	const take = (...sequences: number[]) =>
		learner().record(sequences.map((sequence) => ({ boot, sequence })));
	const taken = async () =>
		(
			await database.query<{ taken: string }>(
				"select p.taken::text as taken from published p where p.boot = $1",
				[boot],
			)
		)[0]?.taken;
	const inWords = ({ alarmed, ...seen }: GapsSeen) => ({
		...seen,
		alarmed: alarmed.map(({ first, last, packs }) => [first, last, packs]),
		open: seen.open.map(({ first, last, packs }) => [first, last, packs]),
	});

	it("is one range a decider, whatever the order, the repeats and the number of learners", async () => {
		const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
		console.log(`published: SEED=${seed}`);
		const learners = [learner(), learner(), learner(), learner()];
		const boots = [boot, randomUUID(), randomUUID()];
		const packs = boots.flatMap((one) =>
			Array.from({ length: 200 }, (_, i) => ({ boot: one, sequence: i + 1 })),
		);
		const twice = shuffled([...packs, ...packs], seededRandom(seed));
		await Promise.all(
			learners.map(async (one, i) => {
				for (let from = i * 300; from < (i + 1) * 300; from += 30)
					await one.record(twice.slice(from, from + 30));
			}),
		);
		const rows = await database.query(
			"select p.taken::text as taken from published p",
		);
		expect(rows).toEqual(boots.map(() => ({ taken: "{[1,201)}" })));
		expect(await gaps.look(0)).toEqual(quiet);
	});

	it("says nothing of packs that are only behind, and of those newer than any that came", async () => {
		await take(1, 2, 3);
		await take(7, 9);
		expect(await gaps.look(60_000)).toEqual(quiet);
		await take(4, 5, 6, 8);
		expect(await gaps.look(0)).toEqual(quiet);
		expect(await taken()).toBe("{[1,10)}");
	});

	it("names a gap once it lasted: at the beginning as in the middle, once, and for as long as it is open", async () => {
		await take(3, 4, 8, 10);
		const first = await gaps.look(0);
		expect(inWords(first)).toEqual({
			recovered: 0,
			givenUp: [],
			alarmed: [[1, 9, 6]],
			open: [[1, 9, 6]],
			missing: 6,
		});
		expect(first.alarmed[0]).toMatchObject({ boot });
		const { noticedAt } = first.alarmed[0] as { noticedAt: number };
		expect(Math.abs(noticedAt - Date.now())).toBeLessThan(60_000);
		expect(inWords(await gaps.look(0))).toMatchObject({
			alarmed: [],
			open: [[1, 9, 6]],
			missing: 6,
		});
		await take(12);
		expect(inWords(await gaps.look(0))).toMatchObject({
			alarmed: [[11, 11, 1]],
			missing: 7,
		});
	});

	it("counts what arrives after all as recovered, bit by bit, and closes the gap by itself", async () => {
		await take(1, 5);
		await gaps.look(0);
		await take(3);
		expect(inWords(await gaps.look(0))).toMatchObject({
			recovered: 1,
			open: [[2, 4, 2]],
			missing: 2,
		});
		await take(2, 4);
		expect(inWords(await gaps.look(0))).toMatchObject({
			recovered: 2,
			open: [],
			missing: 0,
		});
		expect(await gaps.look(0)).toEqual(quiet);
	});

	it("is noted by one of several who look at once, and seen by all", async () => {
		await take(2);
		const others = [1, 2, 3, 4].map(() => new PostgresPublishedGaps(database));
		const seen = await Promise.all(others.map((one) => one.look(0)));
		expect(seen.flatMap(({ alarmed }) => alarmed).length).toBe(1);
		const later = await Promise.all(others.map((one) => one.look(0)));
		expect(later.map(({ missing }) => missing)).toEqual([1, 1, 1, 1]);
	});

	it("is not waited for after a week, and says so", async () => {
		await take(2, 4);
		await gaps.look(0);
		await database.query(
			"update published_gaps set noticed_at = noticed_at - interval '8 days'",
		);
		const seen = await gaps.look(0);
		expect(seen.givenUp).toMatchObject([{ boot, first: 1, last: 3, packs: 2 }]);
		expect(seen.missing).toBe(0);
		expect(await gaps.look(0)).toEqual(quiet);
		await take(1);
		expect(await gaps.look(0)).toEqual(quiet);
	});

	it("stays bounded where a decider leaves holes without end", async () => {
		for (let round = 0; round < 3; round++) {
			await take(
				...Array.from({ length: 600 }, (_, i) => 2 * (round * 600 + i) + 2),
			);
			const { givenUp, missing } = await gaps.look(0);
			expect(givenUp.length).toBe(1);
			expect(missing).toBe(0);
		}
		expect(await taken()).toBe("{[1,3601)}");
	});

	it("is forgotten a quarter of a year after the decider's last pack", async () => {
		await take(1, 2);
		await forgetPublished(database);
		expect(await taken()).toBe("{[1,3)}");
		await database.query(
			"update published set last_at = last_at - interval '91 days'",
		);
		await forgetPublished(database);
		expect(await taken()).toBeUndefined();
	});

	/** A database that rejects with what `fault` gives, until that is null. */
	function failing(fault: () => Error | null, stopping = going) {
		const troubles: string[] = [];
		const query = (...call: Parameters<Database["query"]>) => {
			const error = fault();
			return error === null ? database.query(...call) : Promise.reject(error);
		};
		const packs = new PostgresPublishedPacks(
			{ query } as Pick<Database, "query">,
			(what) => troubles.push(what),
			stopping,
		);
		return { packs, troubles };
	}

	it("is kept where the database refuses it, and stored with the next", async () => {
		let refusal: Error | null = new Error("permission denied");
		const { packs, troubles } = failing(() => refusal);
		await packs.record([{ boot, sequence: 1 }]);
		await packs.record([{ boot, sequence: 3 }]);
		expect(troubles.length).toBe(2);
		refusal = null;
		await packs.record([{ boot, sequence: 2 }]);
		expect(await taken()).toBe("{[1,4)}");
	});

	it.each([
		["is away", "ECONNREFUSED"],
		["is slow", "57014"],
	])(
		"is tried again while the database %s, before its messages may be acknowledged",
		async (_, code) => {
			const away = Object.assign(new Error("away"), { code });
			let tries = 0;
			const { packs } = failing(() => (++tries <= 2 ? away : null));
			await packs.record([{ boot, sequence: 1 }]);
			expect(await taken()).toBe("{[1,2)}");
			expect(tries).toBe(3);
		},
	);

	it("is not said to be stored where a learner stops while the database is away; a look for losses does not wait for it", async () => {
		const away = Object.assign(new Error("away"), { code: "ECONNREFUSED" });
		const stopping = new AbortController();
		const { packs, troubles } = failing(() => away, stopping.signal);
		const recorded = packs.record([{ boot, sequence: 1 }]);
		await packs.record([]);
		stopping.abort();
		await expect(recorded).rejects.toThrow("their messages come again");
		expect(troubles.length).toBe(2);
		expect(await taken()).toBeUndefined();
	});
});
