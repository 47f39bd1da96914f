import { expect, test } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { startSegue, waitFor } from "../support/segue.js";

test("what the listener did a moment ago is in the next decision: counts over 30 s and 5 min by unit, on event time", {
	timeout: 90_000,
}, async () => {
	const instance = await startSegue();
	try {
		const live = { from: "live", kind: "number", event: "skip" };
		await runExperiment(instance.url, {
			...sampleExperiment,
			context: {
				features: [
					...sampleExperiment.context.features,
					{ ...live, name: "skips30s", window: "30s" },
					{ ...live, name: "skips5m", window: "5m" },
				],
			},
		} as typeof sampleExperiment);
		const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
		const skip = (id: string, unit: string, ms: number) => ({
			id,
			type: "skip",
			unit,
			at: ago(ms),
		});
		const { body } = await send(instance.url, "POST", "/v1/events", {
			events: [
				skip("now", "listener", 1_000),
				skip("now", "listener", 1_000),
				skip("a minute ago", "listener", 60_000),
				skip("too long ago", "listener", 400_000),
				skip("of somebody else", "another", 1_000),
			],
		});
		expect(body.rejected).toEqual([]);
		const ask = async () => {
			const answer = await send(instance.url, "POST", "/v1/decisions", {
				experiment: "sample",
				unit: "listener",
				context: { tempo: 100, device: "phone" },
			});
			const id = answer.body.decisionId;
			return (await send(instance.url, "GET", `/v1/decisions/${id}`)).body
				.context;
		};
		let context: Record<string, unknown> = {};
		await waitFor(
			async () => {
				context = await ask();
				return context.skips5m === 2;
			},
			10_000,
			() => `the counts are ${JSON.stringify(context)}`,
		);
		expect(context).toMatchObject({ skips30s: 1, skips5m: 2 });
	} finally {
		await instance.stop();
	}
});
