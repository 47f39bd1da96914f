import { expect, test } from "vitest";
import { type Experiment, parseExperiment } from "#core/experiment";
import { etagOf, PlanExperiments, PutExperiment } from "../src/index.js";
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
