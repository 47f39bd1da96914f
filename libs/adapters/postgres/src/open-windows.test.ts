import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import {
	type DecisionRow,
	type Event,
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import {
	CloseWindows,
	Learn,
	type LearnableMessage,
	SumsInTime,
	Verify,
} from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { createTestDatabase } from "../../../../test/support/database.js";
import {
	Database,
	isRefusal,
	PostgresDecisionReads,
	PostgresDefinitionStore,
	PostgresLearningLedger,
	PostgresLogReads,
	PostgresOpenWindows,
	PostgresPosteriorSource,
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

let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
let store: PostgresDefinitionStore;
let windows: PostgresOpenWindows;
let definition: Definition;
let position = 0;

beforeAll(async () => {
	testDatabase = await createTestDatabase({ migrated: true });
	database = new Database({
		connectionString: testDatabase.connectionString,
		applicationName: "test",
	});
	store = new PostgresDefinitionStore(database);
	windows = new PostgresOpenWindows(database);
});
afterAll(async () => {
	await database?.close();
	await testDatabase?.drop();
});
beforeEach(async () => {
	const key = `closing-${randomUUID()}`;
	const stored = await store.change(key, () => ({
		experiment: { ...experiment, key },
		version: 1,
		state: "running",
		run: 1,
		epoch: 1,
		winner: null,
		bucketMs: 86_400_000,
		action: "create",
		actor: "test",
		why: "",
	}));
	definition = stored as Definition;
	await database.query("delete from open_windows");
});

const ledger = () =>
	new PostgresLearningLedger({
		connectionString: testDatabase.connectionString,
		applicationName: "test learner",
		definitions: (ids) => store.byIds(ids),
	});

function message(subject: string, body: Uint8Array): LearnableMessage {
	position += 1;
	return { subject, body, storedAt: Date.now(), position };
}
const boot = randomUUID();
const decided = (...rows: DecisionRow[]) =>
	message(LOG_SUBJECT, encodeDecisions(rows, { boot, sequence: ++position }));
const happened = (event: Event) =>
	message(eventSubject(event.type), encodeEvent(event));

function decisions(count: number, fields: Partial<DecisionRow> = {}) {
	return Array.from({ length: count }, (_, i) =>
		aDecision(definition, {
			id: idAt(Date.now() - 60 * MINUTE, ++position),
			arm: "a",
			context: { v: i / 4 },
			...fields,
		}),
	) as [DecisionRow, ...DecisionRow[]];
}

const posterior = async () => {
	const { revision, changed } = await new PostgresPosteriorSource(
		database,
	).read(definition.experiment.key, 1, 0);
	return { revision, n: changed[0]?.sums[0] ?? 0, b: changed[0]?.sums[1] ?? 0 };
};

async function replay() {
	const reads = new PostgresLogReads(
		database,
		new PostgresPosteriorSource(database),
		store,
	);
	return new Verify(reads).execute(definition.experiment.key);
}

test("a decision teaches from the close of its window on: not before, and once whoever closes it", async () => {
	const one = ledger();
	const two = ledger();
	const learn = new Learn(one, isRefusal);
	const [shown, ...rest] = decisions(3);
	const outside = decisions(1, { group: "outside" });
	await learn.execute([
		decided(shown, ...rest, ...outside),
		happened(anEvent(shown, "play")),
		happened(anEvent(rest[0] as DecisionRow, "impression")),
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

	await learn.execute([happened(anEvent(shown, "play", { id: "on-its-way" }))]);
	expect(await posterior()).toMatchObject({ revision: 3, n: 2, b: 0.5 - 1 });
	expect(await replay()).toMatchObject({ equal: true, outcomes: 3 });
	await Promise.all([one.close(), two.close()]);
});

test("the closing is shown with what it moved, and the sums of every revision can be told", async () => {
	const own = ledger();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	await learn.execute([decided(row), happened(anEvent(row, "play"))]);
	const due = row.decidedAt + DUE_MS;
	await new CloseWindows(windows, own).execute(due);
	const found = await new PostgresDecisionReads(database, store).find(row.id);
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
	const past = new PostgresRevisionReads(database, store);
	const sums = await SumsInTime.open(past, row.experiment, 1, 0, "now");
	await sums.moveTo(1);
	expect(sums.all()).toEqual([]);
	await sums.moveTo(2);
	expect(sums.all()).toMatchObject([{ arm: "a" }]);
	await own.close();
});

test("a decision that is gone is not brought back by the close of its window", async () => {
	const own = ledger();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	await learn.execute([decided(row)]);
	for (const table of ["decisions", "decision_states"])
		await database.query(`delete from ${table} r where r.id = $1::uuid`, [
			row.id,
		]);
	const commits = await new CloseWindows(windows, own).execute(
		row.decidedAt + DUE_MS,
	);
	expect(commits).toMatchObject([{ events: 0, verdicts: [] }]);
	const left = await database.query<{ n: number }>(
		`select (select count(*) from decision_states s where s.id = $1::uuid) + (select count(*) from outcomes o where o.decision_id = $1::uuid)
			+ (select count(*) from open_windows) as n`,
		[row.id],
	);
	expect(left[0]?.n).toBe(0);
	await own.close();
});

test("the close of a window cannot be sent by a client", async () => {
	const own = ledger();
	const learn = new Learn(own, isRefusal);
	const [row] = decisions(1);
	const forged = { ...anEvent(row, "play"), id: "", type: "_close" };
	await learn.execute([
		decided(row),
		happened(anEvent(row, "play")),
		message("segue.events._close", encodeEvent(forged)),
		message("segue.events.play", encodeEvent({ ...forged, type: "play" })),
	]);
	expect(await posterior()).toMatchObject({ n: 0 });
	await own.close();
});
