import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import {
	runExperiment,
	sampleEvent,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { startNats } from "../support/nats-server.js";
import {
	type Instance,
	runtimeOf,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Sent {
	readonly ids: Map<string, string>;
	readonly degraded: Set<string>;
	readonly events: Map<string, string>;
}

/** `count` decisions one after another, each with an event; every one must be answered 200 and accepted. */
async function decideMany(
	url: string,
	first: number,
	count: number,
	sent: Sent,
): Promise<void> {
	for (let i = first; i < first + count; i++) {
		const request = sampleRequest(i);
		const answer = await send(url, "POST", "/v1/decisions", request);
		expect(answer.status, JSON.stringify(answer.body)).toBe(200);
		sent.ids.set(answer.body.decisionId, request.unit);
		for (const reason of answer.body.degraded) sent.degraded.add(reason);
		const event = sampleEvent(i, request.unit, answer.body.decisionId);
		const accepted = await send(url, "POST", "/v1/events", { events: [event] });
		expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
		expect(accepted.body.accepted).toBe(1);
		sent.events.set(event.id, answer.body.decisionId);
	}
}

async function allArrived(
	instance: Instance,
	sent: Sent,
	databaseUrl?: string,
): Promise<void> {
	const DATABASE_URL =
		databaseUrl ?? (await runtimeOf(instance.folder)).databaseUrl;
	await waitFor(
		async () => {
			const { stdout } = await segueCli(["replay", "--json"], {
				DATABASE_URL,
			});
			const replay = JSON.parse(stdout.trim().split("\n").at(-1) as string);
			expect(replay.differences).toEqual([]);
			return (
				replay.decisions === sent.ids.size &&
				replay.outcomes === sent.events.size
			);
		},
		30_000,
		() => `not all arrived:\n${instance.output().slice(-3_000)}`,
	);
}

/** Segue with the sample experiment running, on a broker and a database of the test's own. */
async function startWithBroker(env: Readonly<Record<string, string>> = {}) {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	const database = await createTestDatabase();
	cleanups.push(() => database.drop());
	const instance = await startSegue({
		env: {
			DATABASE_URL: database.connectionString,
			NATS_URL: nats.url,
			...env,
		},
	});
	cleanups.push(() => instance.stop());
	await runExperiment(instance.url, sampleExperiment);
	return { nats, database, instance };
}

/** The embedded postmaster's pid, from the pid file it keeps. */
async function childrenOf(
	instance: Instance,
): Promise<{ databasePid: number }> {
	const files = await readdir(instance.folder, { recursive: true });
	const pidFile = files.find((file) => file.endsWith("postmaster.pid"));
	if (pidFile === undefined)
		throw new Error(`no postmaster.pid below ${instance.folder}`);
	const text = await readFile(`${instance.folder}/${pidFile}`, "utf8");
	return { databasePid: Number(text.split("\n")[0]) };
}

test("a spool that is full answers 503 with Retry-After rather than answering and losing, and drains when the broker is back", {
	timeout: 120_000,
}, async () => {
	const { nats, database, instance } = await startWithBroker({
		SEGUE_SPOOL_MAX_BYTES: "1048576",
	});
	await nats.kill("SIGKILL");
	const answered: string[] = [];
	let refused: Awaited<ReturnType<typeof send>> | undefined;
	for (let i = 0; i < 200 && refused === undefined; i++) {
		const decisions = Array.from({ length: 50 }, (_, k) =>
			sampleRequest(i * 50 + k),
		);
		const { body } = await send(instance.url, "POST", "/v1/decisions/batch", {
			decisions,
		});
		for (const decision of body.decisions)
			if (decision.decisionId !== undefined) answered.push(decision.decisionId);
		const one = await send(
			instance.url,
			"POST",
			"/v1/decisions",
			sampleRequest(i),
		);
		if (one.status === 200) answered.push(one.body.decisionId);
		else refused = one;
	}
	expect(refused?.status).toBe(503);
	expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
	expect(refused?.headers.get("content-type")).toContain("problem+json");
	// Small events still fit where a decision does not: they are accepted until nothing more can be kept.
	let eventStatus = 202;
	for (let i = 0; i < 2_000 && eventStatus === 202; i++) {
		const events = [
			{
				...sampleEvent(i, "unit-1", answered[0] as string),
				properties: Object.fromEntries(
					Array.from({ length: 25 }, (_, i) => [`part${i}`, "x".repeat(64)]),
				),
			},
		];
		eventStatus = (await send(instance.url, "POST", "/v1/events", { events }))
			.status;
	}
	expect(eventStatus).toBe(503);

	await nats.restart();
	await waitFor(
		async () =>
			(await send(instance.url, "POST", "/v1/decisions", sampleRequest(7)))
				.status === 200,
		20_000,
		() => "it did not decide again when the broker was back",
	);
	const client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	await waitFor(
		async () => {
			const { rows } = await client.query(
				"select count(*)::int as n from decisions where id = any ($1::uuid[])",
				[answered],
			);
			return rows[0].n === answered.length;
		},
		30_000,
		() => "an answered decision did not reach the log",
	);
	await client.end();
});

test("where the stream is a table, a database that goes away sends decisions to the spool and loses none", {
	timeout: 120_000,
}, async () => {
	const instance = await startSegue({ env: { SEGUE_STREAM: "postgres" } });
	cleanups.push(() => instance.stop());
	await runExperiment(instance.url, sampleExperiment);
	const sent: Sent = { ids: new Map(), degraded: new Set(), events: new Map() };
	await decideMany(instance.url, 0, 20, sent);
	const { databasePid } = await childrenOf(instance);
	process.kill(databasePid, "SIGKILL");
	await decideMany(instance.url, 100, 60, sent);
	await allArrived(instance, sent);
});
