import { beforeEach, describe, expect, test } from "vitest";
import {
	PutExperiment,
	ReadAudit,
	RollBackExperiment,
	type RollbackTo,
	StartExperiment,
	StopExperiment,
} from "../src/index.js";
import { document } from "./documents.js";
import { MemoryDefinitionStore } from "./memory-definition-store.js";

const by = { actor: "ada", why: "" };
let store: MemoryDefinitionStore;
beforeEach(() => {
	store = new MemoryDefinitionStore();
});
const put = (more: object) =>
	new PutExperiment(store, store).execute({
		key: "morning",
		document: { ...document, ...more },
		...by,
	});
const start = () =>
	new StartExperiment(store, store).execute({ key: "morning", ...by });
const back = (to: RollbackTo, more: object = {}) =>
	new RollBackExperiment(store, store).execute({
		key: "morning",
		to,
		actor: "grace",
		why: "it was better",
		...more,
	});
const otherReward = { reward: { ...document.reward, window: "1h" } };

describe("a rollback", () => {
	test("makes a former row's document current again, in a row of its own that says who and why, and keeps the state", async () => {
		await put({});
		await start();
		await put({ name: "Another" });
		const { definition, diff } = await back({ definition: 1 });
		expect(definition).toMatchObject({
			id: 4,
			action: "rollback",
			actor: "grace",
			why: "it was better",
			state: "running",
			version: 1,
			run: 1,
			analysis: 1,
			epoch: 1,
		});
		expect(definition.experiment.name).toBe(document.name);
		expect(diff.changes).toEqual([`name: Another → ${document.name}`]);
		expect(store.rows).toHaveLength(4);
	});

	test("to another version goes on with that version's sums, and says so; the next new version has a number of its own", async () => {
		await put({});
		await start();
		await put(otherReward);
		await put({ ...otherReward, name: "Another" });
		const { definition, diff } = await back({ version: 1 });
		expect(definition).toMatchObject({ version: 1, state: "running" });
		expect(diff).toMatchObject({
			newVersion: false,
			reasons: [
				"The reward changed, so what is learned does: version 1 goes on with what it has learned.",
			],
		});
		expect((await back({ version: 2 })).definition).toMatchObject({
			version: 2,
			experiment: { name: "Another" },
		});
		await back({ version: 1 });
		const { definition: next } = await put({
			reward: { ...document.reward, default: 0.5 },
		});
		expect(next.version).toBe(3);
	});

	test("within the version changes nothing of what is learned", async () => {
		await put({});
		await put({ policy: { ...document.policy, alpha: 2 } });
		expect((await back({ definition: 1 })).definition.version).toBe(1);
	});

	test("over another control share is an epoch of its own, not the former one", async () => {
		await put({});
		await put({ traffic: { ...document.traffic, control: 0.3 } });
		const { definition, diff } = await back({ definition: 1 });
		expect(definition.epoch).toBe(3);
		expect(diff.newEpoch).toBe(true);
	});

	test("to what is there writes nothing, whatever the ETag says", async () => {
		await put({});
		const { definition, diff } = await back({ version: 1 }, { ifMatch: '"7"' });
		expect(definition.id).toBe(1);
		expect(diff.changes).toEqual([]);
	});

	test("under a stale ETag is a conflict that says what changed", async () => {
		await put({});
		await put({ name: "Another" });
		await put({ name: "A third" });
		await expect(
			back({ definition: 1 }, { ifMatch: '"2"' }),
		).rejects.toMatchObject({
			code: "edit-conflict",
			message: expect.stringContaining("name: Another → A third"),
		});
		expect(store.rows).toHaveLength(3);
	});

	test.each<[string, RollbackTo, string]>([
		["a version it never had", { version: 7 }, "to.version"],
		["a row it never had", { definition: 7 }, "to.definition"],
		["a row of another experiment", { definition: 2 }, "to.definition"],
	])("to %s is refused with where to look", async (_, to, path) => {
		await put({});
		await new PutExperiment(store, store).execute({
			key: "evening",
			document: { ...document, key: "evening" },
			...by,
		});
		await expect(back(to)).rejects.toMatchObject({
			code: "invalid",
			problems: [
				{
					path,
					message: expect.stringContaining("GET /v1/experiments/morning/audit"),
				},
			],
		});
	});

	test("of an experiment that is not there is unknown", async () => {
		await expect(back({ version: 1 })).rejects.toMatchObject({
			code: "unknown-experiment",
		});
	});

	test("to what is not valid any more is refused", async () => {
		await put({});
		await put({ name: "Another" });
		const verb = new RollBackExperiment(store, store, undefined, () => [
			{ path: "context", message: "Not allowed any more." },
		]);
		await expect(
			verb.execute({ key: "morning", to: { definition: 1 }, ...by }),
		).rejects.toMatchObject({
			code: "invalid",
			message: expect.stringContaining("context: Not allowed any more."),
		});
		expect(store.rows).toHaveLength(2);
	});

	test("cannot take away the arm that won", async () => {
		await put({ arms: [{ key: "focus" }] });
		await put({});
		await start();
		await new StopExperiment(store, store).execute({
			key: "morning",
			winner: "energy",
			...by,
		});
		await expect(back({ definition: 1 })).rejects.toMatchObject({
			code: "invalid",
			problems: [{ path: "arms" }],
		});
	});
});

describe("the audit", () => {
	const read = (limit = 20, before?: number) =>
		new ReadAudit(store, store).execute({
			key: "morning",
			limit,
			...(before && { before }),
		});

	test("says of each change, newest first, who, when, what, why, and what was before and after", async () => {
		await put({});
		await start();
		await put({ name: "Another", ...otherReward });
		const { entries, before } = await read();
		expect(before).toBeNull();
		expect(
			entries.map(({ id, action, actor, changes }) => [
				id,
				action,
				actor,
				changes,
			]),
		).toEqual([
			[
				3,
				"edit",
				"ada",
				[`name: ${document.name} → Another`, "reward.window: 30m → 1h"],
			],
			[2, "start", "ada", ["state: draft → running", "run: 0 → 1"]],
			[1, "create", "ada", []],
		]);
		expect(entries[0]).toMatchObject({
			etag: '"3"',
			at: "2025-06-15T15:06:40.000Z",
			before: {
				version: 1,
				state: "running",
				definition: { name: document.name },
			},
			after: { version: 2, state: "running", definition: { name: "Another" } },
		});
		expect(entries[2]).toMatchObject({
			before: null,
			after: { state: "draft" },
		});
		expect(JSON.stringify(entries)).not.toContain(store.rows[0]!.salt);
	});

	test("comes in pages that lead on to each other, each change once", async () => {
		await put({});
		for (let i = 0; i < 6; i++) await put({ name: `Name ${i}` });
		const ids: number[] = [];
		for (let before: number | null | undefined; before !== null; ) {
			const page = await read(3, before);
			ids.push(...page.entries.map(({ id }) => id));
			before = page.before;
		}
		expect(ids).toEqual([7, 6, 5, 4, 3, 2, 1]);
	});

	test("ends a page where its documents grow large, and leads on", async () => {
		const arms = Array.from({ length: 200 }, (_, i) => ({
			key: `a${i}`,
			payload: { text: "x".repeat(5_000) },
		}));
		await put({ arms });
		for (let i = 0; i < 5; i++) await put({ arms, name: `Name ${i}` });
		const page = await read();
		expect(page.entries.length).toBeLessThan(4);
		expect(page.before).toBe(page.entries.at(-1)!.id);
		expect((await read(20, page.before!)).entries[0]!.id).toBe(
			page.before! - 1,
		);
	});

	test("of an experiment that is not there is unknown", async () => {
		await expect(read()).rejects.toMatchObject({ code: "unknown-experiment" });
	});
});
