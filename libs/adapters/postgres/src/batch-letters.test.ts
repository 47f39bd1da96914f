import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import type { LearnableMessage } from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom } from "../../../../test/support/random.js";
import { waitFor } from "../../../../test/support/segue.js";

let log: LedgerOfTest;
let definition: Definition;

beforeAll(async () => {
	log = await LedgerOfTest.open();
	definition = await log.define(
		anExperiment({
			key: "letters",
			arms: [{ key: "a" }, { key: "b" }],
			context: { features: [{ name: "v", from: "request", kind: "number" }] },
			policy: { kind: "linucb", alpha: 0.5 },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		}),
	);
});
afterAll(() => log?.close());

const KIB = 1_024;
/** About where payloads are told apart by size, and more large ones than a statement takes. */
const sizes = [
	1,
	64 * KIB - 1,
	64 * KIB,
	64 * KIB + 1,
	...Array.from({ length: 17 }, (_, i) => (100 + i) * KIB),
	0,
	1_024 * KIB - 1,
	3,
];

test("small and large ones have each its own bytes and reason, and are new once", async () => {
	const random = seededRandom(20_261_127);
	const messages = sizes.map((size) => {
		const body = Uint8Array.from({ length: size }, () => random() * 256);
		return log.message("segue.events.play", body);
	});
	const learn = log.learning();
	const [first] = await learn.execute(messages);
	expect(first).toMatchObject({ refused: sizes.length });
	const [again] = await learn.execute(messages);
	expect(again).toMatchObject({ refused: 0 });
	const letters = await log.database.query<{
		position: number;
		payload: Buffer;
		reason: string;
	}>(
		"select l.position, l.payload, l.reason from dead_letters l where l.position = any ($1) order by l.position",
		[messages.map(({ position }) => position)],
	);
	expect(letters.map(({ position }) => position)).toEqual(
		messages.map(({ position }) => position),
	);
	letters.forEach(({ payload, reason }, i) => {
		const { body } = messages[i] as LearnableMessage;
		expect(payload.equals(body), `${body.length} bytes`).toBe(true);
		expect(reason).toMatch(/^not (UTF-8|JSON): /);
	});
});

test.each([
	["small", 10],
	["large", 100 * KIB],
])("a %s one that comes twice in a batch is new once", async (_, size) => {
	const rubbish = log.rubbish("{".repeat(size));
	const [only] = await log.learning().execute([rubbish, rubbish]);
	expect(only).toMatchObject({ refused: 1 });
	const counts = new Map(
		(only?.verdicts ?? []).map(({ verdict, change }) => [verdict, change]),
	);
	expect(Object.fromEntries(counts)).toEqual({ malformed: 1, duplicate: 1 });
});

test.each([
	["small", 10],
	["large", 70 * KIB],
])(
	"learners that have the same %s ones, in whatever order, do not wait in a circle",
	async (_, size) => {
		const messages = Array.from({ length: 9 }, () =>
			log.rubbish("{".repeat(size)),
		);
		const held = await holding(messages[4] as LearnableMessage);
		try {
			const stuck = [messages, [...messages].reverse()].map((some) =>
				log.learning().execute(some),
			);
			const both = Promise.allSettled(stuck);
			await held.metBy(2);
			await held.letGo();
			const commits = (await both).map((one) =>
				one.status === "fulfilled" ? one.value : one.reason,
			);
			expect(commits).toMatchObject([[{}], [{}]]);
			const refused = commits.map(([only]) => only.refused);
			expect(refused.sort()).toEqual([0, 9]);
		} finally {
			await held.letGo();
		}
	},
);

test("beside an item that the database refuses they keep their words, and are written twice, not once for each part that is tried", async () => {
	const rows = Array.from({ length: 16 }, (_, i) =>
		aDecision(definition, { id: idAt(Date.now(), 100 + i), arm: "a" }),
	);
	const letters = [
		log.rubbish("{".repeat(10)),
		log.rubbish("{".repeat(80 * KIB)),
	];
	await log.database.query(
		`create sequence written;
		create function count_letters() returns trigger language plpgsql as $$
		begin perform nextval('written'); return new; end $$;
		create trigger count_letters before insert on dead_letters for each row execute function count_letters()`,
	);
	await log.refuse((rows[7] as DecisionRow).id);
	const commits = await log
		.learning()
		.execute([...letters, log.decided(...rows)]);
	const sum = (of: "decisions" | "refused") =>
		commits.reduce((n, one) => n + one[of], 0);
	expect(sum("decisions")).toBe(15);
	expect(sum("refused")).toBe(3);
	const kept = await log.database.query<{ payload: Buffer }>(
		"select l.payload from dead_letters l where l.position = any ($1) order by l.position",
		[letters.map(({ position }) => position)],
	);
	expect(kept.map(({ payload }) => payload.length)).toEqual([10, 80 * KIB]);
	const [{ written } = { written: 0 }] = await log.database.query<{
		written: number;
	}>("select last_value as written from written");
	// At the first try, for good, and the item that is refused.
	expect(written).toBe(2 + 2 + 1);
});

test("while one is stored, nobody waits for the decisions of its batch", async () => {
	const row = aDecision(definition, { id: idAt(Date.now(), 1), arm: "a" });
	const rubbish = log.rubbish("{");
	const held = await holding(rubbish);
	try {
		const stuck = log.learning().execute([rubbish, log.decided(row)]);
		stuck.catch(() => {});
		await held.metBy(1);
		const [other] = await log
			.learning()
			.execute([log.happened(anEvent(row, "play"))]);
		expect(other).toMatchObject({ events: 1 });
		await held.letGo();
		const [done] = await stuck;
		expect(done).toMatchObject({ decisions: 1, refused: 1 });
	} finally {
		await held.letGo();
	}
	const [outcome] = await log.database.query(
		"select from outcomes o where o.decision_id = $1",
		[row.id],
	);
	expect(outcome).toBeDefined();
	expect((await log.verify(definition)).differences).toEqual([]);
});

/** Stores a letter in the message's place, and does not commit: whoever stores that one must wait. */
async function holding({ position, storedAt }: LearnableMessage) {
	const client = new pg.Client({ connectionString: log.connectionString });
	await client.connect();
	await client.query("begin");
	await client.query(
		`insert into dead_letters (position, item, stored_at, subject, reason, payload)
		values ($1, 0, to_timestamp($2::float8 / 1000.0), '', '', '')`,
		[position, storedAt],
	);
	let isHeld = true;
	return {
		/** Until so many learners wait for it, or for one who does. */
		metBy: (learners: number) =>
			waitFor(
				async () => {
					const waiting = await log.database.query(
						`select from pg_stat_activity a
						where a.datname = current_database() and a.wait_event_type = 'Lock' and a.query like 'insert into dead_letters%'`,
					);
					return waiting.length === learners;
				},
				8_000,
				() => `not ${learners} store the letter`,
			),
		letGo: async () => {
			if (isHeld) await client.end();
			isHeld = false;
		},
	};
}
