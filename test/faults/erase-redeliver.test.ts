import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Database, PostgresDefinitionStore } from "#adapters/postgres";
import type { BulkReceipt, Receipt } from "#usecases/erasing";
import type { RewardForm } from "../model/commands.js";
import type { Message } from "../model/messages.js";
import { Owner } from "../model/owner.js";
import { PlainFold } from "../model/plain-fold.js";
import { foldedSums, storedSums } from "../model/sums.js";
import { replayed } from "../support/answered.js";
import { openBroker } from "../support/broker.js";
import { send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { inForm, seedOf } from "../support/faults/form.js";
import { startNats } from "../support/nats-server.js";
import { seededRandom, shuffled } from "../support/random.js";
import { segueCli, startSegue } from "../support/segue.js";
import { unitsHeld } from "../support/units-held.js";
import {
	asPublished,
	UnitsPast,
	unitName,
	unitOf,
} from "../support/units-past.js";

const UNITS = inForm({ short: 300, long: 2_000 });
const ERASED = UNITS / 100;
const WITHIN_MS = 60_000;
const KEY = "forgetful";
const REWARD: RewardForm = {
	learn: "impression",
	combine: "sum",
	range: [-1, 2],
	default: 0,
};

test("one unit of a hundred is erased and everything of it comes again: not a row of it is left, and the sums never saw it", {
	timeout: 600_000,
}, async ({ onTestFinished: atEnd }) => {
	const random = seededRandom(seedOf("erase, then redeliver"));
	const nats = await startNats();
	atEnd(() => nats.stop());
	const { connectionString, drop } = await createTestDatabase({
		migrated: true,
	});
	atEnd(drop);
	const env = { DATABASE_URL: connectionString, NATS_URL: nats.url };
	const database = new Database({ connectionString, applicationName: "test" });
	atEnd(() => database.close());
	const owner = new Owner(new PostgresDefinitionStore(database), KEY, REWARD);
	await owner.begin();
	const instances = await Promise.all([
		startSegue({ app: "decider", env }),
		startSegue({ app: "learner", env }),
		startSegue({ app: "learner", env }),
	]);
	for (const instance of instances) atEnd(() => instance.stop());
	const [{ url, folder }] = instances;
	const broker = await openBroker(nats.url);
	atEnd(() => broker.close());

	const names = Array.from({ length: UNITS }, (_, i) => unitName(i));
	const [one, ...others] = shuffled(names, random).slice(0, ERASED);
	const erased = new Set([one as string, ...others]);
	const past = new UnitsPast({
		definition: owner.definition,
		reward: REWARD,
		units: UNITS,
		at: Date.now() - 120_000,
		thorough: erased,
		random,
	});
	await broker.publish(asPublished(past.first));
	await broker.taken(WITHIN_MS);
	await broker.publish(asPublished(past.contradictions));
	await broker.taken(WITHIN_MS);
	const before = await heldBy(database);
	for (const unit of erased)
		expect([...(before.get(unit) ?? [])].map(withoutDay).sort(), unit).toEqual([
			"dead_letters",
			"decisions",
			"outcomes",
			"signals",
		]);
	const theirDecisions = [...past.first, ...past.heldBack]
		.flatMap(({ items }) => items)
		.flatMap((item) =>
			"decision" in item && erased.has(unitOf(item)) ? [item.decision] : [],
		);
	const rowsOfOthers = () => readRows(database, erased, theirDecisions);
	const rows = await rowsOfOthers();

	// One is taken out of the stream as well, the others leave all their messages there.
	const answer = await send(url, "DELETE", `/v1/units/${one}`);
	expect(answer.status, JSON.stringify(answer.body)).toBe(200);
	expectThorough((answer.body as Receipt).removed, 1);
	const file = join(folder, "units.txt");
	await writeFile(file, others.join("\n"));
	const { stdout, code } = await segueCli(
		["units", "erase", "--file", file, "--json"],
		{ DATABASE_URL: connectionString, SEGUE_DATA: folder },
	);
	expect(code, stdout).toBe(0);
	expectThorough((JSON.parse(stdout) as BulkReceipt).removed, others.length);

	const all = [...past.first, ...past.contradictions];
	const neverSaw = new PlainFold();
	neverSaw.commit(without(all, erased));
	const forgotten = async (when: string) => {
		const held = await heldBy(database);
		const left = [...erased].map((unit) => [unit, [...(held.get(unit) ?? [])]]);
		expect(
			left.filter(([, tables]) => tables?.length),
			when,
		).toEqual([]);
		expect(await storedSums(database, KEY), when).toEqual(foldedSums(neverSaw));
		expect(await rowsOfOthers(), when).toEqual(rows);
	};
	await forgotten("after the erasure");

	await broker.redeliverAll();
	await broker.taken(WITHIN_MS);
	await forgotten("after the stream came again");

	// As publishers do that heard no answer. What nobody can read has no time but the stream's: sent anew it is refused anew, without a word.
	const theirs = all
		.map((message) => withoutOthersPoison(message, erased))
		.filter(({ items }) => items.some((item) => erased.has(unitOf(item))));
	const unreadable = theirs
		.flatMap(({ items }) => items)
		.filter((item) => "poison" in item);
	expect(await wordlessLetters(database)).toEqual([]);
	await broker.publish(shuffled(asPublished(theirs), random));
	await broker.taken(WITHIN_MS);
	await forgotten("after their messages were sent again");
	const wordless = await wordlessLetters(database);
	expect(wordless).toHaveLength(unreadable.length);
	for (const reason of wordless)
		expect(reason).toMatch(
			/^(bad event|not JSON): its words may name an erased unit and are not kept$/,
		);

	// Of theirs and of others: what waited for them is learned, or stays gone.
	await broker.publish(asPublished(past.heldBack));
	await broker.taken(WITHIN_MS);
	neverSaw.commit(without(past.heldBack, erased));
	for (const { items } of without(past.heldBack, erased))
		for (const item of items)
			if ("decision" in item) rows.push(`decision ${item.decision.id}`);
	rows.sort();
	await forgotten("after the decisions came that had been waited for");
	for (const { id } of theirDecisions.slice(0, 20))
		expect((await send(url, "GET", `/v1/decisions/${id}`)).status).toBe(404);
	expect((await replayed(connectionString)).differences).toEqual([]);
	const [counted] = await database.query<{ n: number }>(
		"select coalesce(sum(v.count), 0)::int as n from verdict_counts v where v.verdict = 'erased'",
	);
	console.log(
		`${erased.size} of ${UNITS} units erased; ${all.length} messages came again, ${theirs.length} of them were sent again; ${counted?.n} deliveries were theirs.`,
	);
});

const heldBy = (database: Database) => unitsHeld(database, /listener-\d{5}/g);
const withoutDay = (table: string) => table.replace(/_p?\d.*$/, "");

/** Others' would be refused once more where it came once more, as it must be. */
function withoutOthersPoison(
	message: Message,
	units: ReadonlySet<string>,
): Message {
	const items = message.items.filter(
		(item) => !("poison" in item) || units.has(unitOf(item)),
	);
	return { ...message, items };
}

/** Reasons of letters of which nothing else is kept. */
async function wordlessLetters(database: Database): Promise<string[]> {
	const rows = await database.query<{ reason: string }>(
		"select l.reason from dead_letters l where l.payload = ''",
	);
	return rows.map(({ reason }) => reason);
}

/** Not one of the kinds was missing, so that each had something to lose. */
function expectThorough(removed: Receipt["removed"], units: number): void {
	expect(removed.decisions).toBe(3 * units);
	for (const kind of ["learned", "outcomes", "signals"] as const)
		expect(removed[kind], kind).toBeGreaterThanOrEqual(units);
	expect(removed.waiting).toBe(units);
	expect(removed.deadLetters).toBe(3 * units);
}

/** The messages without what the units said or were shown; an event of a stranger stays and waits for ever. */
function without(
	messages: readonly Message[],
	units: ReadonlySet<string>,
): Message[] {
	return messages.map((message) => ({
		...message,
		items: message.items.filter((item) => !units.has(unitOf(item))),
	}));
}

/** What is kept of all other units, an entry a row; but for letters without words, which name nobody, and for what strangers said of the units' decisions, which goes with them. */
async function readRows(
	database: Database,
	units: ReadonlySet<string>,
	decisions: readonly { readonly id: string }[],
): Promise<string[]> {
	const rows = await database.query<{ row: string }>(
		`select 'decision ' || d.id as row from decisions d where d.unit <> all ($1)
		union all select 'outcome ' || o.decision_id || ' ' || o.event_id from outcomes o
			where o.unit <> all ($1) and o.decision_id <> all ($2)
		union all select 'signal ' || g.unit || ' ' || g.event_id from signals g where g.unit <> all ($1)
		union all select 'letter ' || l.id || ' ' || l.position || ' ' || l.item || ' ' || md5(l.payload) from dead_letters l
			where l.payload <> '' and not exists (select from unnest($1::text[]) as u (unit) where position(convert_to(u.unit, 'utf8') in l.payload) > 0)`,
		[[...units], decisions.map(({ id }) => id)],
	);
	return rows.map(({ row }) => row).sort();
}
