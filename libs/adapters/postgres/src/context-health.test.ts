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
let closeLearner: () => Promise<void>;
const now = Math.floor(Date.now() / HOUR) * HOUR + 1_000;

beforeAll(async () => {
	ledger = await LedgerOfTest.open();
	reads = new PostgresContextReads(ledger.database);
	ownLog = new PostgresContextLog(ledger.database);
	const own = ledger.learner();
	learner = new Learn(own, isRefusal);
	closeLearner = () => own.close();
});
afterAll(async () => {
	await closeLearner?.();
	await ledger?.close();
});

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
	const freeing = setInterval(() => void freeClaims(), 5);
	try {
		await Promise.all(logs.map((log) => foldBy(log).execute()));
	} finally {
		clearInterval(freeing);
	}
	await freeClaims();
	await foldBy().execute();
	expect(await counted(definition)).toBe(2_000);
	const again = await foldBy().execute();
	expect([again, await counted(definition)]).toEqual([false, 2_000]);
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

test("a part's rows are looked up by their batch, whatever the log's size", async () => {
	const explained: string[] = [];
	const asking = {
		query: async (text: string, values: readonly unknown[] = []) => {
			const plan = await ledger.database.query<{ "QUERY PLAN": string }>(
				`explain ${text}`,
				values,
			);
			explained.push(...plan.map((line) => line["QUERY PLAN"]));
			return [];
		},
	};
	await ledger.database.query("analyze decisions");
	const log = new PostgresContextLog(asking as never);
	const part = { experiment: "health", after: 0, to: 20 };
	await log.rows(part, null, 1_000, { ...part, version: 1, run: 1 });
	const plan = explained.join("\n");
	expect(plan).toMatch(
		/Index Scan (using|on) decisions_\d+_batch_idx.*\n.*Index Cond: \(batch = l\.batch\)/,
	);
	// Days without a row are read as they are.
	const rowsRead = [...plan.matchAll(/Seq Scan on decisions_.*rows=(\d+)/g)];
	expect(Math.max(...rowsRead.map(([, rows]) => Number(rows)))).toBe(1);
});
