import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GuardBook, guardPlan, type SumsBySide } from "#core/guarding";
import { type DecisionRow, type Event, uuidAtTime } from "#core/log";
import { STEPS } from "#core/metrics";
import type { StoredDefinition } from "#usecases/defining";
import type { BookStep } from "#usecases/guarding";
import type { Learn } from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import { touchedIds } from "./guard-log.js";
import {
	ensurePartitions,
	forgetBooks,
	PostgresErasure,
	PostgresGuardBooks,
} from "./index.js";

const MINUTE = 60_000;
const experiment = anExperiment({
	key: "guarded",
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "linucb", alpha: 0.5 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.5 },
	guardrails: [
		{ metric: "skip_rate", max: 0.35, action: "pause" },
		{
			metric: "revenue",
			versus: "control",
			margin: 1,
			action: "alert",
			within: "30s",
		},
		{ metric: "save_rate", min: 0.1, action: "alert", within: "5m" },
	],
});

let log: LedgerOfTest;
let learner: Learn;
let definition: StoredDefinition;
beforeAll(async () => {
	log = await LedgerOfTest.open();
	learner = log.learning();
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = (await log.define(experiment)) as StoredDefinition;
});

const begun = Date.now() - 20 * MINUTE;
const books = () => new PostgresGuardBooks(log.database);
const [skips, saves] = guardPlan(experiment) as [GuardBook, GuardBook];
const stepOf =
	(book: GuardBook, since = definition.id) =>
	(upTo: number, by = books()) =>
		by.step({
			definition,
			since: { id: since, at: begun - MINUTE },
			book,
			upTo,
		});

async function countAll(
	book: GuardBook,
	upTo: number,
	since = definition.id,
): Promise<readonly SumsBySide[]> {
	while (true) {
		const step = (await stepOf(book, since)(upTo)) as BookStep;
		if (step.isCurrent) return step.sums;
	}
}

interface Happened {
	readonly row: DecisionRow;
	readonly events: readonly Event[];
}

let made = 0;
/** Decisions of some units over ten minutes, with what they came to. */
function happenings(seed: number, count: number, tag = ""): Happened[] {
	const random = seededRandom(seed);
	const below = (most: number) => Math.floor(random() * most);
	return Array.from({ length: count }, (_, i) => {
		const unit = below(40);
		const row = aDecision(definition, {
			id: idAt(begun + Math.floor((i * 10 * MINUTE) / count), made++),
			arm: "a",
			unit: `unit${tag}-${unit}`,
			group: unit % 2 === 0 ? "policy" : "control",
		});
		const types = ["impression", "skip", "save", "purchase"].filter(
			() => random() < 0.6,
		);
		return {
			row,
			events: types.map((type) =>
				anEvent(row, type, {
					at: row.decidedAt + below(60_000),
					...(type === "purchase" && { value: below(10) / 4 }),
				}),
			),
		};
	});
}

/** A plain count of what was sent. */
function counted(
	happened: readonly Happened[],
	withinMs: number,
	nAndC: (events: readonly Event[]) => readonly [number, number],
	isPerUnit = false,
): SumsBySide {
	const units = new Map<string, { side: string; n: bigint; c: bigint }>();
	for (const { row, events } of happened) {
		const [n, c] = nAndC(
			events.filter(({ at }) => at - row.decidedAt <= withinMs),
		);
		const own = units.get(row.unit) ?? { side: row.group, n: 0n, c: 0n };
		own.n = isPerUnit ? 1n : own.n + BigInt(n);
		own.c += BigInt(Math.round(c * STEPS));
		units.set(row.unit, own);
	}
	const bySide: Record<string, unknown> = {};
	for (const side of ["policy", "control"]) {
		const own = [...units.values()].filter(
			(unit) => unit.side === side && (unit.n !== 0n || unit.c !== 0n),
		);
		const sum = (of: (unit: { n: bigint; c: bigint }) => bigint) =>
			String(own.reduce((total, unit) => total + of(unit), 0n));
		bySide[side] = {
			units: String(own.length),
			n: sum(({ n }) => n),
			c: sum(({ c }) => c),
			nn: sum(({ n }) => n * n),
			nc: sum(({ n, c }) => n * c),
			cc: sum(({ c }) => c * c),
		};
	}
	return bySide as SumsBySide;
}

const has = (events: readonly Event[], type: string) =>
	events.some((event) => event.type === type) ? 1 : 0;
const ofSkips = (events: readonly Event[]) =>
	[Math.min(1, events.length), has(events, "skip")] as const;
const ofSaves = (events: readonly Event[]) =>
	[Math.min(1, events.length), has(events, "save")] as const;
const ofRevenue = (events: readonly Event[]) =>
	[
		1,
		events.reduce((sum, { type, value = 0 }) => {
			return type === "purchase" ? sum + value : sum;
		}, 0),
	] as const;

const allOf = (happened: readonly Happened[]) => [
	counted(happened, 30_000, ofSkips),
	counted(happened, 30_000, ofRevenue, true),
];
const tell = async (happened: readonly Happened[]) => {
	await learner.execute([log.decided(...happened.map(({ row }) => row))]);
	await learner.execute(
		happened.flatMap(({ events }) => events.map(log.happened)),
	);
};
const END = begun + 15 * MINUTE;

describe("the book of a guardrail", () => {
	it("counts each decision once its window has closed, by what had happened until then", async () => {
		const happened = happenings(1, 500);
		await tell(happened);
		const half = begun + 5 * MINUTE;
		const early = happened.filter(({ row }) => row.decidedAt < half);
		expect(await countAll(skips, half)).toEqual(allOf(early));
		expect(await countAll(skips, END)).toEqual(allOf(happened));
		expect(await countAll(saves, END)).toEqual([
			counted(happened, 5 * MINUTE, ofSaves),
		]);
	});

	it("is the same whatever the order in which the log is told, and however it is counted along the way", async () => {
		const seed = 20_261_126;
		const random = seededRandom(seed);
		const happened = happenings(seed, 1_500);
		const messages = shuffled(
			[
				...happened.map(({ row }) => log.decided(row)),
				...happened.flatMap(({ events }) => events.map(log.happened)),
			],
			random,
		);
		while (messages.length > 0) {
			const most = 1 + Math.floor(random() * 300);
			await learner.execute(messages.splice(0, most));
			for (let i = 0; i < 2; i++)
				await stepOf(skips)(begun + Math.floor(random() * 15 * MINUTE));
		}
		expect(await countAll(skips, END)).toEqual(allOf(happened));
		const fresh = await countAll(skips, END, definition.id - 1);
		expect(await countAll(skips, END)).toEqual(fresh);
	});

	it("takes back what is retracted after it was counted", async () => {
		const happened = happenings(3, 60);
		await tell(happened);
		await countAll(skips, END);
		const skipped = happened.flatMap(({ events }) =>
			events.filter(({ type }) => type === "skip"),
		);
		await learner.execute(
			skipped.map((skip) =>
				log.happened({
					...skip,
					id: `retract-${skip.id}`,
					type: "retract",
					retracts: skip.id,
				}),
			),
		);
		const left = happened.map(({ row, events }) => ({
			row,
			events: events.filter(({ type }) => type !== "skip"),
		}));
		// A retract within the window proves exposure no more than what it takes back.
		expect(await countAll(skips, END)).toEqual(allOf(left));
	});

	it("counts neither decisions outside, nor imported ones, nor those that a guardrail served, nor those of an earlier row", async () => {
		const happened = happenings(4, 80);
		const kept = happened.slice(0, 20);
		const others = [
			...happened
				.slice(20, 40)
				.map((one) => ({ ...one, row: { ...one.row, group: "outside" } })),
			...happened
				.slice(40, 60)
				.map((one) => ({ ...one, row: { ...one.row, origin: "import" } })),
			...happened.slice(60).map((one) => ({
				...one,
				row: { ...one.row, degraded: ["guardrail"] },
			})),
		] as Happened[];
		await tell([...kept, ...others]);
		expect(await countAll(skips, END)).toEqual(allOf(kept));
		const later = (await log.store.change(
			definition.experiment.key,
			(current) => ({ ...(current as StoredDefinition), action: "edit" }),
		)) as StoredDefinition;
		expect(await countAll(skips, END, later.id)).toEqual([{}, {}]);
	});

	it("forgets an erased unit to the bit, also in the middle of counting", async () => {
		const happened = happenings(5, 400, "-e");
		await tell(happened);
		await countAll(skips, begun + 5 * MINUTE);
		await countAll(saves, END);
		const gone = ["unit-e-2", "unit-e-3"];
		await new PostgresErasure(log.database, 7).erase(gone, 20_000);
		const left = happened.filter(({ row }) => !gone.includes(row.unit));
		expect(await countAll(skips, END)).toEqual(allOf(left));
		expect(await countAll(saves, END)).toEqual([
			counted(left, 5 * MINUTE, ofSaves),
		]);
		const rows = await log.database.query(
			"select u.unit from guard_units u where u.unit = any ($1::text[])",
			[gone],
		);
		expect(rows).toEqual([]);
	});

	it("counts once though many are at it, with erasures beside", async () => {
		const happened = happenings(6, 3_000, "-m");
		await tell(happened);
		const gone = ["unit-m-1", "unit-m-4"];
		const counting = Array.from({ length: 3 }, async () => {
			const own = books();
			for (let upTo = begun; upTo < END; upTo += 20_000)
				await stepOf(skips)(upTo, own);
		});
		const erasing = gone.map((unit) =>
			new PostgresErasure(log.database, 5).erase([unit], 20_000),
		);
		await Promise.all([...counting, ...erasing]);
		const left = happened.filter(({ row }) => !gone.includes(row.unit));
		expect(await countAll(skips, END)).toEqual(allOf(left));
	});

	it("is nothing to look at, and counts no further, before it stands at the newest revision: events that the log has would be missing", async () => {
		await countAll(skips, begun);
		const happened = happenings(9, 120);
		const parts = Array.from({ length: 12 }, (_, i) =>
			happened.slice(10 * i, 10 * (i + 1)),
		);
		for (const part of parts) await tell(part);
		const steps: BookStep[] = [];
		while (!steps.at(-1)?.isCurrent)
			steps.push((await stepOf(skips)(END)) as BookStep);
		expect(steps.map(({ isLookable }) => isLookable)).toEqual([
			false,
			false,
			true,
		]);
		expect(steps[1]?.sums).toEqual([{}, {}]);
		expect(steps[2]?.sums).toEqual(allOf(happened));
	});

	it("is let alone while another is at it", async () => {
		await tell(happenings(7, 20));
		await countAll(skips, END);
		await log.database.transaction(async (client) => {
			await client.query(
				"select b.id from guard_books b where b.experiment = $1 for update",
				[definition.experiment.key],
			);
			expect(await stepOf(skips)(END)).toBeNull();
		});
	});

	it("goes, units first, once its experiment has a later one", async () => {
		await tell(happenings(8, 200));
		await countAll(skips, END, definition.id - 1);
		const sums = await countAll(skips, END);
		while (await forgetBooks(log.database));
		const { key } = definition.experiment;
		expect(await books().sums(key, definition.id - 1, skips)).toBeNull();
		expect(await books().sums(key, definition.id, skips)).toEqual(sums);
		const orphans = await log.database.query(
			`select u.book from guard_units u left join guard_books b on b.id = u.book where b.id is null
			union select s.book from guard_sums s left join guard_books b on b.id = s.book where b.id is null`,
		);
		expect(orphans).toEqual([]);
	});

	it("reads no day of the log that was over when it began, and of the others what a batch brought by the batch alone", async () => {
		const { database } = log;
		await database.query(
			"update installation set horizon = segue_id_floor(now() - interval '6 days')",
		);
		const query = (text: string, values?: readonly unknown[]) =>
			database.query(text, values);
		await ensurePartitions(query, Date.now());
		await tell(happenings(10, 40));
		let plan = "";
		const explaining = {
			query: async (text: string, values: readonly unknown[]) => {
				const lines = await database.query<{ "QUERY PLAN": string }>(
					`explain (costs off) ${text}`,
					values,
				);
				plan = lines.map((line) => line["QUERY PLAN"]).join("\n");
				return { rows: [] };
			},
		};
		const cursor = uuidAtTime(END);
		const { key } = definition.experiment;
		const book = { id: 1, cursor, revision: 0 };
		await touchedIds(explaining as never, key, book, 9, begun);
		const days = [...plan.matchAll(/ on (decisions|outcomes)_(\d{8})/g)].map(
			([, table, day]) => `${table} ${day}`,
		);
		const first = new Date(begun).toISOString().slice(0, 10);
		const digits = first.replaceAll("-", "");
		expect(days).toContain(`decisions ${digits}`);
		expect(days).toContain(`outcomes ${digits}`);
		expect(
			days.filter((day) => (day.split(" ")[1] as string) < digits),
		).toEqual([]);
		const indexes = [...plan.matchAll(/Scan (?:using|on) (\S+_(?:idx|pkey))/g)]
			.map(([, index]) => index as string)
			.filter((index) => /^(decisions|outcomes)_/.test(index));
		expect(indexes.length).toBeGreaterThan(0);
		for (const index of indexes) expect(index).toMatch(/_batch_idx/);
	});
});
