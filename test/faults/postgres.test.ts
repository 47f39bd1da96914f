import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresChild, startEmbeddedPostgres } from "#adapters/embedded";
import { Answered } from "../support/answered.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { silent } from "../support/embedded.js";
import { inForm, LONG } from "../support/faults/form.js";
import { startNats } from "../support/nats-server.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";
import { mountSmallDisk } from "../support/small-disk.js";
import { type Direction, startProxy } from "../support/tcp-proxy.js";

/** How much slower decisions may be while the database fails. */
const MOST_RATIO = 1.3;
const MOST_GROWTH_BYTES = 150 * 1_048_576;
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
	return { decider, learner, answered: new Answered() };
}

/** A PostgreSQL of the test's own, which starts again where it is killed. */
async function startPostgres(folder: string): Promise<PostgresChild> {
	const postgres = await startEmbeddedPostgres({ folder, log: silent });
	cleanups.push(() => postgres.stop());
	return postgres;
}

async function temporary(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "segue-pg-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

/** One question to the database by a connection of its own, asked until it answers with a row. */
async function asked<Row extends object>(
	databaseUrl: string,
	sql: string,
): Promise<Row[]> {
	let rows: Row[] = [];
	await waitFor(
		async () => {
			const client = new pg.Client({
				connectionString: databaseUrl,
				connectionTimeoutMillis: 2_000,
			});
			client.on("error", () => undefined);
			try {
				await client.connect();
				({ rows } = await client.query(sql));
				return rows.length > 0;
			} finally {
				await client.end().catch(() => undefined);
			}
		},
		60_000,
		() => `the database did not answer ${sql}`,
	);
	return rows;
}

async function residentBytes({ process: { pid } }: Instance): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1_024;
}

const p99 = (latencies: readonly number[]) =>
	[...latencies].sort((a, b) => a - b)[
		Math.floor(latencies.length * 0.99)
	] as number;
const median = (values: readonly number[]) =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

describe("the database fails: every decision is answered, nothing is lost or counted twice", {
	timeout: 1_800_000,
}, () => {
	/** Of all tests but those that need another disk; what each fault leaves goes on into the next. */
	let postgres: PostgresChild;
	let databaseUrl: string;
	let proxy: Awaited<ReturnType<typeof startProxy>>;
	let parts: Awaited<ReturnType<typeof startParts>>;
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
		const { decider, learner, answered } = parts;
		const traffic = answered.traffic(decider.url, 2, 10);
		const round = async (ms: number) => {
			answered.latencies.length = 0;
			await sleep(ms);
			return p99(answered.latencies);
		};
		await round(inForm({ short: 500, long: 15_000 }));
		const resident = await residentBytes(learner);
		let most = resident;
		const ratios = async (
			name: string,
			fault: (n: number) => void,
			lengthMs: (n: number) => number,
		) => {
			const rounds: { quiet: number; failing: number }[] = [];
			for (let n = 0; n < inForm({ short: 1, long: 5 }); n++) {
				const quiet = await round(inForm({ short: 500, long: 10_000 }));
				fault(n);
				const failing = await round(lengthMs(n));
				most = Math.max(most, await residentBytes(learner));
				proxy.delay(0);
				proxy.swallow(null);
				// What waited is worked off before the next quiet round.
				await sleep(inForm({ short: 200, long: 5_000 }));
				rounds.push({ quiet, failing });
			}
			const ratio = median(rounds.map((one) => one.failing / one.quiet));
			const said = rounds.map(
				({ quiet, failing }) => `${quiet.toFixed(1)} → ${failing.toFixed(1)}`,
			);
			console.log(
				`${name}: p99 of decisions in ms ${said.join(", ")}; median ratio ${ratio.toFixed(2)}.`,
			);
			return ratio;
		};
		const away = await ratios(
			"500 ms added",
			() => proxy.delay(500),
			() => inForm({ short: 1_500, long: 10_000 }),
		);
		const directions: Direction[] = ["to client", "to server"];
		const swallowed = await ratios(
			"one way silent",
			(n) => proxy.swallow(directions[n % 2] as Direction),
			(n) => inForm({ short: 1_500, long: n === 0 ? 60_000 : 10_000 }),
		);
		await traffic.stop();
		console.log(
			`Learner: ${(resident / 1_048_576).toFixed(0)} MiB before, at most ${(most / 1_048_576).toFixed(0)} MiB.`,
		);
		expect(most - resident).toBeLessThan(MOST_GROWTH_BYTES);
		if (LONG) expect(away).toBeLessThanOrEqual(MOST_RATIO);
		if (LONG) expect(swallowed).toBeLessThanOrEqual(MOST_RATIO);
		expect(answered.refused).toEqual([]);
		// In the short form the last of these tests proves all that was answered in them.
		if (LONG) await answered.provenOnce(databaseUrl, 120_000);
	});

	test("it goes away for seconds: decisions go on and say so, reports answer 503", async () => {
		const { decider, answered } = parts;
		const traffic = answered.traffic(decider.url, 2, 15);
		await sleep(500);
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
		await sleep(500);
		await traffic.stop();
		expect(answered.refused).toEqual([]);
		if (LONG) await answered.provenOnce(databaseUrl);
	});

	test("its backends and its postmaster are killed, again and again: what was committed stays", async () => {
		const { decider, answered } = parts;
		const traffic = answered.traffic(decider.url, 2, 15);
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
				where a.application_name like 'segue%' order by md5(a.pid::text || ${kill}) limit 1) a`,
			);
			expect(backends.map(({ ended }) => ended)).toEqual([true]);
			await sleep(50 * (kill % 5));
		}
		// One that dies of a signal takes all the others with it.
		const [backend] = await asked<{ pid: number }>(
			databaseUrl,
			"select a.pid from pg_stat_activity a where a.application_name like 'segue learner%' limit 1",
		);
		process.kill((backend as { pid: number }).pid, "SIGKILL");
		const kills = inForm({ short: 1, long: 30 });
		for (let kill = 0; kill < kills; kill++) {
			await sleep(100 + 170 * (kill % 7));
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
		}
		await traffic.stop();
		console.log(
			`${kills} kills of the postmaster, ${answered.decided.size} decisions.`,
		);
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(databaseUrl, 120_000);
	});

	test.runIf(LONG)("its disk is full, and has room again", async (context) => {
		const folder = await temporary();
		const disk = await mountSmallDisk(folder, 512);
		if (typeof disk === "string") return context.skip(disk);
		cleanups.push(() => disk.remove());
		const postgres = await startPostgres(join(folder, "postgres"));
		const { decider, learner, answered } = await startParts(
			postgres.connectionString,
		);
		const traffic = answered.traffic(decider.url, 2, 15);
		await sleep(2_000);
		await disk.fill(2 * 1_048_576);
		await waitFor(
			async () => {
				await answered.heavy(decider.url, 40);
				return /No space left|53100/.test(learner.output());
			},
			120_000,
			() => "the disk did not become full",
		);
		await sleep(15_000);
		await disk.empty();
		await sleep(1_000);
		await traffic.stop();
		console.log(`${answered.decided.size} decisions over a full disk.`);
		// It may have to start again, which its supervisor tries ever less often.
		await asked(postgres.connectionString, "select 1");
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(postgres.connectionString, 120_000);
	});
});
