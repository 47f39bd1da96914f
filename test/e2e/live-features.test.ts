import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

const live = { from: "live", kind: "number", event: "skip", window: "5m" };
const experiment = {
	...sampleExperiment,
	key: "live",
	context: {
		features: [
			...sampleExperiment.context.features,
			{ name: "track", from: "request", kind: "attribute" },
			{ ...live, name: "rate", aggregate: "rate" },
			{ ...live, name: "dwell", aggregate: "mean" },
			{ ...live, name: "last", aggregate: "last" },
			{ ...live, name: "total", aggregate: "sum" },
			{ ...live, name: "since", aggregate: "timeSince", window: "1h" },
			{ ...live, name: "tracks", aggregate: "distinct" },
			{ ...live, name: "ofSession", by: "session" },
			{ ...live, name: "ofTrack", by: "item", item: "track" },
			{ ...live, name: "ofArm", by: "arm", arm: "a" },
			{ ...live, name: "ofAll", by: "experiment" },
			{
				name: "mood",
				from: "live",
				kind: "vector",
				length: 2,
				event: "skip",
				window: "1h",
			},
		],
	},
};

async function ask(url: string, more: object = {}) {
	const { body } = await send(url, "POST", "/v1/decisions", {
		experiment: "live",
		unit: "listener",
		session: "evening",
		context: { tempo: 100, device: "phone", track: "t1" },
		...more,
	});
	return body;
}

async function contextOf(url: string, id: string) {
	return (await send(url, "GET", `/v1/decisions/${id}`)).body.context;
}

describe.each(["jetstream", "postgres"])("live features over %s", (stream) => {
	it("are what just happened, by every aggregate and key; come out again; and are there after a restart", {
		timeout: 120_000,
	}, async () => {
		const folder = await mkdtemp(join(tmpdir(), "segue-live-"));
		const tracks = join(folder, "tracks.jsonl");
		await writeFile(tracks, '{"item": "t1", "vector": [0.5, -2]}\n');
		const env = {
			SEGUE_STREAM: stream,
			SEGUE_ITEM_VECTORS: tracks,
			// A slow machine would else put decisions into the spool, and say so.
			SEGUE_DECIDE_DEADLINE_MS: "5000",
		};
		let instance: Instance = await startSegue({ env, folder });
		try {
			await runExperiment(instance.url, experiment);
			const first = await ask(instance.url, { eligible: ["a"] });
			expect(first.arm).toBe("a");
			expect(first.missing).toEqual(["dwell", "last", "mood"]);
			const at = Date.now() - 20_000;
			const skip = (id: string, more: object) => ({
				id,
				type: "skip",
				unit: "listener",
				at: new Date(at).toISOString(),
				...more,
			});
			const said = { session: "evening", item: "t1" };
			const decided = {
				decisionId: first.decisionId,
				at: new Date().toISOString(),
			};
			const { body } = await send(instance.url, "POST", "/v1/events", {
				events: [
					skip("e1", { ...said, value: 2 }),
					skip("e1", { ...said, value: 2 }),
					skip("e2", { ...said, value: 4 }),
					skip("e3", { unit: "another", item: "t1" }),
					skip("e4", { item: "t2", ...decided }),
				],
			});
			expect(body.rejected).toEqual([]);
			const expected = {
				rate: 0.6,
				dwell: 3,
				last: 4,
				total: 6,
				tracks: 2,
				ofSession: 2,
				ofTrack: 3,
				ofArm: 1,
				ofAll: 1,
				mood: [0.5, -2],
			};
			const seen = async () => {
				const { decisionId, degraded } = await ask(instance.url);
				const context = await contextOf(instance.url, decisionId);
				return { decisionId, degraded, context };
			};
			const isThere = async () => {
				let last = await seen();
				await waitFor(
					async () => {
						last = await seen();
						return last.context.ofAll === 1;
					},
					10_000,
					() => `the context is ${JSON.stringify(last)}`,
				);
				return last;
			};
			const { decisionId, degraded, context } = await isThere();
			expect(degraded).toEqual([]);
			expect(context).toMatchObject(expected);
			expect(context.since).toBeGreaterThanOrEqual(0);
			expect(context.since).toBeLessThan(60);
			await waitFor(
				async () => {
					const path = `/v1/decisions/${decisionId}?explain=true`;
					const { rederived } = (await send(instance.url, "GET", path)).body;
					return rederived?.equal === true;
				},
				10_000,
				() => "the decision did not come out again",
			);
			await instance.stop();
			instance = await startSegue({ env, folder });
			expect((await isThere()).context).toMatchObject(expected);
		} finally {
			await instance.stop();
			await rm(folder, { recursive: true, force: true });
		}
	});
});
