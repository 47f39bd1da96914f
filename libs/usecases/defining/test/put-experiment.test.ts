import { beforeEach, describe, expect, test } from "vitest";
import {
	etagOf,
	PutExperiment,
	StartExperiment,
	StopExperiment,
	viewDefinition,
} from "../src/index.js";
import { document } from "./documents.js";
import { MemoryDefinitionStore } from "./memory-definition-store.js";

const by = { actor: "ada", why: "to learn" };
let store: MemoryDefinitionStore;
let put: (
	document: unknown,
	more?: object,
) => ReturnType<PutExperiment["execute"]>;
let obeyed = 0;
beforeEach(() => {
	store = new MemoryDefinitionStore();
	obeyed = 0;
	const refresh = async () => {
		obeyed++;
	};
	const verb = new PutExperiment(store, store, { refresh });
	put = (body, more = {}) =>
		verb.execute({ key: "morning", document: body, ...by, ...more });
});

const start = () =>
	new StartExperiment(store, store).execute({ key: "morning", ...by });

describe("a PUT", () => {
	test("creates a draft of version 1 where there is none, with who and why", async () => {
		const { definition, created } = await put(document);
		expect(created).toBe(true);
		expect(definition).toMatchObject({
			state: "draft",
			version: 1,
			run: 0,
			epoch: 1,
			winner: null,
			bucketMs: 86_400_000,
			action: "create",
			...by,
		});
		expect(obeyed).toBe(1);
	});

	test("that repeats what is there writes nothing", async () => {
		const first = await put(document);
		const again = await put({
			...document,
			traffic: { baseline: "uniform", control: 0.1, share: 1 },
		});
		expect(again.created).toBe(false);
		expect(again.diff.changes).toEqual([]);
		expect(again.definition.id).toBe(first.definition.id);
		expect(store.rows).toHaveLength(1);
	});

	test("of another payload, alpha or share while it runs keeps version, run, epoch and state", async () => {
		await put(document);
		await start();
		const { definition, diff } = await put({
			...document,
			policy: { ...document.policy, alpha: 1 },
			traffic: { ...document.traffic, share: 0.5 },
		});
		expect(definition).toMatchObject({
			state: "running",
			version: 1,
			run: 1,
			epoch: 1,
			action: "edit",
		});
		expect(diff.changes.join("\n")).toMatch(/policy\.alpha: 0\.5 → 1/);
		expect(diff.changes.join("\n")).toMatch(/traffic\.share: 1 → 0\.5/);
	});

	test("of another reward while it runs starts a new version, still running", async () => {
		await put(document);
		await start();
		const { definition, diff } = await put({
			...document,
			reward: { ...document.reward, window: "1h" },
		});
		expect(definition).toMatchObject({
			state: "running",
			version: 2,
			run: 1,
			epoch: 1,
		});
		expect(diff.reasons).toHaveLength(1);
	});

	test("of another half-life that needs another bucket starts a new version with that bucket", async () => {
		await put(document);
		const { definition } = await put({
			...document,
			policy: { ...document.policy, halfLife: "16h" },
		});
		expect(definition).toMatchObject({ version: 2, bucketMs: 3_600_000 });
	});

	test("of another control share starts a new epoch in the same version", async () => {
		await put(document);
		const { definition } = await put({
			...document,
			traffic: { ...document.traffic, control: 0.2 },
		});
		expect(definition).toMatchObject({ version: 1, epoch: 2 });
	});

	test("whose key is not the path's is refused with its path", async () => {
		await expect(put({ ...document, key: "evening" })).rejects.toMatchObject({
			code: "invalid",
			problems: [{ path: "key" }],
		});
		expect(store.rows).toEqual([]);
	});

	test("names every problem of the document at once", async () => {
		const broken = {
			...document,
			hypotesis: "x",
			policy: { ...document.policy, ridge: "x" },
		};
		const paths = await put(broken).catch((error) =>
			error.problems.map(({ path }: { path: string }) => path),
		);
		expect(paths).toEqual(
			expect.arrayContaining(["hypotesis", "policy.ridge"]),
		);
	});

	test("cannot remove, pause or retire the arm that won", async () => {
		await put(document);
		await start();
		await new StopExperiment(store, store).execute({
			key: "morning",
			winner: "energy",
			...by,
		});
		const focus = { key: "focus" };
		for (const arms of [
			[focus, { key: "calm" }],
			[focus, { key: "energy", state: "paused" }],
			[focus, { key: "energy", state: "retired" }],
		])
			await expect(put({ ...document, arms })).rejects.toMatchObject({
				code: "invalid",
				problems: [{ path: "arms" }],
			});
		await put({ ...document, arms: [{ key: "energy" }] });
	});
});

describe("If-Match", () => {
	test("that still holds lets the edit through, alone, in a list, or as *", async () => {
		const etag = etagOf((await put(document)).definition);
		let alpha = 1;
		for (const ifMatch of [etag, "*"]) {
			const changed = await put(
				{ ...document, policy: { ...document.policy, alpha: alpha++ } },
				{ ifMatch },
			);
			expect(changed.diff.changes).toHaveLength(1);
		}
		const list = `"999", ${etagOf(store.rows.at(-1)!)}`;
		expect((await put(document, { ifMatch: list })).diff.changes).toHaveLength(
			1,
		);
	});

	test("that is stale is a conflict that says what changed since, and by whom", async () => {
		const etag = etagOf((await put(document)).definition);
		await put(
			{ ...document, policy: { ...document.policy, alpha: 2 } },
			{ actor: "grace" },
		);
		await start();
		const edit = put({ ...document, name: "Another" }, { ifMatch: etag });
		await expect(edit).rejects.toMatchObject({
			code: "edit-conflict",
			status: 409,
		});
		const error = await edit.catch((e) => e);
		expect(error.message).toMatch(/policy\.alpha: 0\.5 → 2/);
		expect(error.message).toMatch(/state: draft → running/);
		expect(error.message).toContain('"3"');
		expect(store.rows).toHaveLength(3);
	});

	test("that is stale does not matter where the edit is there already: its answer was lost", async () => {
		const etag = etagOf((await put(document)).definition);
		const edited = { ...document, name: "Another" };
		await put(edited, { ifMatch: etag });
		expect((await put(edited, { ifMatch: etag })).diff.changes).toEqual([]);
	});

	test("that is weak, garbled, of another experiment, or of one that is not there does not hold", async () => {
		await expect(put(document, { ifMatch: '"1"' })).rejects.toMatchObject({
			code: "edit-conflict",
		});
		await put(document);
		for (const ifMatch of ['W/"1"', "1", '"2"', ""])
			await expect(
				put({ ...document, name: "Another" }, { ifMatch }),
			).rejects.toMatchObject({ code: "edit-conflict" });
	});

	test("that is no ETag as it was given is told how one is sent", async () => {
		await put(document);
		for (const ifMatch of ['W/"1"', "1"])
			await expect(
				put({ ...document, name: "Another" }, { ifMatch }),
			).rejects.toThrow(
				`If-Match, ${ifMatch}, is no ETag of Segue: send it as it was given, in double quotes and without W/, such as "1", which is that of "${document.key}" now.`,
			);
	});

	test("If-None-Match: * creates, and never edits", async () => {
		expect((await put(document, { ifNoneMatch: "*" })).created).toBe(true);
		await expect(
			put({ ...document, name: "Another" }, { ifNoneMatch: "*" }),
		).rejects.toMatchObject({ code: "edit-conflict" });
	});
});

test("a view shows everything but the salt, and its definition can be put back", async () => {
	const { definition } = await put(document);
	const view = viewDefinition(definition);
	expect(JSON.stringify(view)).not.toContain(definition.salt);
	expect(view).toMatchObject({
		key: "morning",
		etag: '"1"',
		state: "draft",
		changed: { at: "2025-06-15T15:06:40.000Z", ...by },
	});
	expect((await put(view.definition)).diff.changes).toEqual([]);
});
