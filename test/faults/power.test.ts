import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import {
	afterAll,
	beforeAll,
	describe,
	expect,
	type TestContext,
	test,
} from "vitest";
import {
	findNatsServer,
	natsServerVersion,
	type PostgresChild,
	startEmbeddedPostgres,
} from "#adapters/embedded";
import {
	runExperiment,
	sampleEvent,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { inForm, seedOf } from "../support/faults/form.js";
import { quiet } from "../support/quiet.js";
import { seededRandom } from "../support/random.js";
import {
	type Instance,
	runtimeOf,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";
import { type SystemCall, traceCalls } from "../support/system-calls.js";

/** Requests one after another, so that no sync can be another's. */
const REQUESTS = inForm({ short: 12, long: 300 });
/** Between an answer and the next request, at most. */
const LONGEST_PAUSE_MS = 20;
const seed = seedOf("power");

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function temporary(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "segue-power-"));
	cleanups.push(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

interface Asked {
	/** In the request alone. */
	readonly asked: string;
	/** In the answer's bytes, with `asked` or after it. */
	readonly answered: string;
}

/** Decisions and an event of each; each has a word of its own by which a trace finds it. */
async function ask(url: string, first: number): Promise<Asked[]> {
	const random = seededRandom(seed + first);
	const all: Asked[] = [];
	for (let i = first; i < first + REQUESTS; i++) {
		const unit = `power-cut-${i}.`;
		const what = Math.floor(1_000 * random());
		await sleep(LONGEST_PAUSE_MS * random());
		const request = { ...sampleRequest(what), unit };
		const decision = await send(url, "POST", "/v1/decisions", request);
		expect(decision.status, JSON.stringify(decision.body)).toBe(200);
		const id = decision.body.decisionId as string;
		all.push({ asked: unit, answered: id });
		await sleep(LONGEST_PAUSE_MS * random());
		const event = { ...sampleEvent(what, unit, id), id: `power-event-${i}.` };
		const accepted = await send(url, "POST", "/v1/events", { events: [event] });
		expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
		all.push({ asked: event.id, answered: "HTTP/1.1 202" });
	}
	return all;
}

/** Those whose answer went out although nothing that `file` matches was written and then synced since they were asked for. */
function unsynced(
	calls: readonly SystemCall[],
	asked: readonly Asked[],
	file: RegExp,
): string[] {
	const named = (names: RegExp) => (call: SystemCall) =>
		names.test(call.text) && file.test(call.text);
	const writes = calls.filter(named(/^p?writev?(64)?\(/));
	const syncs = calls.filter(named(/^f(data)?sync\(.* = 0/));
	return asked.flatMap(({ asked: word, answered }) => {
		const came = calls.find(
			({ text }) =>
				/^(read|recvfrom)\(.*POST/.test(text) && text.includes(word),
		);
		const went = calls.find(
			({ text, begun }) =>
				came !== undefined &&
				begun > came.ended &&
				/^writev?\(.*HTTP\/1\.1 20/.test(text) &&
				text.includes(answered),
		);
		if (came === undefined || went === undefined)
			return [`${word}: the trace shows no request or no answer`];
		const safe = syncs.some(
			(sync) =>
				sync.ended < went.begun &&
				writes.some(
					(write) => write.begun > came.ended && write.ended < sync.begun,
				),
		);
		return safe ? [] : [`${word}: answered before a sync`];
	});
}

/** What `work` asked of the processes `pids` is answered only after a sync; skips the test where nothing can be seen. */
async function provenSynced(
	context: TestContext,
	pids: readonly number[],
	file: RegExp,
	work: () => Promise<Asked[]>,
): Promise<void> {
	const trace = await traceCalls(pids, join(await temporary(), "calls"));
	if (typeof trace === "string") context.skip(trace);
	else {
		const asked = await work();
		const calls = await trace.stop();
		expect(unsynced(calls, asked, file)).toEqual([]);
		console.log(
			`${asked.length} answers, each behind a sync of ${file.source}; ${calls.length} calls traced.`,
		);
	}
}

const env = {
	SEGUE_STREAM: "postgres",
	SEGUE_DURABILITY: "power",
	// Traced processes are slow; nothing may go to the spool for that.
	SEGUE_DECIDE_DEADLINE_MS: "5000",
};

describe("power, with the stream in PostgreSQL", { timeout: 300_000 }, () => {
	/** A decider alone, so that nobody but its publishes makes the database sync. */
	let postgres: PostgresChild;
	let instance: Instance;
	beforeAll(async () => {
		postgres = await startEmbeddedPostgres({
			folder: join(await temporary(), "postgres"),
			log: quiet,
		});
		cleanups.push(() => postgres.stop());
		instance = await startSegue({
			app: "decider",
			env: { ...env, DATABASE_URL: postgres.connectionString },
		});
		cleanups.push(() => instance.stop());
		await runExperiment(instance.url, sampleExperiment);
	});

	test("each answer to a decision and an event follows a sync of the write-ahead log", async (context) => {
		// So that pools are open and tables are warm.
		await ask(instance.url, 100_000);
		const client = new pg.Client(postgres.connectionString);
		await client.connect();
		const { rows } = await client.query<{ pid: number }>(
			"select a.pid from pg_stat_activity a where a.pid <> pg_backend_pid()",
		);
		await client.end();
		const pids = [
			instance.process.pid as number,
			postgres.pid,
			...rows.map(({ pid }) => pid),
		];
		await provenSynced(context, pids, /pg_wal/, () => ask(instance.url, 0));
	});

	test("each answer follows a sync of the spool while the database is away", async (context) => {
		await postgres.stop();
		await provenSynced(
			context,
			[instance.process.pid as number],
			/\/spool\//,
			() => ask(instance.url, 0),
		);
	});

	test("the whole process says so, and what it answered is learned and proved by a replay", async () => {
		const instance = await startSegue({ env });
		cleanups.push(() => instance.stop());
		expect(instance.output()).toContain("durability: power");
		expect(instance.output()).toContain("stream: postgres");
		await runExperiment(instance.url, sampleExperiment);
		await ask(instance.url, 0);
		await provenByReplay(instance);
	});
});

test("power, with JetStream: each answer follows a sync of the stream's file", {
	timeout: 300_000,
}, async (context) => {
	const binary = findNatsServer();
	if (binary === null) return context.skip("There is no nats-server here.");
	const [major, minor] = natsServerVersion(binary);
	if (major === 2 && minor < 10)
		return context.skip(
			`The nats-server here is ${major}.${minor}; only 2.10 and later sync every message.`,
		);
	const instance = await startSegue({
		env: { ...env, SEGUE_STREAM: "jetstream" },
	});
	cleanups.push(() => instance.stop());
	await runExperiment(instance.url, sampleExperiment);
	await ask(instance.url, 100_000);
	const nats = await pidOfNats(instance.folder);
	await provenSynced(
		context,
		[instance.process.pid as number, nats],
		/jetstream.*SEGUE\/msgs/,
		() => ask(instance.url, 0),
	);
	await provenByReplay(instance);
});

async function pidOfNats(folder: string): Promise<number> {
	return Number(await readFile(join(folder, "nats", "nats.pid"), "utf8"));
}

async function provenByReplay({ folder }: Instance): Promise<void> {
	const { databaseUrl: DATABASE_URL } = await runtimeOf(folder);
	await waitFor(
		async () => {
			const { stdout } = await segueCli(["replay", "--json"], { DATABASE_URL });
			const replay = JSON.parse(stdout.trim().split("\n").at(-1) as string);
			expect(replay.differences).toEqual([]);
			return replay.decisions >= REQUESTS && replay.outcomes >= REQUESTS;
		},
		60_000,
		() => "what was answered was not learned",
	);
}
