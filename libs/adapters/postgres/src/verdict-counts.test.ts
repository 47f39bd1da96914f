import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Definition, judge } from "#core/experiment";
import { type DecisionRow, decodeMessage, LOG_SUBJECT } from "#core/log";
import {
	Learn,
	type LearnableMessage,
	ReadLedger,
	VerdictTally,
} from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import {
	isRefusal,
	PostgresDeadLetters,
	PostgresDecisionReads,
	PostgresErasure,
	PostgresLedgerReads,
} from "./index.js";

const MINUTE = 60_000;
const experiment = anExperiment({
	key: "verdicts",
	arms: [{ key: "a" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: {
		window: "30m",
		range: [-1, 2],
		combine: "last",
		outcomes: [
			{ type: "play", value: 0.25 },
			{ type: "skip", value: -0.25, within: "30s" },
			{ type: "rating" },
		],
	},
});

let log: LedgerOfTest;
let reads: PostgresDecisionReads;
let definition: Definition;
let mine: string;
let other: string;
let ids = 0;

beforeAll(async () => {
	log = await LedgerOfTest.open();
	reads = new PostgresDecisionReads(log.database, log.store);
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = await log.define(experiment);
	mine = `mine of ${definition.experiment.key}`;
	other = `other of ${definition.experiment.key}`;
	await log.database.query("delete from verdict_counts");
});

/** Everything counted, by `experiment kind verdict`; `own` stands for the key of the test's experiment. */
async function counted(): Promise<Record<string, number>> {
	const rows = await log.database.query<{ key: string; n: number }>(
		`select replace(v.experiment, $1, 'own') || ' ' || v.kind || ' ' || v.verdict as key, sum(v.count)::bigint as n
		from verdict_counts v group by 1 having sum(v.count) <> 0`,
		[definition.experiment.key],
	);
	return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
}
const total = (counts: Record<string, number>) =>
	Object.values(counts).reduce((sum, n) => sum + n, 0);

function oneDecision(fields: Partial<DecisionRow> = {}): DecisionRow {
	const id = idAt(Date.now() - 40 * MINUTE, ++ids);
	return aDecision(definition, { id, arm: "a", unit: mine, ...fields });
}

test("each delivery has the verdict that the closed list gives it", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const row = oneDecision();
	const outside = oneDecision({ group: "outside" });
	const at = (minutes: number) => row.decidedAt + minutes * MINUTE;
	const noon = Date.now() - 2 * MINUTE;
	const play = anEvent(row, "play", { at: at(1) });
	const seen = [
		log.happened(play),
		log.happened({ ...play, value: 3 }),
		log.happened(play),
		log.happened(anEvent(row, "rating", { at: at(2), value: 5 })),
		log.happened(anEvent(row, "skip", { at: at(3) })),
		log.happened(anEvent(row, "click", { at: at(1) })),
		log.happened(anEvent(row, "rating", { id: "early", at: at(-6), value: 1 })),
		log.happened(anEvent(row, "play", { id: "late", at: at(31) })),
		log.happened(anEvent(row, "play", { id: "gone", at: at(4) })),
		log.happened(
			anEvent(row, "retract", { id: "r", retracts: "gone", at: at(5) }),
		),
		log.happened(anEvent(row, "play", { id: "stranger", unit: other })),
		log.happened(
			anEvent(row, "play", { id: "ahead", at: Date.now() + 10 * MINUTE }),
		),
		log.happened(anEvent(outside, "play")),
		log.happened(anEvent(oneDecision(), "play")),
		log.happened({ id: "s", type: "play", unit: mine, at: noon }),
		log.happened({ id: "s", type: "skip", unit: mine, at: noon }),
		log.happened({ id: "s", type: "play", unit: mine, at: noon }),
		log.happened({
			id: "s",
			type: "play",
			unit: mine,
			at: Date.now() - 30 * 1440 * MINUTE,
		}),
		log.rubbish("{"),
		log.decided(row, outside),
		log.decided(row, { ...oneDecision(), arm: "nobody" }),
	];
	await learn.execute(seen);
	const counts = await counted();
	expect(counts).toEqual({
		"own decision logged": 2,
		"own decision duplicate": 1,
		"- decision malformed": 1,
		"own event conflict": 1,
		"own event duplicate": 1,
		"own event out of range": 1,
		// Superseded, outside within, unlisted.
		"own event no value": 3,
		"own event early": 1,
		"own event late": 1,
		"own event retracted": 1,
		"own event applied": 1,
		"own event wrong unit": 1,
		"own event experiment stopped": 1,
		"own event future": 1,
		"- event before horizon": 1,
		"- event unknown decision (waiting)": 1,
		"- event signal": 1,
		"- event conflict": 1,
		"- event duplicate": 1,
		"- event malformed": 1,
	});
	expect(total(counts)).toBe(seen.length + 2);
	const again = await learn.execute(seen);
	expect(again[0]).toMatchObject({ decisions: 0, events: 0, refused: 0 });
	const twice = await counted();
	expect(total(twice)).toBe(2 * (seen.length + 2));
	for (const [key, n] of Object.entries(counts))
		if (!key.endsWith("duplicate")) expect([key, twice[key]]).toEqual([key, n]);
	await own.close();
});

test("a decision shows what names it and could not be read, counted under its experiment; of what is large not even the id", async () => {
	const own = log.learner();
	const row = oneDecision();
	const malformed = (id: string, more: object) =>
		log.rubbish(JSON.stringify({ ...anEvent(row, "play", { id }), ...more }));
	await new Learn(own, isRefusal).execute([
		log.decided(row),
		malformed("unclear", { value: "much" }),
		malformed("large", { item: "x".repeat(70_000) }),
		malformed("elsewhere", { decisionId: "nowhere" }),
	]);
	await own.close();
	const { events } = (await reads.find(row.id)) ?? {};
	const shown = { verdict: "malformed", storedAt: expect.any(Number) };
	expect(events).toEqual([
		{
			...{ ...shown, id: "unclear" },
			detail: expect.stringMatching(/^bad event: value: /),
		},
		{ ...shown, detail: expect.stringMatching(/^bad event: item: /) },
	]);
	expect(await counted()).toMatchObject({
		"own event malformed": 2,
		"- event malformed": 1,
	});
});

test("a decision shows its events with their verdicts, what each moved, and in which revision", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const row = oneDecision();
	const at = (minutes: number) => row.decidedAt + minutes * MINUTE;
	const rating = (id: string, value: number, minutes: number) =>
		anEvent(row, "rating", { id, value, at: at(minutes) });
	await learn.execute([log.happened(rating("parked", 0.5, 1))]);
	await learn.execute([log.decided(row)]);
	await learn.execute([
		log.happened(rating("second", 1, 2)),
		log.happened(rating("third", 9, 3)),
	]);
	await learn.execute([
		log.happened(
			anEvent(row, "retract", { id: "r", retracts: "third", at: at(4) }),
		),
		log.happened(rating("second", 7, 2)),
	]);
	const found = await reads.find(row.id);
	const shown = (found?.events ?? [])
		.filter((event) => "type" in event)
		.map(({ id, verdict, detail, moved }) => [
			id,
			verdict,
			detail ?? null,
			moved ?? null,
		]);
	const moved = (exposed: number, reward: number, revision: number) => ({
		exposed,
		reward,
		revision,
	});
	expect(shown).toEqual([
		["parked", "no value", "superseded", moved(1, 0.5, 1)],
		["second", "applied", null, moved(0, 0.5, 2)],
		["third", "retracted", null, moved(0, 1, 2)],
		["r", "applied", null, moved(0, -1, 3)],
		["second", "conflict", null, null],
	]);
	expect(found).toMatchObject({
		learned: { exposed: true, reward: 1, revision: 1, moved: null },
	});
	const ledgerOf = await new ReadLedger(
		new PostgresLedgerReads(log.database),
	).execute(definition.experiment.key);
	expect(ledgerOf).toMatchObject({
		deliveries: 6,
		decisions: { logged: 1 },
		events: { applied: 2, "no value": 1, retracted: 1, conflict: 1 },
	});
	await own.close();
});

test("an event that waits is shown waiting, and its count moves when the decision comes", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const row = oneDecision();
	await learn.execute([log.happened(anEvent(row, "play"))]);
	expect((await reads.find(row.id))?.events).toMatchObject([
		{ verdict: "unknown decision (waiting)" },
	]);
	expect(await counted()).toEqual({ "- event unknown decision (waiting)": 1 });
	await learn.execute([log.decided(row)]);
	expect(await counted()).toEqual({
		"own decision logged": 1,
		"own event applied": 1,
	});
	await own.close();
});

/** Random deliveries about few decisions: repeated, conflicting, early, late, taken back, of strangers, poison. */
function randomDeliveries(random: () => number, decisions: number) {
	const pick = <T>(...of: T[]) => of[Math.floor(random() * of.length)] as T;
	const rows = Array.from({ length: decisions }, () =>
		oneDecision({ group: pick("policy", "control", "outside", "policy") }),
	);
	const events = rows.flatMap((row) =>
		Array.from({ length: Math.floor(random() * 7) }, () => {
			const type = pick("play", "skip", "rating", "click", "retract");
			return anEvent(row, type, {
				id: pick("1", "2", "3", "4", "5"),
				at: row.decidedAt + pick(-6, -1, 0.2, 1, 29, 31) * MINUTE,
				unit: pick(mine, mine, mine, other),
				...(type === "retract" ? { retracts: pick("1", "2", "3") } : {}),
				...(type === "rating" ? { value: pick(0.5, 1, 5) } : {}),
			});
		}),
	);
	const signals = Array.from({ length: decisions / 2 }, (_, i) => ({
		id: `signal-${i}`,
		type: "play",
		unit: pick(mine, other),
		at: Date.now(),
	}));
	const packs = rows.map((row, i) =>
		log.decided(row, ...(i % 3 === 0 ? [rows[i - 1] ?? row] : [])),
	);
	const items = [
		...packs,
		...[...events, ...signals].map(log.happened),
		...Array.from({ length: decisions / 4 }, () =>
			log.rubbish(pick("{", "[1]", "\0")),
		),
		...packs.slice(0, 3).map(() => log.decided({ ...oneDecision(), arm: "x" })),
	];
	const redelivered = items.filter(() => random() < 0.25);
	return { rows, deliveries: shuffled([...items, ...redelivered], random) };
}

const itemsIn = (deliveries: readonly LearnableMessage[]) =>
	deliveries.reduce(
		(sum, { subject, body }) =>
			sum + (subject === LOG_SUBJECT ? decisionsIn(body) : 1),
		0,
	);

function decisionsIn(body: Uint8Array): number {
	return decodeMessage(LOG_SUBJECT, body).items.length;
}

/** The verdicts of the stored events, judged anew from the log. */
async function judgedAnew(rows: readonly DecisionRow[]) {
	const tally = new VerdictTally();
	for (const row of rows) {
		const found = await reads.find(row.id);
		const stored = (found?.events ?? [])
			.filter((event) => "type" in event)
			.filter(({ verdict }) => verdict !== "conflict");
		const { verdicts } = judge(definition.experiment.reward, row, stored);
		for (const { verdict } of verdicts.values())
			tally.add("own", "event", verdict);
	}
	return Object.fromEntries(
		tally
			.changes()
			.map(({ verdict, change }) => [`own event ${verdict}`, change]),
	);
}

test("after every batch the counts add up to what was delivered, and each is what a fold of the log gives", {
	timeout: 60_000,
}, async () => {
	const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
	console.log(`verdict-counts: SEED=${seed}`);
	const random = seededRandom(seed);
	const { rows, deliveries } = randomDeliveries(random, 40);
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	let delivered = 0;
	for (let i = 0; i < deliveries.length; ) {
		const batch = deliveries.slice(i, i + 1 + Math.floor(random() * 25));
		i += batch.length;
		delivered += itemsIn(batch);
		const commits = await learn.execute(batch);
		expect(
			commits
				.flatMap(({ verdicts }) => verdicts)
				.reduce((n, v) => n + v.change, 0),
		).toBe(itemsIn(batch));
		const counts = await counted();
		expect(total(counts)).toBe(delivered);
		for (const n of Object.values(counts)) expect(n).toBeGreaterThan(0);
	}
	expect(await counted()).toMatchObject(await judgedAnew(rows));
	await own.close();
});

test("two learners at once count as one does, whoever stores what", {
	timeout: 60_000,
}, async () => {
	const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
	console.log(`verdict-counts, two learners: SEED=${seed}`);
	const random = seededRandom(seed);
	const { rows, deliveries } = randomDeliveries(random, 60);
	const learners = [log.learner(), log.learner()];
	await Promise.all(
		learners.map(async (own, k) => {
			const learn = new Learn(own, isRefusal);
			for (let i = k * 10; i < deliveries.length; i += 20)
				await learn.execute(deliveries.slice(i, i + 10));
		}),
	);
	await Promise.all(learners.map((own) => own.close()));
	const counts = await counted();
	expect(total(counts)).toBe(itemsIn(deliveries));
	expect(counts).toMatchObject(await judgedAnew(rows));
	const shards = await log.database.query(
		"select distinct v.shard from verdict_counts v",
	);
	expect(shards.length).toBe(2);
});

test("an erasure takes nothing from the sum: what it takes out is counted as erased", async () => {
	const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
	console.log(`verdict-counts, erasure: SEED=${seed}`);
	const { rows, deliveries } = randomDeliveries(seededRandom(seed), 30);
	const own = log.learner();
	await new Learn(own, isRefusal).execute(deliveries);
	await own.close();
	const before = await counted();
	const erasure = new PostgresErasure(log.database, 7);
	await erasure.erase([other], 10_000);
	const strangers = await counted();
	expect(total(strangers)).toBe(total(before));
	expect(strangers["own event wrong unit"]).toBeUndefined();
	expect(strangers["- event erased"]).toBeGreaterThan(0);
	expect(strangers).toMatchObject(await judgedAnew(rows));
	await erasure.erase([mine], 10_000);
	const nobody = await counted();
	expect(total(nobody)).toBe(total(before));
	expect(nobody["- decision erased"]).toBe(before["own decision logged"]);
	const left = Object.keys(nobody).map((key) =>
		key.split(" ").slice(2).join(" "),
	);
	expect(new Set(left)).toEqual(
		new Set(["erased", "duplicate", "malformed", "conflict"]),
	);
});

test("a dead letter keeps what it is for, but no words that are not to be stored", async () => {
	const learn = new Learn(log.learner(), isRefusal);
	const at = Date.now() - MINUTE;
	const event = { id: "words", type: "play", unit: mine, at };
	const waiting = () => new PostgresDeadLetters(log.database).waiting();
	const before = await waiting();
	await learn.execute([log.rubbish(JSON.stringify({ ...event, slot: -2 }))]);
	expect(await waiting()).toBe(before + 1);
	await learn.execute([
		log.rubbish(
			JSON.stringify({ ...event, id: "2", properties: { note: "nine, Jo" } }),
		),
	]);
	expect(await waiting()).toBe(before + 1);
	const letters = await log.database.query<{ reason: string; text: string }>(
		"select l.reason, convert_from(l.payload, 'utf8') as text from dead_letters l order by l.id desc limit 2",
	);
	expect(letters.map(({ text }) => text)).toEqual([
		"",
		expect.stringContaining('"slot":-2'),
	]);
	expect(letters[0]?.reason).toContain("not stored");
	expect(letters[0]?.reason).not.toContain("nine");
});
