import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../../test/contract/eventually.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { GATE } from "./advisory-locks.js";
import {
	type Database,
	PostgresDeadLetters,
	PostgresErasure,
} from "./index.js";

const PATIENCE_MS = 20_000;
type Query = Pick<Database, "query">;

let log: LedgerOfTest;
let position = 0;

beforeAll(async () => {
	log = await LedgerOfTest.open();
});
afterAll(() => log?.close());
beforeEach(async () => {
	await log.database.query("truncate dead_letters");
});

const erase = (...units: string[]) =>
	new PostgresErasure(log.database).erase(units, PATIENCE_MS);

/** A pack that could not be understood, with an event of each of them. */
const packOf = (...units: string[]) =>
	JSON.stringify({
		boot: "none",
		sequence: 1,
		events: units.map((unit) => ({ id: "e", type: "play", at: 1, unit })),
	});

async function keep(payload: string, { query }: Query = own): Promise<number> {
	position += 1;
	const [row] = await query<{ id: number }>(
		`insert into dead_letters (position, item, stored_at, subject, reason, payload)
		values ($1, 0, now(), 'segue.events._pack', 'malformed', $2) returning id`,
		[position, Buffer.from(payload)],
	);
	return (row as { id: number }).id;
}

const own: Query = {
	query: (text, values) => log.database.query(text, values),
};

async function letters(): Promise<string[]> {
	const rows = await log.database.query<{ payload: Buffer }>(
		"select l.payload from dead_letters l order by l.id",
	);
	return rows.map(({ payload }) => payload.toString());
}

/** Erasures look through the letters and stand before the gate, which a learner holds; `meanwhile` is done; the learner commits. */
async function besideLearner(
	erasures: readonly string[],
	{
		before = async () => {},
		meanwhile = async () => {},
	}: {
		readonly before?: (learner: Query) => Promise<unknown>;
		readonly meanwhile?: () => Promise<unknown>;
	},
) {
	const { underway } = await log.database.transaction(async (client) => {
		await client.query("select pg_advisory_xact_lock_shared($1, 1)", [GATE]);
		await before({
			query: async (text, values) =>
				(await client.query(text, [...(values ?? [])])).rows,
		});
		const underway = Promise.all(erasures.map((unit) => erase(unit)));
		const standing = eventually(async () => {
			const waiting = await log.database.query(
				`select from pg_locks l where l.locktype = 'advisory' and l.classid = $1 and not l.granted
				and l.database = (select d.oid from pg_database d where d.datname = current_database())`,
				[GATE],
			);
			expect(waiting).toHaveLength(erasures.length);
		});
		await Promise.race([underway, standing]);
		await meanwhile();
		return { underway };
	});
	const receipts = await underway;
	return receipts.map(({ removed }) => removed.deadLetters);
}

test("people who are erased at once all leave the letter they share, and the others stay in it", async () => {
	await keep(packOf("first", "second", "third", "stays"));
	expect(await besideLearner(["first", "second", "third"], {})).toEqual([
		1, 1, 1,
	]);
	expect(await letters()).toEqual([packOf("stays")]);
});

test("a letter of nobody but people erased at once goes, with whoever comes last", async () => {
	await keep(packOf("first", "second"));
	await keep(packOf("first", "first"));
	expect((await besideLearner(["first", "second"], {})).sort()).toEqual([1, 2]);
	expect(await letters()).toEqual([]);
});

test("of a person who is erased twice at once, a letter is shortened once, and not to what it was for the first", async () => {
	await keep(packOf("first", "second", "stays"));
	const removed = await besideLearner(["first", "second", "first"], {});
	expect(removed.reduce((sum, one) => sum + one)).toBe(2);
	expect(await letters()).toEqual([packOf("stays")]);
});

test("a letter that commits after letters of later ids loses its people too", async () => {
	await besideLearner(["gone"], {
		before: async (learner) => {
			await keep(packOf("gone"), learner);
			await keep(packOf("gone", "stays"), learner);
			await keep(packOf("stays", "stays"), learner);
			await keep(packOf("somebody"));
		},
	});
	expect(await letters()).toEqual([
		packOf("stays"),
		packOf("stays", "stays"),
		packOf("somebody"),
	]);
});

test("letters that come after the look, and as many that go meanwhile, hide none", async () => {
	const swept = await keep(packOf("swept"));
	await besideLearner(["gone"], {
		before: async (learner) => {
			await keep(packOf("gone"), learner);
			await keep(packOf("somebody"));
		},
		meanwhile: async () => {
			await log.database.query("delete from dead_letters l where l.id = $1", [
				swept,
			]);
			await keep(packOf("stays", "gone"));
		},
	});
	expect(await letters()).toEqual([packOf("somebody"), packOf("stays")]);
});

test("a letter that is published again meanwhile is shortened all the same, and stays marked", async () => {
	const id = await keep(packOf("gone", "stays"));
	const deadLetters = new PostgresDeadLetters(log.database);
	const removed = await besideLearner(["gone"], {
		meanwhile: () => deadLetters.mark([{ id, redrives: 0 }]),
	});
	expect(removed).toEqual([1]);
	const [letter] = await deadLetters.newest({}, 1);
	expect(Buffer.from(letter?.payload ?? "").toString()).toBe(packOf("stays"));
	expect(letter?.redrives).toBe(1);
});

test("a letter that spells the name with escapes that nobody needs goes or is shortened, in its reason too", async () => {
	const escaped = packOf("ann+tag@example.org").replace("+", "\\u002B");
	await keep(escaped);
	await keep(escaped.slice(0, -1));
	await keep(packOf("ann+tag@example.org", "stays").replace("+", "\\u002b"));
	await keep(packOf("stays").replace("stays", "\\u0073tays"));
	const id = await keep("{}");
	await log.database.query(
		"update dead_letters l set reason = $2 where l.id = $1",
		[id, 'not JSON: "ann\\u002Btag@example.org" is not valid'],
	);
	expect((await erase("ann+tag@example.org")).removed.deadLetters).toBe(4);
	expect(await letters()).toEqual([
		packOf("stays"),
		packOf("stays").replace("stays", "\\u0073tays"),
	]);
});

test("a letter whose key is the name goes", async () => {
	await keep('{"listener-1":{"at":1}}');
	await keep('{"listener-2":{"at":1}}');
	await erase("listener-1");
	expect(await letters()).toEqual(['{"listener-2":{"at":1}}']);
});

test("who was erased does not come back among thousands of words, and words that name nobody erased are kept", async () => {
	const words = (last: string) =>
		`{"words":"${Array.from({ length: 5_000 }, (_, i) => `listened-${i}`).join(" ")} ${last}`;
	await erase("listener-gone");
	const later = Date.now() + 60_000;
	await log
		.learning()
		.execute(
			["listener-gone", "listener-stays"].map((last) =>
				log.message("segue.events.play", Buffer.from(words(last)), later),
			),
		);
	expect(await letters()).toEqual(["", words("listener-stays")]);
});

test("of thousands of letters those of the person go or are shortened, and no other", async () => {
	const [gone, shared, others] = [
		packOf("gone"),
		packOf("gone", "stays"),
		packOf("stays"),
	];
	await log.database.query(
		`insert into dead_letters (position, item, stored_at, subject, reason, payload)
		select n, 1, now(), 's', 'malformed', convert_to((array[$1, $2, $3])[1 + n % 3], 'utf8') from generate_series(1, 3600) n`,
		[gone, shared, others],
	);
	const { removed } = await erase("gone");
	expect(removed.deadLetters).toBe(2_400);
	expect(await letters()).toEqual(Array(2_400).fill(others));
});
