import { beforeEach, describe, expect, test } from "vitest";
import {
	GetExperiment,
	ListExperiments,
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
let store: MemoryDefinitionStore;
type Verb = "start" | "pause" | "stop" | "resume";
let verbs: Record<Verb, StartExperiment>;
beforeEach(async () => {
	store = new MemoryDefinitionStore();
	verbs = {
		start: new StartExperiment(store, store),
		pause: new PauseExperiment(store, store),
		stop: new StopExperiment(store, store),
		resume: new ResumeExperiment(store, store),
	};
	await new PutExperiment(store, store).execute({
		key: "morning",
		document,
		...by,
	});
});
const act = (action: Verb, more = {}) =>
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

	test("every start of a draft or of what was stopped begins an analysis, a resume goes on with it", async () => {
		const seen: string[] = [];
		for (const action of [
			"start",
			"pause",
			"resume",
			"pause",
			"start",
			"stop",
			"start",
		] as const) {
			const { state, run, bookedRun, analysis } = await act(action);
			seen.push(
				`${action}: ${state}, run ${run} booked in ${bookedRun}, analysis ${analysis}`,
			);
		}
		expect(seen).toEqual([
			"start: running, run 1 booked in 1, analysis 1",
			"pause: paused, run 1 booked in 1, analysis 1",
			"resume: running, run 2 booked in 1, analysis 1",
			"pause: paused, run 2 booked in 1, analysis 1",
			"start: running, run 3 booked in 1, analysis 1",
			"stop: stopped, run 3 booked in 1, analysis 1",
			"start: running, run 4 booked in 4, analysis 2",
		]);
	});

	const wrong = [
		[[], "resume", /is draft.*can start/],
		[["start"], "resume", /is running.*can pause or stop/],
		[["start", "stop"], "resume", /is stopped.*can start again/],
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

describe("a guardrail that trips", () => {
	const trip = (action: "pause" | "control", run = 1) =>
		new TripGuardrail(store).execute({
			key: "morning",
			run,
			action,
			why: "skip_rate is 0.41, above 0.35",
		});

	test("holds the policy at control's distribution until a person resumes, which is a new run of the same analysis", async () => {
		await act("start");
		const { definition, acted } = await trip("control");
		expect(acted).toBe(true);
		expect(definition).toMatchObject({
			state: "running",
			held: true,
			run: 1,
			action: "guardrail",
			actor: "guardrail",
			why: "skip_rate is 0.41, above 0.35",
		});
		await expect(act("start")).rejects.toMatchObject({
			code: "bad-transition",
			message: expect.stringMatching(
				/is running and held by a guardrail, so it cannot start\. It can pause or stop or resume\./,
			),
		});
		expect(await act("resume")).toMatchObject({
			state: "running",
			held: false,
			run: 2,
			analysis: 1,
		});
	});

	test("stays in force over an edit and is told in a conflict", async () => {
		await act("start");
		const { definition } = await trip("control");
		const put = new PutExperiment(store, store);
		const edited = await put.execute({
			key: "morning",
			document: { ...document, name: "Another" },
			...by,
		});
		expect(edited.definition).toMatchObject({ held: true, action: "edit" });
		await expect(
			act("stop", { ifMatch: `"${definition.id - 1}"` }),
		).rejects.toMatchObject({
			message: expect.stringContaining("held: false → true"),
		});
	});

	test("pauses for everyone, also what another holds already", async () => {
		await act("start");
		await trip("control");
		expect((await trip("pause")).definition).toMatchObject({
			state: "paused",
			held: false,
			action: "guardrail",
		});
		expect(await act("resume")).toMatchObject({ state: "running", run: 2 });
	});

	test.each([
		["is paused", ["pause"], 1],
		["is stopped", ["stop"], 1],
		["was resumed since", ["pause", "resume"], 1],
		["has not come to that run", [], 2],
	] as const)(
		"does nothing where the experiment %s",
		async (_, actions, run) => {
			await act("start");
			for (const action of actions) await act(action);
			const before = store.rows.length;
			expect((await trip("control", run)).acted).toBe(false);
			expect(store.rows).toHaveLength(before);
		},
	);

	test("goes by a name that nobody else may take, as the schedule does", async () => {
		for (const actor of ["guardrail", "schedule"])
			await expect(act("start", { actor })).rejects.toMatchObject({
				code: "invalid",
				problems: [{ path: "actor" }],
			});
	});
});

describe("what an experiment is judged by", () => {
	const primary = {
		metric: "reward",
		smallestEffect: 0.02,
		plannedUnits: 20_000,
	};
	const own = { name: "likes", event: "like" };
	const planned = {
		...document,
		metrics: { primary: { ...primary, metric: "likes" }, define: [own] },
		segments: ["device"],
	};
	const context = {
		features: [
			{ name: "device", from: "request", kind: "category", levels: ["a"] },
			{ name: "quiet", from: "request", kind: "boolean" },
			{ name: "age", from: "profile", kind: "number" },
		],
	};
	const put = (more: object) =>
		new PutExperiment(store, store).execute({
			key: "morning",
			document: { ...planned, context, ...more },
			...by,
		});

	test.each<[string, object, string]>([
		[
			"the primary metric's plan",
			{
				metrics: {
					...planned.metrics,
					primary: { ...planned.metrics.primary, plannedUnits: 300 },
				},
			},
			"metrics.primary",
		],
		[
			"the primary metric itself",
			{ metrics: { primary, define: [own] } },
			"metrics.primary",
		],
		[
			"what the primary metric counts",
			{ metrics: { ...planned.metrics, define: [{ ...own, within: "1m" }] } },
			"metrics.define",
		],
		[
			"that there is a primary metric",
			{ metrics: { define: [own] } },
			"metrics.primary",
		],
		["the segments", { segments: ["device", "quiet"] }, "segments"],
		["the covariate", { covariate: "age" }, "covariate"],
	])("is fixed from the start until the stop: %s", async (_, change, path) => {
		await put({});
		await put(change);
		await put({});
		for (const action of ["start", "pause"] as const) {
			await act(action);
			const before = store.rows.length;
			await expect(put(change)).rejects.toMatchObject({
				code: "bad-transition",
				status: 409,
				problems: [
					{
						path,
						message: expect.stringContaining(
							"Stop it, change this, and start it",
						),
					},
				],
			});
			expect(store.rows).toHaveLength(before);
		}
		await act("stop");
		await put(change);
		expect(await act("start")).toMatchObject({ analysis: 2, run: 2 });
	});

	test("leaves everything else to be changed while it runs, and says that what comes to be looked at is exploratory", async () => {
		await put({});
		await act("start");
		const { diff } = await put({
			name: "Another",
			traffic: { ...document.traffic, share: 0.5 },
			metrics: {
				...planned.metrics,
				secondary: ["click_rate"],
				define: [own, { name: "dislikes", event: "dislike" }],
			},
		});
		expect(diff.reasons).toEqual([
			"Declared while the experiment is running, so labelled exploratory until it is stopped and started again: click_rate.",
		]);
	});

	test("is not told as exploratory where it was declared before the start", async () => {
		await put({});
		expect(
			(
				await put({
					metrics: { ...planned.metrics, secondary: ["click_rate"] },
				})
			).diff.reasons,
		).toEqual([]);
	});
});
