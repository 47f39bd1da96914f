import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, runExperiment, send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { startNats } from "../support/nats-server.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";
import {
	type Proxy as DatabaseProxy,
	startProxy,
} from "../support/tcp-proxy.js";

/** What a change of a definition may take to reach every decider. */
const OBEYED_MS = 2_000;
/** Room for a busy machine; the database is asked for half of it at most. */
const DEADLINE_MS = 1_000;

const experiment = {
	key: "once",
	arms: [
		{ key: "a", payload: { text: "A" } },
		{ key: "b", payload: { text: "B" } },
		{ key: "c", payload: { text: "C" } },
	],
	context: {
		features: [{ name: "tempo", from: "request", kind: "number", scale: 100 }],
	},
	policy: { kind: "linucb", alpha: 0.5, explore: 0.1 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 0.5 }],
	},
	traffic: { share: 1, control: 0.2, baseline: "uniform" },
};

const cleanups: (() => Promise<unknown>)[] = [];
let databaseUrl: string;
let database: pg.Client;
let nats: NatsConnection;
let proxy: DatabaseProxy;
/** `there` reaches the database through the proxy. */
let here: Instance;
let there: Instance;
let startHere: () => Promise<Instance>;

beforeAll(async () => {
	const broker = await startNats();
	cleanups.push(() => broker.stop());
	nats = await connect({ servers: broker.url });
	cleanups.push(() => nats.close());
	const own = await createTestDatabase();
	cleanups.push(() => own.drop());
	databaseUrl = own.connectionString;
	const address = new URL(databaseUrl);
	proxy = await startProxy({
		host: address.hostname,
		port: Number(address.port),
	});
	cleanups.push(() => proxy.close());
	address.port = String(proxy.port);
	const folder = await mkdtemp(join(tmpdir(), "segue-once-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	const env = {
		NATS_URL: broker.url,
		DATABASE_URL: databaseUrl,
		SEGUE_DECIDE_DEADLINE_MS: String(DEADLINE_MS),
	};
	startHere = () => startSegue({ app: "decider", env, folder });
	here = await startHere();
	cleanups.push(() => here.stop());
	const [other, learner] = await Promise.all([
		startSegue({ app: "decider", env: { ...env, DATABASE_URL: address.href } }),
		startSegue({ app: "learner", env }),
	]);
	there = other;
	cleanups.push(
		() => there.stop(),
		() => learner.stop(),
	);
	database = new pg.Client({ connectionString: databaseUrl });
	await database.connect();
	cleanups.push(() => database.end());
	await runExperiment(here.url, experiment);
	for (const sticky of ["unit", "session"])
		await runExperiment(here.url, {
			...experiment,
			key: `once-${sticky}`,
			sticky,
		} as { key: string });
	await obeyed(there, "once-session", () => true);
});
afterAll(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const decide = (on: Instance, body: object) =>
	send(on.url, "POST", "/v1/decisions", {
		experiment: "once",
		unit: "u1",
		context: { tempo: 120 },
		...body,
	});

async function answered(on: Instance, body: object): Promise<Answer["body"]> {
	const answer = await decide(on, body);
	expect(answer.status, JSON.stringify(answer.body)).toBe(200);
	return answer.body;
}

/** Answered by one of the deciders. */
async function overNats(body: object): Promise<Answer["body"]> {
	const request = { experiment: "once", unit: "u1", context: { tempo: 120 } };
	const text = JSON.stringify({ ...request, ...body });
	return (await nats.request("segue.decide", text, { timeout: 5_000 })).json();
}

const put = (on: Instance, document: { key: string }) =>
	send(on.url, "PUT", `/v1/experiments/${document.key}`, document);

/** Waits until a decider answers as it should, at most as long as a change may take. */
async function obeyed(
	on: Instance,
	key: string,
	holds: (answer: Answer) => boolean,
	body: object = {},
): Promise<void> {
	await waitFor(
		async () => {
			const session = `poll-${Math.random()}`;
			const unit = `poll-${Math.random()}`;
			const ask = { experiment: key, unit, session, ...body };
			const answer = await decide(on, ask);
			return answer.status !== 404 && holds(answer);
		},
		OBEYED_MS,
		() => `${key} was not obeyed in time`,
	);
}

async function play(
	on: Instance,
	id: string,
	decision: { decisionId: string },
	unit = "u1",
) {
	const at = new Date().toISOString();
	const { decisionId } = decision;
	const event = { id, type: "play", at, unit, decisionId };
	const { body } = await send(on.url, "POST", "/v1/events", {
		events: [event],
	});
	expect(body.accepted).toBe(1);
}

/** What a decision has taught, once it has. */
async function learned(on: Instance, id: string): Promise<Answer["body"]> {
	let found: Answer["body"];
	await waitFor(
		async () => {
			found = (await send(on.url, "GET", `/v1/decisions/${id}`)).body;
			return found.exposed === true;
		},
		20_000,
		() => `${id} was not learned: ${JSON.stringify(found)}`,
	);
	return found;
}

async function count(sql: string, values: unknown[]): Promise<number> {
	return (await database.query(`select count(*)::int as n from ${sql}`, values))
		.rows[0].n;
}

const stored = (id: string) =>
	waitFor(
		async () => (await count("decisions where id = $1", [id])) === 1,
		20_000,
		() => `${id} did not reach the database`,
	);

test("twenty requests at once under one requestId, on two deciders, in batches and over NATS, get one decision, which is learned once", async () => {
	const body = { requestId: "r1" };
	const batch = async (on: Instance) => {
		const one = { experiment: "once", unit: "u1", context: { tempo: 120 } };
		const decisions = [{ ...one, ...body }];
		return (await send(on.url, "POST", "/v1/decisions/batch", { decisions }))
			.body.decisions[0];
	};
	const answers = await Promise.all(
		Array.from({ length: 20 }, (_, i) => {
			const on = i % 2 === 0 ? here : there;
			if (i % 5 === 0) return batch(on);
			return i % 5 === 1 ? overNats(body) : answered(on, body);
		}),
	);
	const texts = answers.map((answer) => JSON.stringify(answer));
	expect(new Set(texts).size, texts.join("\n")).toBe(1);
	expect(answers[0].degraded).toEqual([]);

	const other = await decide(there, { ...body, context: { tempo: 121 } });
	expect(other.status).toBe(422);
	expect(other.body.errors[0].path).toBe("requestId");

	await play(there, "e1", answers[0]);
	expect(await learned(here, answers[0].decisionId)).toMatchObject({
		requestId: "r1",
		reward: 0.5,
	});
	const { body: posterior } = await send(
		here.url,
		"GET",
		"/v1/experiments/once/posterior",
	);
	const n = posterior.arms.map((arm: { n: number }) => arm.n);
	expect(n.reduce((sum: number, one: number) => sum + one, 0)).toBe(1);
	expect(await count("decisions where request_id = $1", ["r1"])).toBe(1);
});

test("a decider killed after its answer changes nothing: the retry gets the decision from the other one and from its successor", async () => {
	const body = { requestId: "r2" };
	const first = await answered(here, body);
	await here.kill();
	expect(await answered(there, body)).toEqual(first);
	here = await startHere();
	expect(await answered(here, body)).toEqual(first);
});

test("a decision that was kept but never published is published by who finds it", async () => {
	const body = { requestId: "r3" };
	const { decisionId } = await answered(here, body);
	await stored(decisionId);
	// As the database is where the decider died between the two.
	await database.query("delete from decisions where id = $1", [decisionId]);
	await database.query("delete from decision_states where id = $1", [
		decisionId,
	]);
	expect((await answered(there, body)).decisionId).toBe(decisionId);
	await stored(decisionId);
});

test("with the database out of reach a request that carries an id is decided all the same, soon, and says so", async () => {
	await proxy.cut();
	// First: after some seconds its posteriors would be of some seconds ago too.
	const both = { experiment: "once-unit", requestId: "away-both" };
	expect((await answered(there, both)).degraded).toEqual(["sticky", "retry"]);
	for (let i = 0; i < 20; i++) {
		const startedAt = performance.now();
		const { degraded } = await answered(there, { requestId: `away-${i}` });
		expect(degraded).toContain("retry");
		expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS);
	}
	expect((await answered(there, {})).degraded).not.toContain("retry");
	await proxy.mend();
	await waitFor(
		async () => {
			const requestId = `back-${Math.random()}`;
			const { degraded } = await answered(there, { requestId });
			return !degraded.includes("retry");
		},
		10_000,
		() => "it did not find the database again",
	);
});

test("a sticky session and a sticky unit get their decision again on every decider", async () => {
	const unit = { experiment: "once-unit", unit: "s1" };
	const first = await answered(here, unit);
	expect(first.repeated).toBeUndefined();
	expect(await answered(there, unit)).toEqual({ ...first, repeated: true });
	const session = { ...unit, experiment: "once-session", session: "s" };
	const inSession = await answered(there, session);
	expect(await answered(here, session)).toEqual({
		...inSession,
		repeated: true,
	});
	const next = await answered(here, { ...session, session: "t" });
	expect(next.repeated).toBeUndefined();
	expect(
		(await answered(here, { ...session, session: undefined })).degraded,
	).toEqual(["sticky"]);
});

test("in a sticky experiment twenty requests at once under one requestId get one decision, which stands for the unit too; another request under it is refused, and a killed decider changes nothing", async () => {
	const ask = { experiment: "once-unit", unit: "s4", requestId: "r4" };
	const answers = await Promise.all(
		Array.from({ length: 20 }, (_, i) =>
			answered(i % 2 === 0 ? here : there, ask),
		),
	);
	const texts = answers.map((answer) => JSON.stringify(answer));
	expect(new Set(texts).size, texts.join("\n")).toBe(1);
	const [first] = answers;
	expect(first.degraded).toEqual([]);
	expect(first.repeated).toBeUndefined();
	const again = { ...first, repeated: true };
	expect(await answered(there, { ...ask, requestId: undefined })).toEqual(
		again,
	);
	expect(await answered(here, { ...ask, requestId: "r5" })).toEqual(again);

	const other = await decide(there, { ...ask, unit: "s5" });
	expect(other.status).toBe(422);
	expect(other.body.errors[0].path).toBe("requestId");
	const next = await answered(here, { ...ask, unit: "s5", requestId: "r6" });
	expect(next.repeated).toBeUndefined();

	await play(there, "e4", first, "s4");
	expect((await learned(there, first.decisionId)).reward).toBe(0.5);
	expect(await count("decisions where unit = $1", ["s4"])).toBe(1);

	await here.kill();
	expect(await answered(there, ask)).toEqual(first);
	here = await startHere();
	expect(await answered(here, ask)).toEqual(first);
	expect(await answered(here, { ...ask, requestId: "r5" })).toEqual(again);
});

test("an arm retired by one decider is chosen by no other 2 s later, the sticky unit gets another decision, and outcomes of the retired one still count", async () => {
	const ask = { experiment: "once-unit", unit: "s2" };
	const first = await answered(there, ask);
	const arms = experiment.arms.map((arm) =>
		arm.key === first.arm ? { ...arm, state: "retired" } : arm,
	);
	const document = { ...experiment, key: "once-unit", sticky: "unit", arms };
	const changed = await put(here, document);
	expect(changed.body.newVersion).toBe(false);
	expect(changed.body.reasons[0]).toContain(`Retired: ${first.arm}.`);
	await obeyed(there, "once-unit", (answer) => answer.status === 409, {
		eligible: [first.arm],
	});

	const second = await answered(there, ask);
	expect(second.arm).not.toBe(first.arm);
	expect(second.repeated).toBeUndefined();
	expect(await answered(here, ask)).toEqual({ ...second, repeated: true });
	const { body: logged } = await send(
		there.url,
		"GET",
		`/v1/decisions/${second.decisionId}`,
	);
	const eligible = experiment.arms.filter(({ key }) => key !== first.arm);
	expect(logged.arms.map(({ arm }: { arm: string }) => arm)).toEqual(
		eligible.map(({ key }) => key),
	);
	const total = logged.arms.reduce(
		(sum: number, arm: { propensity: number }) => sum + arm.propensity,
		0,
	);
	expect(Math.abs(total - 1)).toBeLessThanOrEqual(1e-12);

	await play(here, "late", first, "s2");
	expect((await learned(here, first.decisionId)).reward).toBe(0.5);
	await waitFor(
		async () => {
			const path = `/v1/experiments/once-unit/posterior?arm=${first.arm}`;
			const { body } = await send(there.url, "GET", path);
			return body.arms[0].n === 1 && body.arms[0].b[0] === 0.5;
		},
		10_000,
		() => "the retired arm's sums did not gain the outcome",
	);
});

test("a change applied by the command line reaches both deciders within 2 s, and outcomes of an arm it removed still land", async () => {
	const before = await answered(there, { unit: "s3", eligible: ["c"] });
	const folder = await mkdtemp(join(tmpdir(), "segue-once-"));
	const file = join(folder, "once.yaml");
	const arms = experiment.arms.slice(0, 2);
	await writeFile(file, JSON.stringify({ ...experiment, arms }));
	const env = { DATABASE_URL: databaseUrl };
	const plan = await segueCli(["experiments", "plan", file], env);
	expect(plan.stdout).toContain("reason: Removed: c.");
	const applied = await segueCli(["experiments", "apply", file], env);
	expect(applied.code, applied.stderr).toBe(0);
	await Promise.all(
		[here, there].map((on) =>
			obeyed(on, "once", (answer) => answer.status === 422, {
				eligible: ["c"],
			}),
		),
	);
	await play(there, "removed", before, "s3");
	expect((await learned(here, before.decisionId)).reward).toBe(0.5);
	const replay = await segueCli(["replay", "--json"], env);
	expect(
		JSON.parse(replay.stdout.trim().split("\n").at(-1) ?? ""),
	).toMatchObject({ equal: true, differences: [] });
	await rm(folder, { recursive: true });
});
