import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import { type DecisionRow, encodeEvent } from "#core/log";
import { CloseWindows, Learn, SumsInTime } from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import {
	isRefusal,
	PostgresDecisionReads,
	PostgresOpenWindows,
	PostgresRevisionReads,
} from "./index.js";

const MINUTE = 60_000;
/** Window 30 min, and 5 min of grace. */
const DUE_MS = 35 * MINUTE;

const experiment = anExperiment({
	key: "closing",
	arms: [{ key: "a" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: {
		learn: "windowClose",
		window: "30m",
		default: -1,
		range: [-1, 2],
		outcomes: [{ type: "play", value: 0.25 }],
	},
});

let log: LedgerOfTest;
let windows: PostgresOpenWindows;
let definition: Definition;
let ids = 0;

beforeAll(async () => {
	log = await LedgerOfTest.open();
	windows = new PostgresOpenWindows(log.database);
});
afterAll(() => log?.close());
beforeEach(async () => {
	definition = await log.define(experiment);
	await log.database.query("delete from open_windows");
});

function decisions(count: number, fields: Partial<DecisionRow> = {}) {
	return Array.from({ length: count }, (_, i) =>
		aDecision(definition, {
			id: idAt(Date.now() - 60 * MINUTE, ++ids),
			arm: "a",
			context: { v: i / 4 },
			...fields,
		}),
	) as [DecisionRow, ...DecisionRow[]];
}

const posterior = async () => {
	const { revision, changed } = await log.posteriors.read(
		definition.experiment.key,
		1,
		0,
	);
	return { revision, n: changed[0]?.sums[0] ?? 0, b: changed[0]?.sums[1] ?? 0 };
};

const replay = () => log.verify(definition);

test("a decision teaches from the close of its window on: not before, and once whoever closes it", async () => {
	const one = log.learner();
	const two = log.learner();
	const learn = new Learn(one, isRefusal);
	const [shown, ...rest] = decisions(3);
	const outside = decisions(1, { group: "outside" });
	await learn.execute([
		log.decided(shown, ...rest, ...outside),
		log.happened(anEvent(shown, "play")),
		log.happened(anEvent(rest[0] as DecisionRow, "impression")),
	]);
	expect(await posterior()).toMatchObject({ revision: 1, n: 0 });

	const due = shown.decidedAt + DUE_MS;
	expect(await new CloseWindows(windows, one).execute(due - 1)).toEqual([]);
	expect(await posterior()).toMatchObject({ revision: 1, n: 0 });

	const later = due + 1_000;
	const closed = await Promise.all(
		[one, two].map((own) => new CloseWindows(windows, own).execute(later)),
	);
	const { revision, n, b } = await posterior();
	// One shown and played, one shown (the default); the third was never shown.
	expect({ n, b }).toEqual({ n: 2, b: 0.25 - 1 });
	expect(revision).toBe(2);
	expect(closed.flat().flatMap(({ verdicts }) => verdicts)).toMatchObject([
		{ verdict: "applied", change: 1 },
		{ verdict: "not exposed", change: -1 },
	]);
	expect(await windows.due(later, 10)).toEqual([]);
	expect(await replay()).toMatchObject({ equal: true, outcomes: 2 });

	await learn.execute([
		log.happened(anEvent(shown, "play", { id: "on-its-way" })),
	]);
	expect(await posterior()).toMatchObject({ revision: 3, n: 2, b: 0.5 - 1 });
	expect(await replay()).toMatchObject({ equal: true, outcomes: 3 });
	await Promise.all([one.close(), two.close()]);
});

test("the closing is shown with what it moved, and the sums of every revision can be told", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	await learn.execute([log.decided(row), log.happened(anEvent(row, "play"))]);
	const due = row.decidedAt + DUE_MS;
	await new CloseWindows(windows, own).execute(due);
	const found = await new PostgresDecisionReads(log.database, log.store).find(
		row.id,
	);
	expect(found).toMatchObject({
		learned: {
			exposed: true,
			reward: 0.25,
			closing: {
				at: row.decidedAt + 30 * MINUTE,
				revision: 2,
				moved: { exposed: 1, reward: 0.25, revision: 2 },
			},
		},
		events: [{ verdict: "applied", moved: null }],
	});
	const past = new PostgresRevisionReads(log.database, log.store);
	const sums = await SumsInTime.open(past, row.experiment, 1, 0, "now");
	await sums.moveTo(1);
	expect(sums.all()).toEqual([]);
	await sums.moveTo(2);
	expect(sums.all()).toMatchObject([{ arm: "a" }]);
	await own.close();
});

test("a decision that is gone is not brought back by the close of its window", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	await learn.execute([log.decided(row)]);
	for (const table of ["decisions", "decision_states"])
		await log.database.query(`delete from ${table} r where r.id = $1::uuid`, [
			row.id,
		]);
	const commits = await new CloseWindows(windows, own).execute(
		row.decidedAt + DUE_MS,
	);
	expect(commits).toMatchObject([{ events: 0, verdicts: [] }]);
	const left = await log.database.query<{ n: number }>(
		`select (select count(*) from decision_states s where s.id = $1::uuid) + (select count(*) from outcomes o where o.decision_id = $1::uuid)
			+ (select count(*) from open_windows) as n`,
		[row.id],
	);
	expect(left[0]?.n).toBe(0);
	await own.close();
});

test("the close of a window cannot be sent by a client", async () => {
	const own = log.learner();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	const forged = { ...anEvent(row, "play"), id: "", type: "_close" };
	await learn.execute([
		log.decided(row),
		log.happened(anEvent(row, "play")),
		log.message("segue.events._close", encodeEvent(forged)),
		log.message("segue.events.play", encodeEvent({ ...forged, type: "play" })),
	]);
	expect(await posterior()).toMatchObject({ n: 0 });
	await own.close();
});
