import {
	afterAll,
	beforeAll,
	describe,
	expect,
	expectTypeOf,
	it,
	test,
} from "vitest";
import type { ShownPosterior } from "#usecases/deciding";
import type { AuditPage, ExperimentView } from "#usecases/defining";
import type { Receipt } from "#usecases/erasing";
import type { GuardrailsView } from "#usecases/guarding";
import type { Ledger as ShownLedger } from "#usecases/learning";
import type { ReportView } from "#usecases/reporting";
import type { ContextHealthView } from "#usecases/watching";
import { type Api, ask, morning, send, startApi } from "../../api/test/app.js";
import {
	type Audit,
	type ContextHealth,
	type ErasureReceipt,
	type Experiment,
	type Guardrails,
	type Ledger,
	type Posterior,
	type Report,
	SegueClient,
	SegueProblem,
	SegueUnreachable,
} from "../src/index.js";

let api: Api;
let client: SegueClient;
const asked: string[] = [];
beforeAll(async () => {
	api = await startApi();
	client = new SegueClient({
		url: api.url,
		now: () => api.clock.now(),
		fetch: (url, init) => {
			const { pathname } = new URL(String(url));
			asked.push(`${init?.method?.toLowerCase()} ${pathname}`);
			return fetch(url, init);
		},
	});
	await client.experiments.put(morning);
	await client.experiments.start("morning");
});
afterAll(async () => {
	await api?.app.close();
});

const id = "019b0000-0000-7000-8000-000000000000";
/** A call of the client for each route of the OpenAPI document. */
const calls: Readonly<Record<string, (of: SegueClient) => Promise<unknown>>> = {
	"post /v1/decisions": (of) => of.decide(ask),
	"post /v1/decisions/batch": (of) => of.decideBatch([ask]),
	"get /v1/decisions/{id}": (of) => of.getDecision(id),
	"post /v1/events": (of) => of.sendEvents([{ type: "play", unit: "u" }]),
	"put /v1/units/{unit}/profile": (of) => of.putProfile("u", { taste: 1 }),
	"get /v1/units/{unit}/profile": (of) => of.getProfile("u"),
	"put /v1/units/{unit}/consent": (of) => of.putConsent("u", {}),
	"get /v1/units/{unit}/consent": (of) => of.getConsent("u"),
	"delete /v1/units/{unit}": (of) => of.eraseUnit("u"),
	"get /v1/experiments": (of) => of.experiments.list(),
	"get /v1/experiments/{key}": (of) => of.experiments.get("k"),
	"put /v1/experiments/{key}": (of) => of.experiments.put(morning),
	"post /v1/experiments/{key}/start": (of) => of.experiments.start("k"),
	"post /v1/experiments/{key}/pause": (of) => of.experiments.pause("k"),
	"post /v1/experiments/{key}/resume": (of) => of.experiments.resume("k"),
	"post /v1/experiments/{key}/stop": (of) => of.experiments.stop("k"),
	"post /v1/experiments/{key}/rollback": (of) =>
		of.experiments.rollBack("k", { version: 1 }),
	"get /v1/experiments/{key}/audit": (of) => of.experiments.audit("k"),
	"get /v1/experiments/{key}/guardrails": (of) =>
		of.experiments.guardrails("k"),
	"get /v1/experiments/{key}/context": (of) => of.experiments.context("k"),
	"get /v1/experiments/{key}/ledger": (of) => of.experiments.ledger("k"),
	"get /v1/experiments/{key}/posterior": (of) => of.experiments.posterior("k"),
	"get /v1/experiments/{key}/report": (of) => of.experiments.report("k"),
};
/** What machines ask, and no client. */
const asksNobody = ["get /health/live", "get /health/ready", "get /metrics"];

describe("the client", () => {
	it("has a call for every route that the OpenAPI document has", async () => {
		const { body } = await send(api, "GET", "/docs-json");
		const routes = Object.entries<object>(body.paths).flatMap(
			([path, methods]) =>
				Object.keys(methods).map((method) => `${method} ${path}`),
		);
		expect(routes.sort()).toEqual(
			[...Object.keys(calls), ...asksNobody].sort(),
		);
	});

	it.each(Object.entries(calls))("asks %s", async (route, call) => {
		asked.length = 0;
		// What Segue says to it is no matter here: that it was asked is.
		await call(client).catch((error) => {
			expect(error).toBeInstanceOf(SegueProblem);
			expect(error.code, error.message).toMatch(/^(unknown-|invalid$)/);
		});
		const pattern = route.replace(/\{\w+\}/g, "[^/]+");
		expect(asked).toEqual([expect.stringMatching(`^${pattern}$`)]);
	});
});

describe("an experiment's life by the client", () => {
	it("is edited, paused, resumed, stopped with a winner and rolled back, each under its author and reason", async () => {
		const key = "evening";
		const document = { ...morning, key };
		const { experiments } = client;
		const by = { actor: "Zoë", why: "for the\nevening – ✓" };
		const created = await experiments.put(document, by);
		expect(created).toMatchObject({ state: "draft", changes: [] });
		await experiments.start(key, { ...by, ifMatch: created.etag });
		await experiments.pause(key, by);
		await experiments.resume(key, by);
		await experiments.put({ ...document, name: "Evening" }, by);
		const stopped = await experiments.stop(key, { ...by, winner: "focus" });
		expect(stopped).toMatchObject({ state: "stopped", winner: "focus" });
		const { entries, before } = await experiments.audit(key, { limit: 4 });
		expect(entries.map(({ action }) => action)).toEqual([
			"stop",
			"edit",
			"resume",
			"pause",
		]);
		for (const { actor, why } of entries) {
			expect(actor).toBe("Zoë");
			expect(why.replace("\n", " ")).toBe("for the evening – ✓");
		}
		const older = await experiments.audit(key, { before: before as number });
		expect(older.entries.map(({ action }) => action)).toEqual([
			"start",
			"create",
		]);
		const definition = older.entries[0]?.id as number;
		const back = await experiments.rollBack(key, { definition }, by);
		expect(back.changes).toEqual([`name: Evening → ${morning.name}`]);
		expect(await experiments.get(key)).toMatchObject({ etag: back.etag });
	});

	it("an edit made for what is no longer current is refused, with what changed", async () => {
		const key = "contested";
		const document = { ...morning, key };
		const { experiments } = client;
		const { etag } = await experiments.put(document);
		await experiments.put({ ...document, name: "Hers" });
		const late = experiments.put(
			{ ...document, name: "His" },
			{ ifMatch: etag },
		);
		await expect(late).rejects.toMatchObject({
			status: 409,
			code: "edit-conflict",
			problem: {
				errors: [{ path: "", message: `name: ${morning.name} → Hers` }],
			},
		});
	});

	it("is read: guardrails, context over so many hours, one arm's sums, ledger, report as data, table and page", async () => {
		const { experiments } = client;
		expect((await experiments.list()).map(({ key }) => key)).toContain(
			"morning",
		);
		expect(await experiments.guardrails("morning")).toMatchObject({
			state: "running",
			guardrails: [],
		});
		const context = await experiments.context("morning", { hours: 3 });
		expect(context.window.hours).toBe(3);
		const posterior = await experiments.posterior("morning", { arm: "focus" });
		expect(posterior.arms.map(({ arm }) => arm)).toEqual(["focus"]);
		expect(await experiments.ledger("morning")).toMatchObject({
			deliveries: 0,
		});
		expect((await experiments.report("morning")).answer.verdict).toBe(
			"cannot tell",
		);
		expect(await experiments.reportAs("morning", "csv")).toMatch(/^\S+,/);
		expect(await experiments.reportAs("morning", "html")).toMatch(
			/^<!doctype html>/i,
		);
	});

	it("a start is asked for once: a repeat of one that was carried out would be refused", async () => {
		let tries = 0;
		const cut = new SegueClient({
			url: api.url,
			sleep: async () => undefined,
			fetch: async () => {
				tries += 1;
				throw new TypeError("cut");
			},
		});
		const starting = cut.experiments.start("morning");
		await expect(starting).rejects.toBeInstanceOf(SegueUnreachable);
		expect(tries).toBe(1);
		const reading = cut.experiments.get("morning");
		await expect(reading).rejects.toBeInstanceOf(SegueUnreachable);
		expect(tries).toBe(1 + 6);
	});
});

test("an erased unit's receipt says what went", async () => {
	const receipt = await client.eraseUnit("listener 3/ü");
	expect(receipt.removed).toMatchObject({ decisions: 0 });
	expect(api.forgotten).toContain("listener 3/ü");
});

test("the client's types are those of what Segue answers", () => {
	expectTypeOf<ExperimentView>().toExtend<Experiment>();
	expectTypeOf<AuditPage>().toExtend<Audit>();
	expectTypeOf<GuardrailsView>().toExtend<Guardrails>();
	expectTypeOf<ContextHealthView>().toExtend<ContextHealth>();
	expectTypeOf<ShownLedger>().toExtend<Ledger>();
	expectTypeOf<ShownPosterior>().toExtend<Posterior>();
	expectTypeOf<ReportView>().toExtend<Report>();
	expectTypeOf<Receipt>().toExtend<ErasureReceipt>();
});
