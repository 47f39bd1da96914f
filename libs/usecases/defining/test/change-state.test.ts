import { beforeEach, describe, expect, test } from "vitest";
import {
	GetExperiment,
	ListExperiments,
	PauseExperiment,
	PutExperiment,
	StartExperiment,
	StopExperiment,
} from "../src/index.js";
import { document } from "./documents.js";
import { MemoryDefinitionStore } from "./memory-definition-store.js";

const by = { actor: "ada", why: "" };
let store: MemoryDefinitionStore;
let verbs: Record<"start" | "pause" | "stop", StartExperiment>;
beforeEach(async () => {
	store = new MemoryDefinitionStore();
	verbs = {
		start: new StartExperiment(store, store),
		pause: new PauseExperiment(store, store),
		stop: new StopExperiment(store, store),
	};
	await new PutExperiment(store, store).execute({
		key: "morning",
		document,
		...by,
	});
});
const act = (action: "start" | "pause" | "stop", more = {}) =>
	verbs[action].execute({ key: "morning", ...by, ...more });

describe("an experiment's state", () => {
	test("goes draft, running, paused, running, stopped, running; every start is a new run", async () => {
		const seen: string[] = [];
		for (const action of [
			"start",
			"pause",
			"start",
			"stop",
			"start",
		] as const) {
			const { state, run, version } = await act(action);
			seen.push(`${state} ${run} ${version}`);
		}
		expect(seen).toEqual([
			"running 1 1",
			"paused 1 1",
			"running 2 1",
			"stopped 2 1",
			"running 3 1",
		]);
		expect(store.rows.map(({ action }) => action)).toEqual([
			"create",
			"start",
			"pause",
			"start",
			"stop",
			"start",
		]);
	});

	const wrong = [
		[[], "pause", /is draft.*can start/],
		[[], "stop", /is draft/],
		[["start"], "start", /is running.*pause or stop/],
		[["start", "pause"], "pause", /is paused/],
		[["start", "stop"], "pause", /is stopped/],
		[["start", "stop"], "stop", /is stopped.*another winner/],
	] as const;
	for (const [before, action, says] of wrong)
		test(`does not allow ${[...before, action].join(", ")}`, async () => {
			for (const earlier of before) await act(earlier);
			const error = await act(action).catch((e) => e);
			expect(error).toMatchObject({ code: "bad-transition", status: 409 });
			expect(error.message).toMatch(says);
			expect(store.rows).toHaveLength(before.length + 1);
		});

	test("a stop names its winner, which a second stop may change and a start forgets", async () => {
		await act("start");
		expect(await act("stop", { winner: "energy" })).toMatchObject({
			winner: "energy",
		});
		expect(await act("stop", { winner: "focus" })).toMatchObject({
			winner: "focus",
			state: "stopped",
		});
		expect(await act("start")).toMatchObject({ winner: null });
	});

	test("a winner that is no arm is refused with its path", async () => {
		await act("start");
		await expect(act("stop", { winner: "nobody" })).rejects.toMatchObject({
			code: "invalid",
			problems: [{ path: "winner" }],
		});
	});

	test.each(["paused", "retired"])(
		"a winner that is %s is refused, naming those that may win",
		async (state) => {
			const [focus, energy] = document.arms;
			const arms = [focus, { ...energy, state }];
			await new PutExperiment(store, store).execute({
				key: "morning",
				document: { ...document, arms },
				...by,
			});
			await act("start");
			await expect(act("stop", { winner: "energy" })).rejects.toMatchObject({
				code: "invalid",
				message: expect.stringContaining(`is ${state}, so it cannot win`),
				problems: [
					{
						path: "winner",
						message: "Must be one of its active arms: focus.",
					},
				],
			});
		},
	);

	test("with a stale If-Match nothing happens", async () => {
		await act("start");
		await expect(act("stop", { ifMatch: '"1"' })).rejects.toMatchObject({
			code: "edit-conflict",
			message: expect.stringMatching(/state: draft → running/),
		});
		expect(await act("stop", { ifMatch: '"2"' })).toMatchObject({
			state: "stopped",
		});
	});

	test("an experiment that is not there is unknown", async () => {
		await expect(
			verbs.start.execute({ key: "evening", ...by }),
		).rejects.toMatchObject({ code: "unknown-experiment" });
		await expect(
			new GetExperiment(store).execute("evening"),
		).rejects.toMatchObject({ code: "unknown-experiment" });
		expect(
			(await new ListExperiments(store).execute()).map(
				({ experiment }) => experiment.key,
			),
		).toEqual(["morning"]);
	});
});
