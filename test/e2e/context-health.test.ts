import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContextHealthView } from "#usecases/watching";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

let nats: TestNats;
let database: TestDatabase;
let decider: Instance;
const learners: Instance[] = [];

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	const env = { NATS_URL: nats.url, DATABASE_URL: database.connectionString };
	decider = await startSegue({ app: "decider", env });
	for (let i = 0; i < 2; i++)
		learners.push(await startSegue({ app: "learner", env }));
	const [tempo, device] = sampleExperiment.context.features;
	await runExperiment(decider.url, {
		...sampleExperiment,
		context: {
			features: [
				{ ...tempo, alarm: { psi: 0.2 } },
				device,
				{
					name: "loyalty",
					from: "profile",
					kind: "number",
					alarm: { missing: 1 },
				},
			],
		},
	} as unknown as typeof sampleExperiment);
});
afterAll(async () => {
	for (const instance of [decider, ...learners]) await instance?.stop();
	await nats?.stop();
	await database?.drop();
});

let asked = 0;
async function decide(count: number, context: (i: number) => object) {
	for (let i = 0; i < count; i += 100) {
		const requests = Array.from({ length: 100 }, (_, k) => ({
			experiment: "sample",
			unit: `listener-${asked++}`,
			context: context(i + k),
		}));
		const { status, body } = await send(
			decider.url,
			"POST",
			"/v1/decisions/batch",
			{ decisions: requests },
		);
		expect(status, JSON.stringify(body)).toBe(200);
	}
}
const read = async (): Promise<ContextHealthView> =>
	(await send(decider.url, "GET", "/v1/experiments/sample/context")).body;
async function becomes(holds: (health: ContextHealthView) => boolean) {
	let last: ContextHealthView | null = null;
	await waitFor(
		async () => {
			last = await read();
			return holds(last);
		},
		40_000,
		() => `the context is ${JSON.stringify(last)}`,
	);
	return read();
}
const devices = ["phone", "desktop", "speaker"];
const usual = (i: number) => ({ tempo: 80 + (i % 80), device: devices[i % 3] });
const metricsOf = async ({ url }: Instance) =>
	(await fetch(`${url}/metrics`)).text();
const saidOf = (feature: string) =>
	learners
		.flatMap((learner) => learner.output().split("\n"))
		.filter((line) => line.includes(`alarms (psi): ${feature}.`));

describe("the health of a context", () => {
	it("is good while listeners are as they were at launch", async () => {
		await decide(1_500, usual);
		const health = await becomes(({ window }) => window.decisions === 500);
		expect(health.alarm).toBe(false);
		for (const { psi, missing, unseen, skew } of health.features.slice(0, 2)) {
			expect(psi).toBeLessThan(0.1);
			expect(missing.share).toBe(0);
			expect(unseen?.share ?? 0).toBe(0);
			expect(skew.checked).toBeGreaterThan(50);
			expect(skew).toMatchObject({ share: 0, largest: 0 });
		}
		const loyalty = health.features[2];
		expect(loyalty).toMatchObject({
			missing: { share: 1, launchShare: 1 },
			alarms: [],
		});
	});

	it("alarms when they shift: in the answer, in the metrics of every learner, and once in a log", async () => {
		await decide(1_500, (i) => ({ ...usual(i), tempo: 140 + (i % 40) }));
		const health = await becomes(({ window }) => window.decisions === 2_000);
		const [tempo, device] = health.features;
		expect(tempo?.psi).toBeGreaterThan(0.25);
		expect(tempo?.alarms).toEqual(["psi"]);
		expect(tempo?.verdict).toMatch(
			/^Is no longer what it was at launch \(PSI [\d.]+\), more than the 0\.2 allowed/,
		);
		expect(device).toMatchObject({ alarms: [], skew: { share: 0 } });
		const of = 'experiment="sample",feature="tempo"';
		for (const learner of learners) {
			await waitFor(
				async () =>
					(await metricsOf(learner)).includes(
						`segue_context_alarm{${of},kind="psi"} 1`,
					),
				20_000,
				() => `no alarm in the metrics: ${learner.output().slice(-2_000)}`,
			);
			const text = await metricsOf(learner);
			const psi = new RegExp(`^segue_context_psi\\{${of}\\} (.+)$`, "m");
			expect(Number(psi.exec(text)?.[1])).toBeGreaterThan(0.25);
			expect(text).toContain(
				'segue_context_alarm{experiment="sample",feature="device",kind="psi"} 0',
			);
		}
		expect(saidOf("tempo").length).toBe(1);
	});
});
