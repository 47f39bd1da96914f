import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";
import { WebhookReceiver } from "../support/webhook-receiver.js";

const key = "guarded";
let database: TestDatabase;
let receiver: WebhookReceiver;
let learner: Instance;
const deciders: Instance[] = [];
const start = (app: "decider" | "learner") =>
	startSegue({
		app,
		env: {
			DATABASE_URL: database.connectionString,
			SEGUE_STREAM: "postgres",
			SEGUE_DECIDE_DEADLINE_MS: "5000",
			SEGUE_WEBHOOK_URL: receiver.url,
			SEGUE_WEBHOOK_SECRET: receiver.secret,
		},
	});

beforeAll(async () => {
	database = await createTestDatabase();
	receiver = await WebhookReceiver.open();
	learner = await start("learner");
	for (let i = 0; i < 2; i++) deciders.push(await start("decider"));
});
afterAll(async () => {
	for (const instance of [...deciders, learner]) await instance?.stop();
	await receiver?.close();
	await database?.drop();
});

const url = () => (deciders[0] as Instance).url;
let units = 0;
/** Decisions of listeners, one each, and what they do: impressions, and skips by nearly all. */
async function serve(count: number): Promise<void> {
	const asked = Array.from({ length: count }, () => ({
		experiment: key,
		unit: `listener-${units++}`,
		context: { tempo: 120, device: "phone" },
	}));
	const { status, body } = await send(url(), "POST", "/v1/decisions/batch", {
		decisions: asked,
	});
	expect(status, JSON.stringify(body)).toBe(200);
	const events = body.decisions.flatMap(
		({ decisionId }: { decisionId: string }, i: number) =>
			["impression", ...(i % 10 < 9 ? ["skip"] : [])].map((type) => ({
				id: `${type}-${decisionId}`,
				type,
				at: new Date().toISOString(),
				unit: asked[i]?.unit,
				decisionId,
			})),
	);
	const accepted = await send(url(), "POST", "/v1/events", { events });
	expect(accepted.body.rejected).toEqual([]);
}
const experiment = async () =>
	(await send(url(), "GET", `/v1/experiments/${key}`)).body;
const guardrails = async () =>
	(await send(url(), "GET", `/v1/experiments/${key}/guardrails`)).body;
const groupAt = async (decider: Instance) => {
	const { body } = await send(decider.url, "POST", "/v1/decisions", {
		experiment: key,
		unit: `listener-${units++}`,
		context: { tempo: 120, device: "phone" },
	});
	return body.group;
};

describe("an experiment whose listeners skip far more than its guardrail allows", () => {
	it("is paused by itself though no decider is up, every decider obeys, and the webhook is told though the learner is killed before it takes it", async () => {
		await runExperiment(url(), {
			...sampleExperiment,
			key,
			traffic: { share: 1, control: 0 },
			guardrails: [
				{ metric: "skip_rate", max: 0.35, action: "pause", within: "1s" },
			],
		} as unknown as typeof sampleExperiment);
		receiver.answers.push({ status: 500 });
		await serve(300);
		await waitFor(
			async () => (await guardrails()).guardrails?.[0].status === "waiting",
			10_000,
			() => "guardrails cannot be read",
		);
		// Stopped and not killed: what they answered is in the stream.
		for (const decider of deciders.splice(0)) await decider.stop();
		await waitFor(
			() => receiver.received.length > 0,
			60_000,
			() => `nobody was told:\n${learner.output()}`,
		);
		// The receiver had an error, and the learner does not live to try again.
		await learner.kill();
		learner = await start("learner");
		await waitFor(
			() => receiver.received.length > 1,
			60_000,
			() => `nobody was told again:\n${learner.output()}`,
		);
		expect(receiver.refused).toBe(0);
		const [told, again] = receiver.received;
		expect({ ...again, headers: {} }).toEqual({ ...told, headers: {} });
		expect(told?.message).toMatchObject({
			type: "guardrail.tripped",
			data: {
				experiment: key,
				run: 1,
				guardrail: { index: 0, metric: "skip_rate", action: "pause" },
				limit: 0.35,
			},
		});
		for (let i = 0; i < 2; i++) deciders.push(await start("decider"));
		expect(await experiment()).toMatchObject({
			state: "paused",
			changed: {
				action: "guardrail",
				actor: "guardrail",
				why: told?.message.data.sentence,
			},
		});
		for (const decider of deciders)
			expect(await groupAt(decider)).toBe("outside");
		expect(await guardrails()).toMatchObject({
			state: "paused",
			guardrails: [
				{
					metric: "skip_rate",
					status: "tripped",
					limit: 0.35,
					trip: { sentence: told?.message.data.sentence },
				},
			],
		});
	}, 240_000);

	it("goes on only when a person resumes it, counted afresh", async () => {
		const { status } = await send(
			url(),
			"POST",
			`/v1/experiments/${key}/resume`,
			{ why: "the client's double skips are mended" },
		);
		expect(status).toBe(200);
		await waitFor(
			async () => {
				const groups = await Promise.all(deciders.map(groupAt));
				return groups.every((group) => group === "policy");
			},
			20_000,
			() => "not all deciders serve the policy again",
		);
		await serve(50);
		await waitFor(
			async () => (await guardrails()).guardrails[0].decisions >= 50,
			60_000,
			() => "what was served after the resume is not counted",
		);
		expect(await guardrails()).toMatchObject({
			state: "running",
			run: 2,
			guardrails: [{ status: "waiting", trip: null }],
		});
		expect((await experiment()).state).toBe("running");
		expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
	}, 120_000);
});
