import { connect } from "@nats-io/transport-node";
import { afterAll, expect, test } from "vitest";
import {
	type Answer,
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { startNats } from "../support/nats-server.js";
import { startSegue, waitFor } from "../support/segue.js";

const USER = "segue";
const PASSWORD = "s@c/r:e%t";

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
	for (const cleanup of cleanups.reverse()) await cleanup();
});

test("with a broker that asks for user and password, segue.decide answers, outcomes are learned, and the password is shown nowhere", async () => {
	const nats = await startNats({ args: ["--user", USER, "--pass", PASSWORD] });
	cleanups.push(() => nats.stop());
	const servers = nats.url;
	await expect(connect({ servers, reconnect: false })).rejects.toThrow(
		/authorization/i,
	);
	const login = `${USER}:${encodeURIComponent(PASSWORD)}`;
	const segue = await startSegue({
		env: {
			NATS_URL: servers.replace("//", `//${login}@`),
			SEGUE_STREAM: "jetstream",
		},
	});
	cleanups.push(() => segue.stop());
	await runExperiment(segue.url, sampleExperiment);

	const client = await connect({ servers, user: USER, pass: PASSWORD });
	cleanups.push(() => client.close());
	const request = sampleRequest(1);
	const answer = await client.request("segue.decide", JSON.stringify(request), {
		timeout: 5_000,
	});
	const { decisionId } = answer.json<{ decisionId: string }>();
	expect(decisionId).toMatch(/^[0-9a-f-]{36}$/);
	const event = {
		id: "heard",
		type: "play",
		at: new Date().toISOString(),
		unit: request.unit,
		decisionId,
	};
	expect(
		await send(segue.url, "POST", "/v1/events", { events: [event] }),
	).toMatchObject({ status: 202, body: { accepted: 1 } });
	let last: Answer["body"];
	await waitFor(
		async () => {
			last = (await send(segue.url, "GET", `/v1/decisions/${decisionId}`)).body;
			return last.learned !== null && last.events[0]?.verdict === "applied";
		},
		20_000,
		() => `the event was not learned: ${JSON.stringify(last)}`,
	);

	const ready = await send(segue.url, "GET", "/health/ready");
	for (const text of [segue.output(), JSON.stringify(ready.body)])
		for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)])
			expect(text).not.toContain(secret);
});
