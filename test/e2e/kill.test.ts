import { rm } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import {
	runExperiment,
	sampleEvent,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import {
	freePort,
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

/** Ten hit every phase of start, traffic and learning: npm run test:long. */
const KILLS = process.env.SEGUE_LONG === "1" ? 10 : 5;

let instance: Instance | undefined;
afterAll(async () => {
	await instance?.stop();
	if (instance) await rm(instance.folder, { recursive: true, force: true });
});

test("kill -9 of the whole process under traffic, again and again: every answered decision is in the log once, every accepted event counted once", {
	timeout: 180_000,
}, async () => {
	const port = await freePort();
	instance = await startSegue({ port });
	const { folder, url } = instance;
	await runExperiment(url, sampleExperiment);
	const decided = new Map<string, string>();
	const accepted = new Map<string, string>();

	for (let kill = 0; kill < KILLS; kill++) {
		const traffic = new AbortController();
		const running = [0, 1, 2, 3].map((worker) =>
			traffics(url, kill * 100_000 + worker * 20_000, traffic.signal),
		);
		await new Promise((resolve) => setTimeout(resolve, 150 + 97 * kill));
		await instance.kill();
		traffic.abort();
		for (const worker of await Promise.all(running)) {
			for (const [id, unit] of worker.decided) decided.set(id, unit);
			for (const [key, id] of worker.accepted) accepted.set(key, id);
		}
		instance = await startSegue({ port, folder });
	}

	expect(decided.size).toBeGreaterThan(KILLS * 5);
	const missing: string[] = [];
	for (const id of decided.keys()) {
		const found = await send(url, "GET", `/v1/decisions/${id}`);
		if (found.status !== 200) missing.push(id);
	}
	expect(missing, "answered decisions that are not found").toEqual([]);

	const seen = async () => {
		const runtime = { SEGUE_DATA: folder };
		const { stdout } = await segueCli(["replay", "--json"], runtime);
		return JSON.parse(stdout.trim().split("\n").at(-1) as string);
	};
	await waitFor(
		async () => {
			const { outcomes, decisions } = await seen();
			return outcomes >= accepted.size && decisions >= decided.size;
		},
		60_000,
		() => "the learner did not catch up with what was accepted",
	);
	const lost: string[] = [];
	for (const [eventId, decisionId] of accepted) {
		const { body } = await send(url, "GET", `/v1/decisions/${decisionId}`);
		const times = body.events.filter(
			(event: { id: string }) => event.id === eventId,
		).length;
		if (times !== 1) lost.push(`${eventId}: ${times} times`);
	}
	expect(lost, "accepted events not counted once").toEqual([]);
	const replay = await seen();
	expect(replay.differences).toEqual([]);
	expect(replay.equal).toBe(true);
});

interface Traffic {
	readonly decided: Map<string, string>;
	readonly accepted: Map<string, string>;
}

/** Decides and reports outcomes until the server goes away; keeps only what was answered. */
async function traffics(
	url: string,
	first: number,
	signal: AbortSignal,
): Promise<Traffic> {
	const decided = new Map<string, string>();
	const accepted = new Map<string, string>();
	for (let i = first; !signal.aborted; i++) {
		try {
			const request = sampleRequest(i);
			const decision = await send(url, "POST", "/v1/decisions", request);
			if (decision.status !== 200) continue;
			const id = decision.body.decisionId as string;
			decided.set(id, request.unit);
			const event = sampleEvent(i, request.unit, id);
			const answer = await send(url, "POST", "/v1/events", { events: [event] });
			if (answer.status === 202 && answer.body.accepted === 1)
				accepted.set(event.id, id);
		} catch {
			return { decided, accepted };
		}
	}
	return { decided, accepted };
}
