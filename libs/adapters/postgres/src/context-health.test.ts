import { afterAll, beforeAll, expect, test } from "vitest";
import type { Definition, JsonObject } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { Learn } from "#usecases/learning";
import { FoldContext, healthOf } from "#usecases/watching";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import {
	forgetContexts,
	isRefusal,
	PostgresContextLog,
	PostgresContextReads,
} from "./index.js";

const HOUR = 3_600_000;
const experiment = anExperiment({
	key: "health",
	arms: [{ key: "a" }, { key: "b" }],
	context: {
		features: [
			{ name: "tempo", from: "request", kind: "number", mean: 50, scale: 50 },
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "tv"],
			},
		],
	},
	policy: { kind: "linucb", alpha: 0.5 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
});

let ledger: LedgerOfTest;
let reads: PostgresContextReads;
let ownLog: PostgresContextLog;
let learner: Learn;
const now = Math.floor(Date.now() / HOUR) * HOUR + 1_000;

beforeAll(async () => {
	ledger = await LedgerOfTest.open();
	reads = new PostgresContextReads(ledger.database);
	ownLog = new PostgresContextLog(ledger.database);
	learner = ledger.learning();
});
afterAll(() => ledger?.close());

const contextOf = (i: number): JsonObject => ({
	tempo: i % 100,
	device: i % 2 === 0 ? "phone" : "tv",
});
let made = 0;
function rowsOf(
	definition: Definition,
	count: number,
	context: (i: number) => JsonObject = contextOf,
	at = now,
): DecisionRow[] {
	return Array.from({ length: count }, (_, i) =>
		aDecision(definition, {
			id: idAt(at, made++),
			arm: "a",
			context: context(i),
			missing: Object.keys(context(i)).length === 2 ? [] : ["device"],
		}),
	);
}
/** Each some rows of one batch, so a revision of their own. */
async function learn(rows: readonly DecisionRow[], each = 100): Promise<void> {
	for (let i = 0; i < rows.length; i += each)
		await learner.execute([ledger.decided(...rows.slice(i, i + each))]);
}
const foldBy = (log = ownLog) => new FoldContext(log, ledger.store);
const runOf = ({ experiment: { key }, version, run }: Definition) => ({
	experiment: key,
	version,
	run,
});
const counted = async (definition: Definition) =>
	(await reads.counts(runOf(definition), 0))?.decisions ?? 0;
const freeClaims = () =>
	ledger.database.query(
		"update context_folds set claimed_until = '-infinity', claimed_by = null",
	);

test("a run is launched by its first thousand decisions, and those after them are counted by the hour, late ones too", async () => {
	const definition = await ledger.define(experiment);
	const fold = foldBy();
	await learn(rowsOf(definition, 960));
	await fold.execute();
	expect(await reads.launch(runOf(definition))).toMatchObject({
		decisions: 960,
		launch: null,
	});
	await learn(rowsOf(definition, 140));
	await fold.execute();
	const stored = await reads.launch(runOf(definition));
	expect(stored?.launch).toMatchObject({
		decisions: 1_000,
		from: now,
		features: [{ values: 1_000 }, { values: 1_000 }],
	});
	expect(await counted(definition)).toBe(100);

	await learn(rowsOf(definition, 50, contextOf, now - 3 * HOUR));
	await learn(rowsOf(definition, 25));
	await learner.execute([
		ledger.happened(anEvent(rowsOf(definition, 1)[0] as DecisionRow, "play")),
	]);
	await fold.execute();
	expect(await counted(definition)).toBe(175);
	expect(await reads.folded(definition.experiment.key)).toEqual({
		revision: 14,
		newest: 14,
	});
	const thisHour = Math.floor(now / HOUR) * HOUR;
	const recent = await reads.counts(runOf(definition), thisHour);
	expect(recent?.decisions).toBe(125);
	expect((await reads.launch(runOf(definition)))?.launch).toEqual(
		stored?.launch,
	);
});

test("what shifts is seen, and what was served as it was logged is not", async () => {
	const definition = await ledger.define(experiment);
	await learn(rowsOf(definition, 1_000), 500);
	const shifted = rowsOf(
		definition,
		400,
		(i): JsonObject =>
			i < 100 ? { tempo: 90 } : { tempo: 90 + (i % 10), device: "watch" },
	);
	const wrong = shifted.map((row, i) =>
		i < 40 ? { ...row, x: row.x.map((v, k) => (k === 1 ? v + 0.5 : v)) } : row,
	);
	await learn(wrong);
	await foldBy().execute();
	const health = await healthOf(definition, reads, now);
	expect(health.window.decisions).toBe(400);
	const [tempo, device] = health.features;
	expect(tempo?.alarms).toEqual(["psi", "skew"]);
	expect(tempo?.skew).toEqual({ checked: 100, share: 0.1, largest: 0.5 });
	expect(device).toMatchObject({
		missing: { share: 0.25, launchShare: 0, reasons: { absent: 100 } },
		unseen: { share: 1, values: 300 },
		alarms: ["psi", "missing", "unseen"],
	});
	const newest = await reads.newestContexts(definition.experiment.key, 2);
	expect(newest).toEqual([
		{ tempo: 99, device: "watch" },
		{ tempo: 98, device: "watch" },
	]);
});

test("several who fold at once, and one that dies before it stores, count each decision once", async () => {
	const definition = await ledger.define(experiment);
	await learn(rowsOf(definition, 3_000), 20);
	const logs = [1, 2, 3].map(() => new PostgresContextLog(ledger.database));
	const dying = new PostgresContextLog(ledger.database);
	dying.commit = async () => {
		throw new Error("killed");
	};
	await expect(foldBy(dying).execute()).rejects.toThrow("killed");
	await freeClaims();
	let isOver = false;
	// One at a time: on a slow machine they would take all connections.
	const freeing = (async () => {
		while (!isOver) {
			await freeClaims().catch(() => {});
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
	})();
	try {
		await Promise.all(logs.map((log) => foldBy(log).execute()));
	} finally {
		isOver = true;
		await freeing;
	}
	await freeClaims();
	await foldBy().execute();
	expect(await counted(definition)).toBe(2_000);
	const again = await foldBy().execute();
	expect([again, await counted(definition)]).toEqual([false, 2_000]);
});

test("a part that two folded is stored once, whole or not at all", async () => {
	const definition = await ledger.define(experiment);
	await learn(rowsOf(definition, 500));
	const { key } = definition.experiment;
	const run = runOf(definition);
	const [first, second] = [1, 2].map(
		() => new PostgresContextLog(ledger.database),
	) as [PostgresContextLog, PostgresContextLog];
	const part = await first.claim(key);
	await freeClaims();
	expect(await second.claim(key)).toEqual(part);
	const changes = {
		launches: [],
		hours: [
			{ run, hour: 0, counts: { decisions: 7, remade: 0, features: [] } },
		],
	};
	const broken = { ...changes.hours[0], counts: 1n };
	await expect(
		second.commit(part as never, {
			...changes,
			hours: [...changes.hours, broken as never],
		}),
	).rejects.toThrow();
	expect(await second.commit(part as never, changes)).toBe(true);
	expect(await first.commit(part as never, changes)).toBe(false);
	expect(await counted(definition)).toBe(7);
	expect(await second.claim(key)).toBeNull();
});

test("another process waits while one is at it", async () => {
	const definition = await ledger.define(experiment);
	await learn(rowsOf(definition, 10));
	const { key } = definition.experiment;
	const first = new PostgresContextLog(ledger.database);
	const second = new PostgresContextLog(ledger.database);
	expect(await first.claim(key)).toEqual({ experiment: key, after: 0, to: 1 });
	expect(await second.claim(key)).toBeNull();
	expect(await first.claim(key)).not.toBeNull();
	await freeClaims();
	expect(await second.claim(key)).not.toBeNull();
});

test("a version or run of its own has a launch of its own, and what was decided while paused is nobody's", async () => {
	const first = await ledger.define(experiment, "twice");
	await learn(rowsOf(first, 1_100));
	await foldBy().execute();
	const paused = await ledger.store.change("twice", (current) => ({
		...(current as Definition),
		state: "paused",
		action: "pause",
		actor: "test",
		why: "",
	}));
	await learn(rowsOf(paused as Definition, 70));
	const second = (await ledger.store.change("twice", (current) => ({
		...(current as Definition),
		state: "running",
		run: 2,
		action: "start",
		actor: "test",
		why: "",
	}))) as Definition;
	// Decided under the first run, but late.
	const late = rowsOf(first, 5);
	await learn([...rowsOf(second, 1_010), ...late]);
	await foldBy().execute();
	expect(await counted(first)).toBe(105);
	expect(await counted(second)).toBe(10);
});

test("decisions erased before the launch was complete are none of it", async () => {
	const definition = await ledger.define(experiment);
	const erased = rowsOf(definition, 60);
	await learn(erased);
	await foldBy().execute();
	await ledger.database.query(
		"delete from decisions d where d.id = any ($1::uuid[])",
		[erased.map(({ id }) => id)],
	);
	await learn(rowsOf(definition, 950));
	await foldBy().execute();
	expect(await reads.launch(runOf(definition))).toMatchObject({
		decisions: 950,
		launch: null,
	});
	await learn(rowsOf(definition, 60));
	await foldBy().execute();
	expect(await counted(definition)).toBe(10);
});

test("an alarm is told to one of those who note it, and again once it was away for an hour", async () => {
	const run = { experiment: "alarmed", version: 1, run: 1 };
	const standing = [
		{ feature: "tempo", kind: "psi" },
		{ feature: "tempo", kind: "missing" },
	] as const;
	const told = await Promise.all(
		[1, 2, 3].map(() => reads.note(run, standing)),
	);
	expect(told.flat().length).toBe(2);
	expect(await reads.note(run, standing)).toEqual([]);
	await ledger.database.query(
		"update context_alarms set seen_at = now() - interval '61 minutes', since = now() - interval '2 hours' where kind = 'psi'",
	);
	expect(await reads.note(run, standing)).toEqual([standing[0]]);
});

test("hours that no window reaches are deleted, and launches of runs that are over with them", async () => {
	const definition = await ledger.define(experiment, "forgotten");
	await learn(rowsOf(definition, 1_001));
	await foldBy().execute();
	await ledger.database.query(
		"update context_hours set hour = now() - interval '9 days' where experiment = 'forgotten'",
	);
	await forgetContexts(ledger.database);
	expect(await counted(definition)).toBe(0);
	expect(await reads.launch(runOf(definition))).not.toBeNull();
	await ledger.define(experiment, "forgotten", 2);
	await forgetContexts(ledger.database);
	expect(await reads.launch(runOf(definition))).toBeNull();
});

test("a part's rows are looked up by their batch, whatever the log's size, before anything is known of a day's rows", async () => {
	const own = await LedgerOfTest.open();
	const writer = own.learner();
	try {
		const definition = await own.define(experiment);
		await new Learn(writer, isRefusal).execute([
			own.decided(...rowsOf(definition, 500)),
		]);
		// Batches of a learner elsewhere, of another experiment.
		await own.database.query(
			`insert into decisions select copy.*
			from (select r from decisions r order by r.id limit 1) one (d), generate_series(1, 10000) g,
				jsonb_populate_record(d, jsonb_build_object(
					'experiment', 'other', 'context', jsonb_build_object('tempo', repeat('1', 1500)),
					'batch', 1000000 + g / 500, 'id', left((d).id::text, 24) || 'f' || lpad(to_hex(g), 11, '0')
				)) copy`,
		);
		const plan: string[] = [];
		const explaining = {
			query: async (text: string, values: readonly unknown[] = []) => {
				const lines = await own.database.query<{ "QUERY PLAN": string }>(
					`explain (analyze, costs off) ${text}`,
					values,
				);
				plan.push(...lines.map((line) => line["QUERY PLAN"]));
				return [];
			},
		};
		const run = runOf(definition);
		const part = { experiment: run.experiment, after: 0, to: 1 };
		const log = new PostgresContextLog(explaining as never);
		await log.rows(part, null, 4_000, run);
		const read = plan.join("\n").matchAll(/actual time=\S+ rows=(\d+)/g);
		const most = Math.max(...[...read].map(([, rows]) => Number(rows)));
		expect(most, plan.join("\n")).toBe(500);
		expect(plan.join("\n")).not.toContain("Rows Removed by Filter");
	} finally {
		await writer.close();
		await own.close();
	}
});
