import { beforeEach, describe, expect, test } from "vitest";
import {
	CarryOutSchedules,
	PauseExperiment,
	PutExperiment,
	ResumeExperiment,
	StartExperiment,
	StopExperiment,
	TripGuardrail,
} from "../src/index.js";
import { document } from "./documents.js";
import { MemoryDefinitionStore } from "./memory-definition-store.js";

const by = { actor: "ada", why: "" };
const EIGHT = Date.UTC(2026, 11, 1, 8);
const HOUR = 3_600_000;
const start = "2026-12-01T08:00:00Z";
const stop = "2026-12-15T08:00:00Z";
const STOP = Date.UTC(2026, 11, 15, 8);

let now: number;
let store: MemoryDefinitionStore;
let process: CarryOutSchedules;
const newProcess = () =>
	new CarryOutSchedules(store, store, { now: async () => now });
beforeEach(() => {
	now = EIGHT - 24 * HOUR;
	store = new MemoryDefinitionStore(() => now);
	process = newProcess();
});
const put = (schedule: object | undefined, more: object = {}) =>
	new PutExperiment(store, store).execute({
		key: "morning",
		document: { ...document, ...(schedule && { schedule }), ...more },
		...by,
	});
const verbs = {
	start: StartExperiment,
	pause: PauseExperiment,
	stop: StopExperiment,
	resume: ResumeExperiment,
};
const act = (action: keyof typeof verbs) =>
	new verbs[action](store, store).execute({ key: "morning", ...by });
/** What each look wrote, as `action state why`. */
async function look(at: number = now): Promise<string[]> {
	now = at;
	const { done, missed, failed } = await process.execute();
	expect(failed).toEqual([]);
	return [
		...done.map(({ action, state, why }) => `${action} ${state}: ${why}`),
		...missed.map(() => "missed"),
	];
}

describe("a schedule", () => {
	test("starts a draft at its instant and stops it at the other, each once, by a row that says so", async () => {
		await put({ start, stop });
		expect(await look(EIGHT - 1)).toEqual([]);
		expect(await look(EIGHT)).toEqual([
			`start running: schedule.start is ${start}`,
		]);
		expect(await look(EIGHT + HOUR)).toEqual([]);
		expect(await look(STOP)).toEqual([
			`stop stopped: schedule.stop is ${stop}`,
		]);
		expect(await look(STOP + HOUR)).toEqual([]);
		expect(store.rows.at(-1)).toMatchObject({
			actor: "schedule",
			state: "stopped",
			run: 1,
			analysis: 1,
			winner: null,
		});
	});

	test("is carried out once by several who look at the same time", async () => {
		await put({ start });
		now = EIGHT;
		const looks = await Promise.all(
			Array.from({ length: 5 }, () => newProcess().execute()),
		);
		expect(looks.flatMap(({ done }) => done)).toHaveLength(1);
		expect(store.rows).toHaveLength(2);
	});

	test("is carried out late after a time when nobody was there, and says how late", async () => {
		await put({ start });
		expect(await look(EIGHT + 2 * HOUR + 5 * 60_000)).toEqual([
			`start running: schedule.start is ${start}; done 2 h 5 min late, since no learner was there before`,
		]);
		await put({ start, stop });
		expect(await look(STOP + 90_000)).toEqual([
			`stop stopped: schedule.stop is ${stop}; done 2 min late, since no learner was there before`,
		]);
	});

	test("starts nothing whose stop has passed as well, and tells it once", async () => {
		await put({ start, stop });
		expect(await look(STOP + HOUR)).toEqual(["missed"]);
		expect(await look(STOP + 2 * HOUR)).toEqual([]);
		expect(store.rows).toHaveLength(1);
	});

	test("does nothing about an instant that had passed when it was declared", async () => {
		now = STOP + HOUR;
		await put({ start });
		expect(await look()).toEqual([]);
		await act("start");
		await put({ start, stop });
		expect(await look(now + HOUR)).toEqual([]);
		expect(store.rows.at(-1)).toMatchObject({ state: "running" });
	});

	test.each([
		["started before, then paused", ["start", "pause"]],
		["started before, then stopped", ["start", "stop"]],
	] as const)("never restarts what a person %s", async (_, actions) => {
		await put({ start });
		for (const action of actions) await act(action);
		expect(await look(EIGHT)).toEqual([]);
		expect(await look(EIGHT + HOUR)).toEqual([]);
	});

	test.each(["pause", "stop"] as const)(
		"never restarts what a person did %s since it started, whatever was edited meanwhile",
		async (action) => {
			await put({ start });
			await look(EIGHT);
			now = EIGHT + HOUR;
			await act(action);
			expect(await look(EIGHT + 2 * HOUR)).toEqual([]);
			await put({ start }, { name: "Another" });
			expect(await look(EIGHT + 3 * HOUR)).toEqual([]);
			process = newProcess();
			expect(await look(EIGHT + 4 * HOUR)).toEqual([]);
		},
	);

	test("never restarts what a guardrail paused", async () => {
		await put({ start });
		await look(EIGHT);
		await new TripGuardrail(store).execute({
			key: "morning",
			run: 1,
			action: "pause",
			why: "worse",
		});
		expect(await look(EIGHT + HOUR)).toEqual([]);
		expect(store.rows.at(-1)).toMatchObject({
			state: "paused",
			action: "guardrail",
		});
	});

	test("starts again what was stopped, where a new start was declared after that", async () => {
		await put({ start });
		await look(EIGHT);
		await act("stop");
		await put({ start: "2026-12-03T08:00:00Z" });
		expect(await look(EIGHT + 24 * HOUR)).toEqual([]);
		expect(await look(EIGHT + 48 * HOUR)).toHaveLength(1);
		expect(store.rows.at(-1)).toMatchObject({
			state: "running",
			run: 2,
			analysis: 2,
		});
	});

	test("leaves running what a person started early, and stops what is paused", async () => {
		await put({ start, stop });
		await act("start");
		expect(await look(EIGHT)).toEqual([]);
		await act("pause");
		expect(await look(STOP)).toEqual([
			`stop stopped: schedule.stop is ${stop}`,
		]);
	});

	test("does not stop what a person started again after the instant", async () => {
		await put({ stop });
		await act("start");
		await act("pause");
		now = STOP + 1;
		await act("resume");
		expect(await look(STOP + HOUR)).toEqual([]);
		expect(store.rows.at(-1)).toMatchObject({ state: "running" });
	});

	test("stops at the new instant where that was moved", async () => {
		await put({ stop });
		await act("start");
		await put({ stop: "2026-12-16T08:00:00Z" });
		expect(await look(STOP)).toEqual([]);
		expect(await look(STOP + 24 * HOUR)).toHaveLength(1);
	});

	test("is looked up however many rows came since it was declared", async () => {
		await put({ start });
		for (let i = 0; i < 120; i++) await put({ start }, { name: `Name ${i}` });
		expect(await look(EIGHT)).toHaveLength(1);
		await act("stop");
		for (let i = 0; i < 120; i++) await put({ start }, { name: `Name ${i}` });
		expect(await look(EIGHT + HOUR)).toEqual([]);
	});

	test("leaves alone what somebody changes while it is judged", async () => {
		await put({ start });
		now = EIGHT;
		const page = store.page.bind(store);
		let raced = false;
		store.page = async (...asked) => {
			const rows = await page(...asked);
			if (!raced) {
				raced = true;
				await put({});
			}
			return rows;
		};
		expect(await look()).toEqual([]);
		expect(await look()).toEqual([]);
		expect(store.rows.at(-1)).toMatchObject({ state: "draft" });
	});

	test("that one experiment cannot keep does not hold up the others", async () => {
		await put({ start });
		await new PutExperiment(store, store).execute({
			key: "evening",
			document: { ...document, key: "evening", schedule: { start } },
			...by,
		});
		const change = store.change.bind(store);
		store.change = (key, decide) =>
			key === "evening"
				? Promise.reject(new Error("the database is away"))
				: change(key, decide);
		now = EIGHT;
		const { done, failed } = await process.execute();
		expect(done.map(({ experiment }) => experiment.key)).toEqual(["morning"]);
		expect(failed.map(({ key }) => key)).toEqual(["evening"]);
		store.change = change;
		expect(await look()).toHaveLength(1);
	});
});
