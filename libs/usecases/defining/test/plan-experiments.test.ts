import { expect, test } from "vitest";
import { type Experiment, parseExperiment } from "#core/experiment";
import {
	analysisInWords,
	etagOf,
	PlanExperiments,
	PutExperiment,
	passedInstants,
	planChange,
	StartExperiment,
	StopExperiment,
} from "../src/index.js";
import { document } from "./documents.js";
import { MemoryDefinitionStore } from "./memory-definition-store.js";

function parsed(raw: unknown): Experiment {
	const result = parseExperiment(raw);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}

test("a plan says per experiment what applying it would do, and does nothing", async () => {
	const store = new MemoryDefinitionStore();
	const put = new PutExperiment(store, store);
	for (const key of ["same", "other"])
		await put.execute({
			key,
			document: { ...document, key },
			actor: "ada",
			why: "",
		});
	const find = async (key: string) => {
		const stored = await store.find(key);
		return stored === null ? null : { ...stored, etag: etagOf(stored) };
	};
	const wanted = [
		{ ...document, key: "new" },
		{ ...document, key: "same" },
		{
			...document,
			key: "other",
			reward: { ...document.reward, default: 0.5 },
			traffic: { ...document.traffic, control: 0.3 },
		},
	].map(parsed);
	const plan = await new PlanExperiments({ find }).execute(wanted);
	expect(
		plan.map(({ key, action, etag, newVersion, newEpoch }) => [
			key,
			action,
			etag,
			newVersion,
			newEpoch,
		]),
	).toEqual([
		["new", "create", null, false, false],
		["same", "none", '"1"', false, false],
		["other", "edit", '"2"', true, true],
	]);
	expect(plan[2]!.changes.join("\n")).toMatch(
		/reward\.default: 0 → 0\.5[\s\S]*traffic\.control: 0\.1 → 0\.3/,
	);
	expect(store.rows).toHaveLength(2);
});

test("a plan says what would be refused, before anybody tries", async () => {
	const store = new MemoryDefinitionStore();
	const put = new PutExperiment(store, store);
	const by = { actor: "ada", why: "" };
	await put.execute({ key: "morning", document, ...by });
	await new StartExperiment(store, store).execute({ key: "morning", ...by });
	const find = async (key: string) => {
		const stored = await store.find(key);
		return stored === null ? null : { ...stored, etag: etagOf(stored) };
	};
	const primary = { metric: "reward", smallestEffect: 0.1, plannedUnits: 500 };
	const wanted = parsed({ ...document, metrics: { primary } });
	const [plan] = await new PlanExperiments({ find }).execute([wanted]);
	expect(plan).toMatchObject({
		action: "edit",
		refused: [{ path: "metrics.primary" }],
	});
	await new StopExperiment(store, store).execute({
		key: "morning",
		winner: document.arms[0]?.key,
		...by,
	});
	const others = parsed({ ...document, arms: document.arms.slice(1) });
	const [without] = await new PlanExperiments({ find }).execute([others]);
	expect(without?.refused).toEqual([
		{
			path: "arms",
			message: `Keep the arm "${document.arms[0]?.key}" active, or stop the experiment with another winner first.`,
		},
	]);
});

test("what the planned size can find is said in words, with the standard error and τ", () => {
	const primary = {
		metric: "reward",
		smallestEffect: 0.02,
		plannedUnits: 20_000,
	};
	const words = (more: object, control = 0.1) =>
		analysisInWords(
			parsed({
				...document,
				traffic: { control },
				metrics: { primary: { ...primary, ...more } },
			}),
		);
	expect(words({ spread: 0.4 })).toEqual([
		"It is judged by reward, at 20,000 units, about 2,000 of them control. This is fixed from the start until the stop.",
		"There the standard error of its lift is 0.00943, from a spread of 0.4; τ = 0.0266; the 95 % interval, which holds whenever it is read, reaches 0.0286 to either side.",
		"So it finds a lift of 0.0366 or more with a chance of 80 %; the smallest effect that matters, 0.02, needs about 66,800 units for that.",
	]);
	expect(words({ expected: 0.2, smallestEffect: 0.05 })[2]).toContain(
		"the smallest effect that matters, 0.05, is among these.",
	);
	expect(words({})[1]).toContain(
		"0.00714, taken to be smallestEffect 0.02 / 2.8, since neither spread nor expected is declared",
	);
	expect(words({}, 0)).toEqual([
		"traffic.control is 0, so policy and control cannot be compared: no lift of reward can be told.",
	]);
	expect(analysisInWords(parsed(document))[0]).toContain(
		"declare metrics.primary before the start",
	);
});

test("a plan warns of an instant that has passed before it is declared, not of one that was declared in time", () => {
	const start = "2026-12-01T08:00:00Z";
	const now = Date.UTC(2026, 11, 2);
	const before = parsed(document);
	const wanted = parsed({ ...document, schedule: { start } });
	const current = {
		state: "draft",
		version: 1,
		etag: '"1"',
		winner: null,
	} as const;
	const plans = [
		planChange(null, wanted),
		planChange({ ...current, experiment: before }, wanted),
		planChange(
			{ ...current, experiment: wanted },
			parsed({
				...document,
				schedule: { start, stop: "2026-12-01T09:00:00Z" },
			}),
		),
	];
	const sentence =
		"schedule.start, 2026-12-01T08:00:00Z, has passed, so nothing will start it: start it by hand, or name an instant to come.";
	expect(passedInstants(plans[0]!, wanted, now)).toEqual([sentence]);
	expect(passedInstants(plans[1]!, wanted, now)).toEqual([sentence]);
	expect(passedInstants(plans[2]!, wanted, now)).toEqual([]);
	expect(passedInstants(plans[0]!, wanted, Date.parse(start) - 1)).toEqual([]);
});
