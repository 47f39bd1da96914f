import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContextHealthView } from "#usecases/watching";
import { type Api, morning, send, startApi } from "./app.js";

const HOUR = 3_600_000;
let api: Api;

const experiment = {
	...morning,
	arms: [{ key: "focus" }, { key: "energy" }],
	context: {
		features: [
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "tv"],
				alarm: { unseen: 0.5 },
			},
			{ name: "tempo", from: "request", kind: "number", mean: 50, scale: 50 },
			{ name: "loyalty", from: "profile", kind: "number" },
			{ kind: "product", of: ["device", "tempo"] },
		],
	},
};

beforeAll(async () => {
	api = await startApi();
	await send(api, "PUT", "/v1/experiments/morning", experiment);
});
afterAll(() => api?.app.close());

async function decide(count: number, context: (i: number) => object) {
	for (let i = 0; i < count; i += 50)
		await Promise.all(
			Array.from({ length: Math.min(50, count - i) }, async (_, k) => {
				const { status } = await send(api, "POST", "/v1/decisions", {
					experiment: "morning",
					unit: `listener-${i + k}`,
					context: context(i + k),
				});
				expect(status).toBe(200);
			}),
		);
	await api.foldContexts.execute();
}
const start = () => send(api, "POST", "/v1/experiments/morning/start");
async function read(query = ""): Promise<ContextHealthView> {
	const path = `/v1/experiments/morning/context${query}`;
	const { status, body } = await send(api, "GET", path);
	expect(status).toBe(200);
	return body;
}
const feature = (health: ContextHealthView, name: string) =>
	health.features.find((one) => one.feature === name);
const usual = (i: number) => ({
	device: i % 2 === 0 ? "phone" : "tv",
	tempo: i % 100,
});

const ask = (unit: string) =>
	send(api, "POST", "/v1/decisions", {
		experiment: "morning",
		unit,
		context: usual(0),
	});

describe("GET /v1/experiments/:key/context", () => {
	it("answers of a draft, and while a run is launched, that nothing can be told yet", async () => {
		const draft = await read();
		expect(draft).toMatchObject({
			experiment: "morning",
			state: "draft",
			alarm: false,
			launch: { complete: false, decisions: 0, needed: 1_000, from: null },
			window: {
				hours: 24,
				from: "2026-01-04T13:00:00.000Z",
				to: "2026-01-05T12:00:00.000Z",
				decisions: 0,
			},
		});
		await start();
		await decide(300, usual);
		const health = await read();
		expect(health.launch).toMatchObject({ complete: false, decisions: 300 });
		for (const { verdict, alarms } of health.features) {
			expect(verdict).toContain("not complete");
			expect(alarms).toEqual([]);
		}
	});

	it("says of each feature what became of it since, and which alarm", async () => {
		await decide(700, usual);
		expect((await read()).revisionsBehind).toBe(0);
		await decide(400, (i) => ({
			device: i % 4 === 0 ? "watch" : "phone",
			tempo: 80 + (i % 20),
		}));
		const health = await read();
		expect(health.launch).toMatchObject({
			complete: true,
			from: "2026-01-05T12:00:00.000Z",
		});
		expect(health.window.decisions).toBe(400);
		expect(health.alarm).toBe(true);
		expect(feature(health, "tempo")).toMatchObject({
			kind: "number",
			from: "request",
			missing: { share: 0, launchShare: 0, reasons: {} },
			unseen: null,
			skew: { share: 0, largest: 0 },
			thresholds: { psi: 0.25, missing: 0.2, unseen: 0.05 },
			alarms: ["psi"],
			verdict: expect.stringContaining("no longer what it was at launch"),
		});
		expect(feature(health, "device")).toMatchObject({
			unseen: {
				share: 0.25,
				values: 400,
				levels: [{ level: "watch", decisions: 100 }],
			},
			thresholds: { unseen: 0.5 },
			alarms: ["psi"],
		});
		expect(feature(health, "loyalty")).toMatchObject({
			psi: null,
			missing: { share: 1, launchShare: 1, reasons: { absent: 400 } },
			alarms: ["missing"],
			verdict:
				"Missing in 100 % of decisions (100 % at launch), more than the 20 % allowed, mostly absent. Drift cannot be told: only 0 decisions of the launch had a value.",
		});
		expect(feature(health, "device×tempo")).toMatchObject({
			psi: null,
			alarms: [],
			missing: { share: 0 },
		});
	});

	it("speaks of the hours that it is asked for", async () => {
		api.clock.advance(2 * HOUR);
		expect((await read("?hours=1")).window.decisions).toBe(0);
		expect((await read("?hours=3")).window.decisions).toBe(400);
		for (const hours of ["0", "169", "a", "1.5"]) {
			const path = `/v1/experiments/morning/context?hours=${hours}`;
			const { status, body } = await send(api, "GET", path);
			expect([status, body.errors]).toEqual([
				422,
				[
					{
						path: "hours",
						message: `Must be a whole number from 1 to 168, not "${hours}".`,
					},
				],
			]);
		}
	});

	it("says how much of the log is not counted yet", async () => {
		await ask("listener-a");
		await ask("listener-b");
		const { revisionsBehind, window } = await read();
		expect([revisionsBehind, window.decisions]).toEqual([2, 400]);
		await api.foldContexts.execute();
		expect(await read()).toMatchObject({
			revisionsBehind: 0,
			window: { decisions: 402 },
		});
	});

	it("begins anew with each start, and leaves out what was decided in between", async () => {
		await send(api, "POST", "/v1/experiments/morning/stop", {});
		await decide(50, usual);
		const stopped = await read();
		expect(stopped).toMatchObject({ state: "stopped", run: 1 });
		expect(stopped.window.decisions).toBe(402);
		await start();
		await decide(50, usual);
		expect(await read()).toMatchObject({
			state: "running",
			run: 2,
			launch: { complete: false, decisions: 50 },
			window: { decisions: 0 },
		});
	});

	it("takes other thresholds at once, without a new version", async () => {
		const [device, tempo, loyalty, product] = experiment.context.features;
		const features = [
			device,
			{ ...tempo, alarm: { psi: 9 } },
			{ ...loyalty, alarm: { missing: 1 } },
			product,
		];
		await send(api, "PUT", "/v1/experiments/morning", {
			...experiment,
			context: { features },
		});
		const health = await read();
		expect(health.version).toBe(1);
		expect(feature(health, "tempo")?.thresholds.psi).toBe(9);
	});

	it("knows no experiment that there is not, and has nothing to say of one without features", async () => {
		const unknown = await send(api, "GET", "/v1/experiments/evening/context");
		expect([unknown.status, unknown.body.type]).toEqual([
			404,
			"/docs/errors#unknown-experiment",
		]);
		await send(api, "PUT", "/v1/experiments/plain", {
			...experiment,
			key: "plain",
			context: { features: [] },
		});
		const { body } = await send(api, "GET", "/v1/experiments/plain/context");
		expect(body).toMatchObject({ features: [], alarm: false });
	});
});
