import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresChild, startEmbeddedPostgres } from "#adapters/embedded";
import { eventSubject } from "#core/log";
import { Answered } from "../support/answered.js";
import { openBroker } from "../support/broker.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { silent } from "../support/embedded.js";
import { asked, askedOnce } from "../support/faults/asked.js";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { Memory, NamedRequests, slowness } from "../support/faults/rounds.js";
import { startNats } from "../support/nats-server.js";
import { JUST_UNDER_1_MIB } from "../support/poison.js";
import { seededRandom } from "../support/random.js";
import { startSegue, waitFor } from "../support/segue.js";
import { mountSmallDisk } from "../support/small-disk.js";
import { type Direction, startProxy } from "../support/tcp-proxy.js";

/** How much slower decisions may be while the database fails. */
const MOST_RATIO = 1.3;
/** Of those that ask the database first, and go without where it does not answer (docs/adr/0019-kept-before-published.md): what SEGUE_DECIDE_DEADLINE_MS is by default. */
const DEADLINE_MS = 100;
const MOST_GROWTH_BYTES = 150 * 1_048_576;
/** A learner holds 32 MiB at once at most: as they came, as text, and on their way to the database. */
const MOST_HELD_BYTES = 256 * 1_048_576;
const ROUNDS = inForm({ short: 1, long: 5 });
const KILLS_A_ROUND = inForm({ short: 1, long: 6 });
const SETTLE_MS = inForm({ short: 200, long: 5_000 });
/** Below it a disk is full: a server needs 16 MiB of log to start, and throws caches of 350 KiB away as it tries in vain. */
const FULL_BYTES = 1_048_576;
const SILENT: readonly Direction[] = ["to client", "to server"];
/** To the server and back 500 ms more, by either way, and as much by each. */
const AWAY: readonly (readonly Direction[])[] = [
	SILENT,
	["to client"],
	["to server"],
];
const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A decider and a learner on a broker of their own and this database. */
async function startParts(databaseUrl: string) {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	const env = { DATABASE_URL: databaseUrl, NATS_URL: nats.url };
	const decider = await startSegue({ app: "decider", env });
	cleanups.push(() => decider.stop());
	const learner = await startSegue({ app: "learner", env });
	cleanups.push(() => learner.stop());
	await runExperiment(decider.url, sampleExperiment);
	const answered = new Answered();
	const named = new NamedRequests((id, unit) => answered.decided.set(id, unit));
	return {
		decider,
		learner,
		answered,
		named,
		natsUrl: nats.url,
		/** Requests of both kinds until it is stopped. */
		traffic: (pauseMs: number) => {
			const both = [
				answered.traffic(decider.url, 2, pauseMs),
				named.traffic(decider.url, 50),
			];
			return { stop: () => Promise.all(both.map((one) => one.stop())) };
		},
	};
}

/** A PostgreSQL of the test's own, which starts again where it is killed. */
async function startPostgres(folder: string): Promise<PostgresChild> {
	const postgres = await startEmbeddedPostgres({ folder, log: silent });
	cleanups.push(() => postgres.stop());
	return postgres;
}

/** How the database answers who makes a table larger than what is free on a full disk: an error's code, or its words where it has none. */
async function answerToLargeTable(databaseUrl: string): Promise<string> {
	try {
		// Unlogged, so that it is the table that has no room, and not the log.
		await askedOnce(
			databaseUrl,
			"create unlogged table too_large as select generate_series(1, 100000)",
		);
		return "made";
	} catch (error) {
		const { code, message } = error as { code?: string; message: string };
		return code ?? message;
	}
}

async function temporary(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "segue-pg-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

describe("the database fails: every decision is answered, nothing is lost or counted twice", {
	timeout: 1_800_000,
}, () => {
	/** Of all tests but those that need another disk; what each fault leaves goes on into the next. */
	let postgres: PostgresChild;
	let databaseUrl: string;
	let proxy: Awaited<ReturnType<typeof startProxy>>;
	let parts: Awaited<ReturnType<typeof startParts>>;
	const seed = seedOf("postgres");
	beforeAll(async () => {
		postgres = await startPostgres(join(await temporary(), "postgres"));
		databaseUrl = postgres.connectionString;
		const address = new URL(databaseUrl);
		proxy = await startProxy({
			host: address.hostname,
			port: Number(address.port),
		});
		cleanups.push(() => proxy.close());
		address.port = String(proxy.port);
		parts = await startParts(address.href);
	});

	test("it is 500 ms away, or silent in one direction: decisions are as fast as ever, and the learner's memory stays", async () => {
		const { learner, answered, named } = parts;
		const { latencies } = answered;
		const traffic = parts.traffic(10);
		await sleep(inForm({ short: 500, long: 15_000 }));
		const memory = await Memory.watch(learner);
		const rounds = { rounds: ROUNDS, settleMs: SETTLE_MS, latencies };
		const away = await slowness({
			...rounds,
			name: "500 ms added",
			lengthMs: () => inForm({ short: 1_000, long: 10_000 }),
			fail: async (round) => {
				proxy.delay(500, AWAY[round % AWAY.length]);
				return async () => proxy.delay(0);
			},
		});
		const swallowed = await slowness({
			...rounds,
			name: "one way silent",
			lengthMs: () => inForm({ short: 1_000, long: 60_000 }),
			fail: async (round) => {
				proxy.swallow(SILENT[round % SILENT.length] as Direction);
				return async () => proxy.swallow(null);
			},
		});
		await traffic.stop();
		console.log(named.said());
		expect(await memory.grown("Learner")).toBeLessThan(MOST_GROWTH_BYTES);
		if (LONG) expect(named.p99()).toBeLessThan(DEADLINE_MS);
		if (LONG) expect(away).toBeLessThanOrEqual(MOST_RATIO);
		if (LONG) expect(swallowed).toBeLessThanOrEqual(MOST_RATIO);
		expect([...answered.refused, ...named.wrong]).toEqual([]);
		// In the short form the last of these tests proves all that was answered in them.
		if (LONG) await answered.provenOnce(databaseUrl, 120_000);
	});

	// What is written and stored takes half a minute on a busy machine: the long form alone.
	test.runIf(LONG)(
		"it is silent while far more comes than a learner may hold: the learner's memory stays",
		async () => {
			const { learner, answered, named } = parts;
			const broker = await openBroker(parts.natsUrl);
			cleanups.push(() => broker.close());
			const traffic = parts.traffic(15);
			await sleep(500);
			const memory = await Memory.watch(learner);
			proxy.swallow("to client");
			// As large as they may be, and stored whole, since nobody can read them.
			const body = new Uint8Array(JUST_UNDER_1_MIB).fill(120);
			const subject = eventSubject("play");
			await broker.publish(
				Array.from({ length: 480 }, () => ({ subject, body })),
			);
			await sleep(60_000);
			proxy.swallow(null);
			await broker.taken(60_000);
			await traffic.stop();
			expect(await memory.grown("Learner")).toBeLessThan(MOST_HELD_BYTES);
			expect([...answered.refused, ...named.wrong]).toEqual([]);
			await answered.provenOnce(databaseUrl);
		},
	);

	test("it goes away for seconds: decisions go on and say so, reports answer 503", async () => {
		const { decider, answered, named } = parts;
		const random = seededRandom(seed + 1);
		const traffic = parts.traffic(15);
		await sleep(500 * random());
		await proxy.cut();
		answered.degraded.clear();
		await waitFor(
			() => answered.degraded.has("posterior"),
			30_000,
			() => "no decision said that its posterior is old",
		);
		const newest = [...answered.decided.keys()].at(-1);
		const found = await send(decider.url, "GET", `/v1/decisions/${newest}`);
		expect(found.status).toBe(200);
		const path = "/v1/experiments/sample/report";
		expect((await send(decider.url, "GET", path)).status).toBe(503);
		await proxy.mend();
		await sleep(500 * random());
		await traffic.stop();
		expect([...answered.refused, ...named.wrong]).toEqual([]);
		if (LONG) await answered.provenOnce(databaseUrl);
	});

	test("its backends and its postmaster are killed, again and again: what was committed stays", async () => {
		const { learner, answered, named } = parts;
		const random = seededRandom(seed + 2);
		const traffic = parts.traffic(15);
		const memory = await Memory.watch(learner);
		const committed = async () => {
			const [row] = await asked<{ decisions: number; outcomes: number }>(
				databaseUrl,
				"select (select count(*) from decisions)::int as decisions, (select count(*) from outcomes)::int as outcomes",
			);
			if (row === undefined) throw new Error("no count");
			return row;
		};
		await waitFor(
			async () => (await committed()).outcomes > 0,
			30_000,
			() => "nothing was learned before the first kill",
		);
		for (let kill = 0; kill < inForm({ short: 2, long: 40 }); kill++) {
			const backends = await asked<{ pid: number; ended: boolean }>(
				databaseUrl,
				`select a.pid, pg_terminate_backend(a.pid) as ended from (select a.pid from pg_stat_activity a
				where a.application_name like 'segue%' order by md5(a.pid::text || ${random()}) limit 1) a`,
			);
			expect(backends.map(({ ended }) => ended)).toEqual([true]);
			await sleep(200 * random());
		}
		// One that dies of a signal takes all the others with it.
		const [backend] = await asked<{ pid: number }>(
			databaseUrl,
			"select a.pid from pg_stat_activity a where a.application_name like 'segue learner%' limit 1",
		);
		process.kill((backend as { pid: number }).pid, "SIGKILL");
		const killed = async () => {
			await sleep(1_200 * random());
			const before = await committed();
			const { pid } = postgres;
			process.kill(pid, "SIGKILL");
			await waitFor(
				() => postgres.pid !== pid,
				60_000,
				() => "PostgreSQL did not start again",
			);
			const after = await committed();
			expect(after.decisions).toBeGreaterThanOrEqual(before.decisions);
			expect(after.outcomes).toBeGreaterThanOrEqual(before.outcomes);
		};
		let kills = 0;
		const ratio = await slowness({
			name: "postmaster killed",
			rounds: ROUNDS,
			settleMs: SETTLE_MS,
			latencies: answered.latencies,
			lengthMs: () => inForm({ short: 500, long: 15_000 }),
			fail: async () => {
				const all = (async () => {
					for (let kill = 0; kill < KILLS_A_ROUND; kill++, kills++)
						await killed();
				})();
				return () => all;
			},
		});
		await traffic.stop();
		console.log(
			`${kills} kills of the postmaster, ${answered.decided.size} decisions. ${named.said()}`,
		);
		expect(await memory.grown("Learner")).toBeLessThan(MOST_GROWTH_BYTES);
		if (LONG) expect(named.p99()).toBeLessThan(DEADLINE_MS);
		if (LONG) expect(ratio).toBeLessThanOrEqual(MOST_RATIO);
		expect([...answered.refused, ...named.wrong]).toEqual([]);
		await answered.provenOnce(databaseUrl, 120_000);
	});

	test.runIf(LONG)("its disk is full, and has room again", async (context) => {
		const folder = await temporary();
		const disk = await mountSmallDisk(folder, 512);
		if (typeof disk === "string") return context.skip(disk);
		cleanups.push(() => disk.remove());
		const postgres = await startPostgres(join(folder, "postgres"));
		const { decider, learner, answered, named, traffic } = await startParts(
			postgres.connectionString,
		);
		const random = seededRandom(seed + 3);
		const asking = traffic(15);
		await sleep(15_000);
		const memory = await Memory.watch(learner);
		const answers: string[] = [];
		const ratio = await slowness({
			name: "disk full",
			rounds: ROUNDS,
			settleMs: 15_000,
			latencies: answered.latencies,
			lengthMs: () => 20_000,
			// So that tables grow, and alike in both halves.
			meanwhile: async () => {
				for (let i = 0; i < 36; i++) {
					await answered.heavy(decider.url, 40);
					await sleep(300 + 400 * random());
				}
			},
			fail: async () => {
				await disk.fill(256 * 1_024);
				let mostFree = 0;
				const watching = setInterval(async () => {
					mostFree = Math.max(mostFree, await disk.free());
				}, 250);
				return async () => {
					answers.push(await answerToLargeTable(postgres.connectionString));
					clearInterval(watching);
					expect(mostFree).toBeLessThan(FULL_BYTES);
					await disk.empty();
					// It may have to start again, which its supervisor tries ever less often.
					await asked(postgres.connectionString, "select 1");
				};
			},
		});
		await asking.stop();
		console.log(
			`${answered.decided.size} decisions over a full disk, of which the database said ${answers.join(", ")}. ${named.said()}`,
		);
		// It has no room; or has died of that, and starts in vain or is down until the next attempt.
		for (const answer of answers)
			expect(answer).toMatch(
				/^(53100|57P0[13]|Connection terminated|ECONNREFUSED|ECONNRESET|EPIPE)/,
			);
		expect(answers).toContain("53100");
		expect(learner.output()).toContain("No space left");
		expect(await memory.grown("Learner")).toBeLessThan(MOST_GROWTH_BYTES);
		expect(named.p99()).toBeLessThan(DEADLINE_MS);
		expect(ratio).toBeLessThanOrEqual(MOST_RATIO);
		expect([...answered.refused, ...named.wrong]).toEqual([]);
		await answered.provenOnce(postgres.connectionString, 120_000);
	});
});
