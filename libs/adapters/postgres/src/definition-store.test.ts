import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Decide, DefinitionCache } from "#usecases/deciding";
import {
	etagOf,
	PutExperiment,
	ReadAudit,
	RollBackExperiment,
	StartExperiment,
	TripGuardrail,
} from "#usecases/defining";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database } from "./database.js";
import { PostgresDefinitionStore } from "./definition-store.js";

/** Two processes, as far as the database can tell: each has a pool of its own. */
let testDatabase: TestDatabase;
let databases: Database[];
let stores: PostgresDefinitionStore[];
beforeAll(async () => {
	testDatabase = await createTestDatabase({ migrated: true });
	databases = ["one", "other"].map(
		(name) =>
			new Database({
				connectionString: testDatabase.connectionString,
				applicationName: `test ${name}`,
			}),
	);
	stores = databases.map((database) => new PostgresDefinitionStore(database));
});
afterAll(async () => {
	await Promise.all(databases.map((database) => database.close()));
	await testDatabase.drop();
});

const by = { actor: "ada", why: "to learn" };
const documentOf = (key: string, more: object = {}) => ({
	key,
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.1 },
	...more,
});
const at = (i: number) => stores[i % 2] as PostgresDefinitionStore;
const put = (i: number, key: string, more: object, precondition: object = {}) =>
	new PutExperiment(at(i), at(i)).execute({
		key,
		document: documentOf(key, more),
		...by,
		...precondition,
	});

describe("two who change an experiment at once", () => {
	it("are told apart: one edit wins, the other learns what changed, and its own change is in no row", async () => {
		const { definition } = await put(0, "edited", {});
		const ifMatch = etagOf(definition);
		const settled = await Promise.allSettled(
			Array.from({ length: 8 }, (_, i) =>
				put(i, "edited", { name: `Name ${i}` }, { ifMatch }),
			),
		);
		const won = settled.flatMap((result) =>
			result.status === "fulfilled" ? [result.value] : [],
		);
		const lost = settled.flatMap((result) =>
			result.status === "rejected" ? [result.reason] : [],
		);
		expect(won).toHaveLength(1);
		const { name } = won[0]!.definition.experiment;
		expect(lost).toHaveLength(7);
		for (const error of lost)
			expect(error).toMatchObject({
				code: "edit-conflict",
				status: 409,
				problems: [{ path: "", message: `name: edited → ${name}` }],
			});
		const rows = await at(0).page("edited", null, 10);
		expect(rows.map(({ action }) => action)).toEqual(["edit", "create"]);
	});

	it("create it once: the other is told that it is there", async () => {
		const settled = await Promise.allSettled(
			Array.from({ length: 8 }, (_, i) =>
				put(i, "created", { name: `Name ${i}` }, { ifNoneMatch: "*" }),
			),
		);
		const codes = settled.map((result) =>
			result.status === "fulfilled" ? "created" : result.reason.code,
		);
		expect(codes.filter((code) => code === "created")).toHaveLength(1);
		expect(codes.filter((code) => code === "edit-conflict")).toHaveLength(7);
		expect(await at(0).page("created", null, 10)).toHaveLength(1);
	});

	it("with the same in mind are both right, and write it once", async () => {
		const { definition } = await put(0, "same", {});
		const ifMatch = etagOf(definition);
		const both = await Promise.all(
			[0, 1].map((i) => put(i, "same", { name: "Alike" }, { ifMatch })),
		);
		expect(both[0]?.definition.id).toBe(both[1]?.definition.id);
		expect(await at(0).page("same", null, 10)).toHaveLength(2);
	});

	it("guardrails among them: one acts, the other finds it done", async () => {
		await put(0, "held", {});
		await new StartExperiment(at(0), at(0)).execute({ key: "held", ...by });
		const tripped = {
			key: "held",
			run: 1,
			action: "control",
			why: "skip_rate is above 0.35",
		} as const;
		const both = await Promise.all(
			[0, 1].map((i) => new TripGuardrail(at(i)).execute(tripped)),
		);
		expect(both.map(({ acted }) => acted).sort()).toEqual([false, true]);
		expect(await at(1).find("held")).toMatchObject({
			state: "running",
			held: true,
			run: 1,
			analysis: 1,
			action: "guardrail",
			actor: "guardrail",
			why: tripped.why,
		});
	});
});

describe("definition rows", () => {
	it("are never changed or deleted, whoever tries", async () => {
		await put(0, "kept", {});
		const [database] = databases as [Database];
		for (const statement of [
			"update experiment_definitions set why = '' where experiment = 'kept'",
			"delete from experiment_definitions where experiment = 'kept'",
			"truncate experiment_definitions",
		])
			await expect(database.query(statement)).rejects.toMatchObject({
				message:
					"Rows of experiment_definitions are only added, never changed or deleted: they say who changed what.",
			});
		expect(await at(0).page("kept", null, 10)).toHaveLength(1);
	});

	it("that were made before rollups went over pauses are booked in their own run", async () => {
		await put(0, "older", {});
		const started = await new StartExperiment(at(0), at(0)).execute({
			key: "older",
			...by,
		});
		expect(started).toMatchObject({ run: 1, bookedRun: 1 });
		const [database] = databases as [Database];
		const { rows } = await database.transaction((client) =>
			client.query<{ id: number }>(
				`insert into experiment_definitions (experiment, version, state, run, analysis, epoch, held, bucket_ms, definition, action, actor, why)
				select d.experiment, d.version, 'running', 7, d.analysis, d.epoch, d.held, d.bucket_ms, d.definition, d.action, d.actor, d.why
				from experiment_definitions d where d.id = $1 returning id`,
				[started.id],
			),
		);
		expect(await at(0).byIds([rows[0]?.id as number])).toMatchObject([
			{ run: 7, bookedRun: 7 },
		]);
	});

	it("lead back to a former version with all it has learned; the version after it has a number of its own", async () => {
		const other = {
			reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
		};
		await put(0, "back", {});
		await put(0, "back", other);
		const back = new RollBackExperiment(at(1), at(1));
		const { definition, diff } = await back.execute({
			key: "back",
			to: { version: 1 },
			...by,
		});
		expect(definition).toMatchObject({ version: 1, action: "rollback" });
		expect(diff).toMatchObject({ newVersion: false });
		const again = await put(0, "back", { ...other, name: "Third" });
		expect(again.definition.version).toBe(3);
	});

	it("are read page by page, newest first, each with what it changed", async () => {
		await put(0, "audited", {});
		for (const i of [1, 2, 3]) await put(i, "audited", { name: `Name ${i}` });
		const audit = new ReadAudit(at(1), at(1));
		const first = await audit.execute({ key: "audited", limit: 3 });
		expect(first.entries.map(({ changes }) => changes)).toEqual([
			["name: Name 2 → Name 3"],
			["name: Name 1 → Name 2"],
			["name: audited → Name 1"],
		]);
		const { before } = first;
		const rest = await audit.execute({
			key: "audited",
			limit: 3,
			before: before ?? 0,
		});
		expect(rest.entries).toMatchObject([{ action: "create", before: null }]);
		expect(rest.before).toBeNull();
	});
});

it("a row that was read is parsed once, however often it is asked for", async () => {
	for (let i = 0; i < 40; i++) await put(0, "often", { name: `Name ${i}` });
	const store = new PostgresDefinitionStore(databases[0] as Database);
	const first = await store.page("often", null, 100);
	const again = await store.page("often", null, 100);
	expect(first).toHaveLength(40);
	expect(first[0]?.experiment.name).toBe("Name 39");
	for (const [i, { experiment }] of first.entries())
		expect(again[i]?.experiment).toBe(experiment);
	expect((await store.find("often"))?.experiment).toBe(first[0]?.experiment);
});

describe("a stored row that cannot be read, such as a newer Segue's", () => {
	it("is told of once and leaves its experiment out, while the others are had; asked for, it says which value it is", async () => {
		const told: string[] = [];
		const database = databases[0] as Database;
		const store = new PostgresDefinitionStore(database, (key, error) =>
			told.push(`${key}: ${(error as Error).message}`),
		);
		await put(0, "newer", {});
		await put(0, "beside", {});
		await database.query(
			`with d as (
				insert into experiment_definitions (experiment, version, state, run, analysis, epoch, held, bucket_ms, definition, action, actor, why)
				select experiment, version, state, run, analysis, epoch, held, bucket_ms, jsonb_set(definition, '{policy,kind}', '"oracle"'), 'edit', actor, why
				from experiment_definitions where experiment = $1 returning id, experiment
			)
			update experiments set definition_id = d.id from d where key = d.experiment`,
			["newer"],
		);
		const keys = async () =>
			(await store.all()).map(({ experiment }) => experiment.key);
		const first = await keys();
		expect(first).toContain("beside");
		expect(first).not.toContain("newer");
		expect(await keys()).toEqual(first);
		expect(told).toEqual([
			expect.stringMatching(
				/^newer: The definition of newer in the database, row \d+, cannot be read by this Segue: policy\.kind: /,
			),
		]);
		await expect(store.find("newer")).rejects.toMatchObject({
			code: "unreadable-definition",
			message: expect.stringContaining("policy.kind"),
		});
		// A decider that started since says so too, and how to mend it, of this experiment alone.
		const definitions = new DefinitionCache(store);
		await definitions.refresh();
		const decide = new Decide({ definitions } as never, 100);
		const asked = (experiment: string) =>
			decide.execute({ experiment, unit: "u" });
		await expect(asked("newer")).rejects.toMatchObject({
			code: "unreadable-definition",
			message: expect.stringMatching(
				/row \d+, cannot be read by this Segue: policy\.kind: .*start that one\.$/,
			),
		});
		await expect(asked("nobody")).rejects.toMatchObject({
			code: "unknown-experiment",
		});
		await expect(asked("beside")).rejects.toMatchObject({
			code: "experiment-draft",
		});
	});
});
