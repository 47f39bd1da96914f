import {
	afterAll,
	beforeAll,
	beforeEach,
	describe,
	expect,
	test,
} from "vitest";
import type { Definition } from "#core/experiment";
import { LiveWindows, unitHash } from "#core/live";
import type { DecisionRow, Event } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import { bucketOf, Learn, stateOf } from "#usecases/learning";
import { aDecision, anEvent, idAt } from "../../../../test/support/builders.js";
import {
	aMinuteAgo,
	decisionsOf,
	erasable,
} from "../../../../test/support/erasable.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import { Database, isRefusal, PostgresErasure } from "./index.js";

const PATIENCE_MS = 20_000;

let log: LedgerOfTest;
let definition: Definition;

beforeAll(async () => {
	log = await LedgerOfTest.open(aMinuteAgo);
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = await log.define(erasable);
});

const erasure = (mostAtOnce?: number) =>
	new PostgresErasure(log.database, mostAtOnce);

/** What a fold that never saw anything else has, arm by arm. */
function folded(rows: readonly DecisionRow[], events: readonly Event[]) {
	const arms = new Map<string, { bucket: number; sums: Float64Array }>();
	for (const row of rows) {
		const outcomes = events.filter((event) => event.decisionId === row.id);
		const { exposed, reward } = stateOf({ row, definition, outcomes });
		const bucket = bucketOf(row.id, definition.bucketMs);
		const known = arms.get(row.arm) ?? {
			bucket,
			sums: emptySums(row.x.length),
		};
		arms.set(row.arm, known);
		addObservation(known.sums, row.x.length, row.x, exposed, exposed * reward);
	}
	return ["a", "b"].map((arm) => ({ arm, ...arms.get(arm) }));
}

/** Every row of every table that holds the text anywhere. */
async function rowsHolding(text: string): Promise<string[]> {
	const tables = await log.database.query<{ name: string }>(
		`select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relkind = 'r'`,
	);
	const found: string[] = [];
	const hex = Buffer.from(text).toString("hex");
	for (const { name } of tables) {
		const rows = await log.database.query<{ row: string }>(
			`select t::text as row from ${name} t where position($1 in t::text) > 0 or position($2 in t::text) > 0`,
			[text, hex],
		);
		found.push(...rows.map(({ row }) => `${name}: ${row.slice(0, 200)}`));
	}
	return found;
}

describe("erasing one unit in a hundred", () => {
	test("leaves no row and no bit of them, and what they sent again is refused", {
		timeout: 60_000,
	}, async () => {
		const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
		console.log(`erasure: SEED=${seed}`);
		const random = seededRandom(seed);
		const units = Array.from(
			{ length: 200 },
			(_, i) => `listener-${i}-${definition.id}`,
		);
		const erased = new Set(shuffled(units, random).slice(0, 2));
		const [gone] = [...erased] as [string];
		const rows = units.flatMap((unit, i) =>
			decisionsOf(definition, unit, 3, i * 3),
		);
		const events = rows.flatMap((row) =>
			["impression", "play", "complete"]
				.filter(() => random() < 0.6)
				.map((type) => anEvent(row, type)),
		);
		const signals = units.map(
			(unit, i): Event => ({
				id: `signal-${i}`,
				type: "skip",
				at: aMinuteAgo(),
				unit,
			}),
		);
		// Outcomes whose decision never comes, outcomes of another's decision, others' of theirs, and what could not be understood.
		const never = units.map((unit, i) =>
			anEvent(
				aDecision(definition, {
					id: idAt(aMinuteAgo(), 5_000 + i),
					arm: "a",
					unit,
				}),
				"play",
			),
		);
		const others = rows.find((row) => !erased.has(row.unit)) as DecisionRow;
		const strays = [...erased].map((unit) =>
			anEvent(others, "play", { id: `stray-${unit}`, unit }),
		);
		const anothers = rows
			.filter((row) => erased.has(row.unit))
			.map((row) => anEvent(row, "play", { id: "x", unit: others.unit }));
		const wrong = units.map((unit) =>
			log.rubbish(
				JSON.stringify({ id: "x", type: "play", at: "never", unit, colour: 1 }),
			),
		);
		const messages = [
			...Array.from({ length: rows.length / 6 }, (_, i) =>
				log.decided(...rows.slice(i * 6, i * 6 + 6)),
			),
			...[...events, ...signals, ...never, ...strays, ...anothers].map(
				log.happened,
			),
			...wrong,
			log.rubbish(`{"id":"y","unit":"${gone}",`),
			log.decided({
				...(rows[0] as DecisionRow),
				unit: gone,
				definitionId: 9_999,
			}),
		];
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		for (const batch of [messages.slice(0, 300), messages.slice(300)])
			await learn.execute(shuffled(batch, random));
		await log.database.query(
			`insert into requests (experiment, kind, key, decision_id, unit, answer, expires_at)
			select $1, 'unit', u.unit, $2::uuid, u.unit, json_build_object('unit', u.unit), now() + interval '1 day'
			from unnest($3::text[]) as u (unit)`,
			[definition.experiment.key, rows[0]?.id, units],
		);
		expect((await rowsHolding(gone)).length).toBeGreaterThan(8);

		const receipt = await erasure().erase([...erased], PATIENCE_MS);
		expect(receipt.removed).toMatchObject({
			decisions: 6,
			waiting: 2,
			signals: 2,
			requests: 2,
			deadLetters: 4,
		});
		expect(receipt.revisions.size).toBe(1);
		const left = rows.filter((row) => !erased.has(row.unit));
		const check = async () => {
			for (const unit of erased) expect(await rowsHolding(unit)).toEqual([]);
			expect(await log.sums(definition)).toEqual(folded(left, events));
			const verification = await log.verify(definition);
			expect(verification.differences).toEqual([]);
			expect(verification.decisions).toBe(left.length);
		};
		await check();

		for (let round = 0; round < 2; round++)
			await learn.execute(shuffled(messages, random));
		await check();
		expect(
			await rowsHolding(units.find((u) => !erased.has(u)) as string),
		).not.toEqual([]);
		await own.close();
	});

	test("decision by decision in several transactions it comes out the same, and another's sums are untouched", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const unit = `many-${definition.id}`;
		const mine = decisionsOf(definition, unit, 25);
		const kept = decisionsOf(definition, `kept-${definition.id}`, 10, 100);
		const events = [...mine, ...kept].map((row) => anEvent(row, "play"));
		await learn.execute([
			log.decided(...mine, ...kept),
			...events.map(log.happened),
		]);
		const { removed } = await erasure(10).erase([unit], PATIENCE_MS);
		expect(removed).toMatchObject({ decisions: 25, learned: 25, outcomes: 25 });
		expect(await log.sums(definition)).toEqual(folded(kept, events));
		await own.close();
	});
});

test("rows of the log are found by their keys, however small its partitions are, and taken out exactly where no second session is free", async () => {
	const own = log.learner();
	const unit = `by-keys-${definition.id}`;
	const mine = decisionsOf(definition, unit, 20);
	await new Learn(own, isRefusal).execute([
		log.decided(...mine),
		...mine.map((row) => log.happened(anEvent(row, "play"))),
	]);
	await own.close();
	const { connectionString } = log;
	const one = new Database({
		connectionString,
		applicationName: "test",
		most: 1,
	});
	const scans = async () => {
		await one.query("select pg_stat_force_next_flush()");
		const [row] = await one.query<{ n: number }>(
			`select sum(t.seq_scan)::bigint as n from pg_stat_user_tables t
			where t.relname ~ '^(decisions|decision_states|outcomes|signals)_[0-9]{8}$'`,
		);
		return row?.n;
	};
	const before = await scans();
	await new PostgresErasure(one, 7).erase([unit], PATIENCE_MS);
	expect(await scans()).toBe(before);
	await one.close();
	const verification = await log.verify(definition);
	expect(verification).toMatchObject({ differences: [], decisions: 0 });
});

describe("a unit that returns", () => {
	test("starts afresh with what it does from then on", async () => {
		const own = log.learner();
		const learn = new Learn(own, isRefusal);
		const unit = `back-${definition.id}`;
		const [old] = decisionsOf(definition, unit, 1) as [DecisionRow];
		await learn.execute([log.decided(old), log.happened(anEvent(old, "play"))]);
		const { erasedAt } = await erasure().erase([unit], PATIENCE_MS);
		const again = aDecision(definition, {
			id: idAt(erasedAt + 1, 1),
			arm: "b",
			unit,
		});
		const event = anEvent(again, "play", { at: erasedAt + 2 });
		const fresh = [log.decided(again), log.happened(event)].map((one) => ({
			...one,
			storedAt: erasedAt + 1,
		}));
		await learn.execute([...fresh, log.decided(old)]);
		const [armA, armB] = await log.sums(definition);
		expect(armA?.sums.every((entry) => entry === 0)).toBe(true);
		expect(armB).toEqual(folded([again], [event])[1]);
		expect((await log.verify(definition)).equal).toBe(true);
		await own.close();
	});

	test("is refused no more than before by a second erasure of nothing", async () => {
		const unit = `unknown-${definition.id}`;
		const first = await erasure().erase([unit], PATIENCE_MS);
		expect(Object.values(first.removed).every((n) => n === 0)).toBe(true);
		expect(first.revisions.size).toBe(0);
		expect(await erasure().erasedAt(unit)).toBe(first.erasedAt);
		const second = await erasure().erase([unit], PATIENCE_MS);
		expect(second.erasedAt).toBeGreaterThanOrEqual(first.erasedAt);
		expect(await rowsHolding(unit)).toEqual([]);
		expect(await erasure().erasedAt(`other-${unit}`)).toBeNull();
	});
});

test("a tombstone tells the live windows of every decider whom to forget, and nobody else", async () => {
	const hashKey = await erasure().liveKey();
	expect(await erasure().liveKey()).toEqual(hashKey);
	const skips = {
		event: "skip",
		windowMs: 3_600_000,
		aggregate: "count",
		by: "unit",
	} as const;
	const windows = new LiveWindows([skips], { hashKey, mostKeys: 10 });
	const now = Date.now();
	const units = ["forgotten", "kept"];
	for (const unit of units)
		windows.hear({ id: "e1", type: "skip", unit, at: now - 60_000 }, now);
	const { erasedAt } = await erasure().erase(["forgotten"], PATIENCE_MS);
	const erased = await erasure().erasedSince(erasedAt - 1);
	expect(erased.units).toEqual([
		{ ...unitHash(hashKey, "forgotten"), erasedAt },
	]);
	windows.forget(erased.units);
	const counts = units.map((unit) =>
		windows.read(skips, { unit, experiment: "any" }, now),
	);
	expect(counts).toEqual([0, 1]);
});
