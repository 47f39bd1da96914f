import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
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
	freePort,
	type Instance,
	runtimeOf,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const LONG = process.env.SEGUE_FAULTS === "long";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Answered {
	/** Decision by unit. */
	readonly decided: Map<string, string>;
	/** Decision by event. */
	readonly accepted: Map<string, string>;
}

interface Killed {
	readonly kills: number;
	readonly start: () => Promise<Instance>;
	/** What happens to the others shortly before the n-th kill, and after it. */
	readonly before?: (kill: number) => Promise<void>;
	readonly after?: (kill: number) => Promise<void>;
}

describe("kill -9 under load, again and again: every answered decision is in the log once, every accepted event counted once", {
	timeout: 1_800_000,
}, () => {
	test("a decider, every third time while its broker stands still and its spool fills", async () => {
		const nats = await startNats();
		cleanups.push(() => nats.stop());
		const database = await createTestDatabase();
		cleanups.push(() => database.drop());
		const env = {
			DATABASE_URL: database.connectionString,
			NATS_URL: nats.url,
		};
		const options = { ...(await placeOfItsOwn()), env };
		let learning: Instance | undefined;
		const { answered, last } = await killAgainAndAgain({
			kills: LONG ? 60 : 4,
			start: async () => {
				const decider = await startSegue({ app: "decider", ...options });
				if (!learning) {
					learning = await startSegue({ app: "learner", env });
					cleanups.push(async () => learning?.stop());
				}
				return decider;
			},
			before: async (kill) => {
				if (kill % 3 === 2) await nats.kill("SIGSTOP");
			},
			after: async (kill) => {
				if (kill % 3 === 2) await nats.kill("SIGCONT");
			},
		});
		cleanups.push(() => last.stop());
		await provenOnce(last, answered, database.connectionString);
	});

	test("the whole process, whose database and broker stay behind without it", async () => {
		const options = await placeOfItsOwn();
		const { answered, last } = await killAgainAndAgain({
			kills: LONG ? 10 : 2,
			start: () => startSegue(options),
		});
		cleanups.push(() => last.stop());
		const { databaseUrl } = await runtimeOf(last.folder);
		await provenOnce(last, answered, databaseUrl);
	});
});

/** A port and a data folder for every start of it. */
async function placeOfItsOwn() {
	const port = await freePort();
	const folder = await mkdtemp(join(tmpdir(), "segue-killed-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	return { port, folder };
}

async function killAgainAndAgain({
	kills,
	start,
	before,
	after,
}: Killed): Promise<{ answered: Answered; last: Instance }> {
	const answered: Answered = { decided: new Map(), accepted: new Map() };
	let instance = await start();
	await runExperiment(instance.url, sampleExperiment);
	for (let kill = 0; kill < kills; kill++) {
		const traffic = new AbortController();
		const running = [0, 1, 2, 3].map((worker) =>
			traffics(
				instance.url,
				kill * 100_000 + worker * 20_000,
				answered,
				traffic.signal,
			),
		);
		// Every phase of start, traffic and learning is hit: the times differ.
		await sleep(150 + 97 * (kill % 10));
		await before?.(kill);
		await sleep(before ? 100 : 0);
		await instance.kill();
		traffic.abort();
		await Promise.all(running);
		await after?.(kill);
		instance = await start();
	}
	console.log(
		`${kills} kills: ${answered.decided.size} decisions answered, ${answered.accepted.size} events accepted.`,
	);
	return { answered, last: instance };
}

/** Decides and reports outcomes until the server goes away; keeps only what was answered. */
async function traffics(
	url: string,
	first: number,
	{ decided, accepted }: Answered,
	signal: AbortSignal,
): Promise<void> {
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
			return;
		}
	}
}

async function provenOnce(
	{ url }: Instance,
	{ decided, accepted }: Answered,
	databaseUrl: string,
): Promise<void> {
	expect(decided.size).toBeGreaterThan(10);
	// Whether they are in the log yet or still on their way.
	const [first, last] = [[...decided.keys()][0], [...decided.keys()].at(-1)];
	for (const id of [first, last])
		expect((await send(url, "GET", `/v1/decisions/${id}`)).status).toBe(200);

	const client = new pg.Client({ connectionString: databaseUrl });
	await client.connect();
	cleanups.push(() => client.end());
	const times = async (sql: string, values: readonly string[][]) => {
		const { rows } = await client.query<{ what: string; n: number }>(sql, [
			...values,
		]);
		return new Map(rows.map(({ what, n }) => [what, n]));
	};
	const decisions = () =>
		times(
			"select d.id::text as what, count(*)::int as n from decisions d where d.id = any ($1::uuid[]) group by d.id",
			[[...decided.keys()]],
		);
	const events = () =>
		times(
			"select o.event_id || ' ' || o.decision_id as what, count(*)::int as n from outcomes o where o.event_id = any ($1::text[]) group by o.event_id, o.decision_id",
			[[...accepted.keys()]],
		);
	await waitFor(
		async () =>
			(await decisions()).size >= decided.size &&
			(await events()).size >= accepted.size,
		60_000,
		() => "what was answered did not all reach the log",
	);
	const counted = await decisions();
	expect([...decided.keys()].filter((id) => counted.get(id) !== 1)).toEqual([]);
	const learned = await events();
	expect(
		[...accepted].filter(([event, id]) => learned.get(`${event} ${id}`) !== 1),
	).toEqual([]);
	const { stdout } = await segueCli(["replay", "--json"], {
		DATABASE_URL: databaseUrl,
	});
	const replay = JSON.parse(stdout.trim().split("\n").at(-1) as string);
	expect(replay.differences).toEqual([]);
	expect(replay.equal).toBe(true);
}
