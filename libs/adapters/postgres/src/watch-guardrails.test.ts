import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DecisionRow } from "#core/log";
import {
	PutExperiment,
	ResumeExperiment,
	StartExperiment,
	type StoredDefinition,
} from "#usecases/defining";
import { CountedSince, WatchGuardrails } from "#usecases/guarding";
import type { Learn } from "#usecases/learning";
import { aDecision, anEvent, idAt } from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { PostgresGuardBooks, PostgresGuardTrips } from "./index.js";

const by = { actor: "ada", why: "to learn" };
const SKIPS = { metric: "skip_rate", max: 0.35, action: "pause" };
let log: LedgerOfTest;
let learner: Learn;
beforeAll(async () => {
	log = await LedgerOfTest.open();
	learner = log.learning();
});
afterAll(() => log?.close());

const documentOf = (guardrails: readonly object[], more: object = {}) => ({
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.5 },
	guardrails,
	...more,
});
async function put(key: string, document: object): Promise<StoredDefinition> {
	const store = log.store;
	const answer = await new PutExperiment(store, store).execute({
		key,
		document: { key, ...document },
		...by,
	});
	return answer.definition;
}
async function running(
	guardrails: readonly object[],
	more: object = {},
): Promise<StoredDefinition> {
	const key = `watched-${randomUUID()}`;
	await put(key, documentOf(guardrails, more));
	const { store } = log;
	return new StartExperiment(store, store).execute({ key, ...by });
}
const current = async ({ experiment: { key } }: StoredDefinition) =>
	(await log.store.find(key)) as StoredDefinition;
const resume = ({ experiment: { key } }: StoredDefinition) =>
	new ResumeExperiment(log.store, log.store).execute({ key, ...by });

const later = () => Date.now() + 60_000;
function watcher(clock: () => Promise<number | null> = async () => later()) {
	const { database, store } = log;
	return new WatchGuardrails(
		store,
		new CountedSince(store),
		new PostgresGuardBooks(database),
		new PostgresGuardTrips(database),
		{ clock, isTold: true, mintId: () => `msg_${randomUUID()}`, now: Date.now },
	);
}
async function watch(
	{ experiment: { key } }: StoredDefinition,
	by = watcher(),
) {
	const { tripped, failed } = await by.execute();
	expect(failed).toEqual([]);
	return tripped.filter(({ experiment }) => experiment === key);
}
const messages = async ({ experiment: { key } }: StoredDefinition) =>
	log.database.query<{ type: string; data: Record<string, unknown> }>(
		"select m.type, m.data from webhook_messages m where m.data->>'experiment' = $1 order by m.at",
		[key],
	);

let made = 0;
/** Decisions of as many units as decisions, those of the first `skips` of each ten skipped. */
async function serve(
	definition: StoredDefinition,
	count: number,
	skips: number,
	fields: Partial<DecisionRow> = {},
): Promise<void> {
	const rows = Array.from({ length: count }, () =>
		aDecision(definition, {
			id: idAt(Date.now(), made++),
			arm: "a",
			unit: `unit-${made}`,
			...fields,
		}),
	);
	await learner.execute([log.decided(...rows)]);
	await learner.execute(
		rows.flatMap((row, i) => [
			log.happened(anEvent(row, "impression")),
			...(i % 10 < skips ? [log.happened(anEvent(row, "skip"))] : []),
		]),
	);
}

describe("guardrails", () => {
	it("pause what is far beyond its limit, say why, and tell it", async () => {
		const definition = await running([SKIPS]);
		await serve(definition, 200, 8);
		expect(await watch(definition)).toMatchObject([
			{ guardrail: 0, metric: "skip_rate", action: "pause" },
		]);
		const paused = await current(definition);
		expect(paused).toMatchObject({
			state: "paused",
			run: 1,
			action: "guardrail",
			actor: "guardrail",
		});
		expect(paused.why).toMatch(
			/^Guardrail 1 \(skip_rate, pause\): skip_rate is 80 % over 200 of the policy group's decisions by 200 units; with all looks counted it is at least \d\d(\.\d)? %, beyond the limit of 35 % at most\.$/,
		);
		expect(await messages(definition)).toMatchObject([
			{
				type: "guardrail.tripped",
				data: {
					experiment: definition.experiment.key,
					run: 1,
					guardrail: { index: 0, metric: "skip_rate", action: "pause" },
					decisions: 200,
					value: 0.8,
					limit: 0.35,
					sentence: paused.why,
				},
			},
		]);
		expect(await watch(definition)).toEqual([]);
	});

	it("do nothing before a decision's window has closed, nor before the first look", async () => {
		const definition = await running([{ ...SKIPS, firstLook: { units: 120 } }]);
		await serve(definition, 130, 10);
		const early = watcher(async () => Date.now());
		expect(await watch(definition, early)).toEqual([]);
		const untold = watcher(async () => null);
		expect(await watch(definition, untold)).toEqual([]);
		expect(await watch(definition)).toHaveLength(1);
		await resume(definition);
		await serve(await current(definition), 110, 10);
		expect(await watch(definition)).toEqual([]);
		await serve(await current(definition), 20, 10);
		expect(await watch(definition)).toHaveLength(1);
	});

	it("leave what is at its limit alone", async () => {
		const definition = await running([SKIPS]);
		await serve(definition, 1_000, 3);
		expect(await watch(definition)).toEqual([]);
		expect((await current(definition)).state).toBe("running");
	});

	it("hold the policy to control's distribution, counting only what the policy itself served", async () => {
		const versus = {
			metric: "skip_rate",
			versus: "control",
			margin: 0.05,
			action: "control",
		};
		const definition = await running([versus]);
		await serve(definition, 400, 6, { group: "policy" });
		await serve(definition, 90, 2, { group: "control" });
		expect(await watch(definition)).toEqual([]);
		await serve(definition, 310, 2, { group: "control" });
		expect(await watch(definition)).toMatchObject([{ action: "control" }]);
		const held = await current(definition);
		expect(held).toMatchObject({ state: "running", held: true, run: 1 });
		expect(held.why).toContain("beyond control's 20 % and the margin of 5 %.");
		await serve(held, 400, 10, { degraded: ["guardrail"] });
		expect(await watch(definition)).toEqual([]);
	});

	it("only alert where that is all they are to do, once", async () => {
		const definition = await running([{ ...SKIPS, action: "alert" }]);
		await serve(definition, 200, 8);
		expect(await watch(definition)).toHaveLength(1);
		expect((await current(definition)).id).toBe(definition.id);
		await serve(definition, 200, 8);
		expect(await watch(definition)).toEqual([]);
		expect(await messages(definition)).toHaveLength(1);
	});

	it("count afresh once a person has resumed, and act again if it goes on", async () => {
		const definition = await running([SKIPS]);
		await serve(definition, 200, 8);
		await watch(definition);
		const resumed = await resume(definition);
		expect(await watch(definition)).toEqual([]);
		expect((await current(definition)).state).toBe("running");
		await serve(resumed, 90, 10);
		expect(await watch(definition)).toEqual([]);
		await serve(resumed, 20, 10);
		expect(await watch(definition)).toMatchObject([{ action: "pause" }]);
		expect((await current(definition)).run).toBe(2);
	});

	it("count on through an edit of what they do not depend on, and afresh after one of theirs", async () => {
		const definition = await running([SKIPS]);
		const { key } = definition.experiment;
		await serve(definition, 60, 10);
		const renamed = await put(key, documentOf([SKIPS], { name: "Renamed" }));
		await serve(renamed, 60, 10);
		const strict = { ...SKIPS, max: 0.3 };
		const edited = await put(key, documentOf([strict], { name: "Renamed" }));
		expect(await watch(definition)).toEqual([]);
		const back = await put(key, documentOf([SKIPS], { name: "Renamed" }));
		await serve(edited, 200, 10);
		await serve(back, 60, 10);
		expect(await watch(definition)).toEqual([]);
		await put(key, documentOf([SKIPS], { name: "Renamed again" }));
		await serve(await current(definition), 60, 10);
		expect(await watch(definition)).toHaveLength(1);
	});

	it("act once though many watch", async () => {
		const definition = await running([
			SKIPS,
			{ metric: "play_rate", min: 0.2, action: "alert", within: "30s" },
		]);
		await serve(definition, 600, 8);
		const all = await Promise.all(
			Array.from({ length: 4 }, async () => {
				const own = watcher();
				return [await watch(definition, own), await watch(definition, own)];
			}),
		);
		const actions = all.flat(2).map(({ action }) => action);
		expect(actions.filter((action) => action === "pause")).toHaveLength(1);
		expect(actions.filter((action) => action === "alert").length).toBeLessThan(
			2,
		);
		expect(await messages(definition)).toHaveLength(actions.length);
	});

	it("let a person's change stand that came between the look and the act", async () => {
		const definition = await running([SKIPS]);
		const { store, database } = log;
		await serve(definition, 200, 8);
		const trips = new PostgresGuardTrips(database);
		const late = new WatchGuardrails(
			store,
			new CountedSince(store),
			new PostgresGuardBooks(database),
			{
				since: (experiment, since) => trips.since(experiment, since),
				trip: async (...args) => {
					const { key } = definition.experiment;
					await put(key, documentOf([{ ...SKIPS, max: 0.9 }]));
					return trips.trip(...args);
				},
			},
			{
				clock: async () => later(),
				isTold: true,
				mintId: randomUUID,
				now: Date.now,
			},
		);
		expect(await watch(definition, late)).toEqual([]);
		expect(await current(definition)).toMatchObject({
			state: "running",
			action: "edit",
		});
		expect(await messages(definition)).toEqual([]);
	});
});
