import { expect, test } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { startSegue, waitFor } from "../support/segue.js";

interface Seen {
	readonly learned?: { readonly closing?: unknown } | null;
}

test("a decision teaches at the close of its window, every event says what became of it, and the counts add up to what was sent", {
	timeout: 90_000,
}, async () => {
	const instance = await startSegue();
	const get = async (path: string) =>
		(await send(instance.url, "GET", path)).body;
	try {
		await runExperiment(instance.url, {
			...sampleExperiment,
			reward: {
				learn: "windowClose",
				window: "2s",
				range: [-1, 2],
				outcomes: [{ type: "play", value: 0.25 }],
			},
		} as unknown as typeof sampleExperiment);
		const { body: decision } = await send(
			instance.url,
			"POST",
			"/v1/decisions",
			{
				experiment: "sample",
				unit: "listener",
				context: { tempo: 100, device: "phone" },
			},
		);
		const play = {
			id: "play",
			type: "play",
			unit: "listener",
			at: new Date().toISOString(),
			decisionId: decision.decisionId,
		};
		// What comes again before the decision is known would be counted for no experiment.
		await waitFor(
			async () =>
				(await get("/v1/experiments/sample/ledger")).decisions?.logged === 1,
			20_000,
			() => "the decision was not logged",
		);
		await send(instance.url, "POST", "/v1/events", {
			events: [
				play,
				play,
				{ ...play, value: 3 },
				{ ...play, id: "click", type: "click" },
				{ ...play, id: "stranger", unit: "another" },
				{ id: "signal", type: "play", unit: "listener", at: play.at },
			],
		});
		const path = `/v1/decisions/${decision.decisionId}`;
		const verdicts = async () => {
			const { events = [] } = await get(path);
			return events
				.map((event: { id: string; verdict: string }) => [
					event.id,
					event.verdict,
				])
				.sort();
		};
		let seen: unknown;
		await waitFor(
			async () => {
				seen = await get(path);
				return (seen as Seen).learned?.closing != null;
			},
			20_000,
			() => `the window was not closed: ${JSON.stringify(seen)}`,
		);
		expect(seen).toMatchObject({
			exposed: true,
			reward: 0.25,
			learned: { closing: { moved: { exposed: 1, reward: 0.25 } } },
		});
		expect(await verdicts()).toEqual([
			["click", "no value"],
			["play", "applied"],
			["play", "conflict"],
			["stranger", "wrong unit"],
		]);
		expect(await get("/v1/experiments/sample/ledger")).toEqual({
			experiment: "sample",
			deliveries: 6,
			decisions: { logged: 1 },
			events: {
				applied: 1,
				"no value": 1,
				"wrong unit": 1,
				duplicate: 1,
				conflict: 1,
			},
		});
		expect((await get("/v1/experiments/-/ledger")).events).toEqual({
			signal: 1,
		});
		await waitFor(
			async () => {
				const { arms } = await get("/v1/experiments/sample/posterior");
				return arms.some((arm: { n: number }) => arm.n === 1);
			},
			10_000,
			() => "the decider does not decide with what was learned",
		);
	} finally {
		await instance.stop();
	}
});
