import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type PostgresChild, startEmbeddedPostgres } from "#adapters/embedded";
import { Answered } from "../support/answered.js";
import { sampleExperiment, send } from "../support/client.js";
import { silent } from "../support/embedded.js";
import { asked } from "../support/faults/asked.js";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { type AtEnd, Ground } from "../support/faults/ground.js";
import { Part } from "../support/faults/part.js";
import { seededRandom, shuffled } from "../support/random.js";
import { startSegue, waitFor } from "../support/segue.js";
import { type Direction, startProxy } from "../support/tcp-proxy.js";

const FAULTS_MS = inForm({ short: 8_000, long: 60_000 });
const WELL_WITHIN_MS = 15_000;
/** In the long form longer than every timeout. */
const LONGEST_STOP_MS = inForm({ short: 2_000, long: 12_000 });
const LONGEST_PAUSE_MS = 1_500;
/** One asker's: while faults come, and afterwards. */
const BUSY_PAUSE_MS = 15;
const TRICKLE_PAUSE_MS = 1_000;
/** So many decisions that each decider made some of them. */
const NEWEST = 10;
/** What learners say where they cannot store which packs they took, or miss some. */
const TOLD_OF_PACKS = /Which packs were taken|never brought/;
const DIRECTIONS: readonly Direction[] = ["to client", "to server"];

/** What may befall a part of the system: each is made, lasts, and is ended. */
interface Faults {
	readonly [what: string]: (chance: Chance) => Promise<unknown>;
}

/** What a part's faults draw from; each part has its own, so that its schedule does not depend on the others'. */
interface Chance {
	readonly random: () => number;
	aWhile(): Promise<void>;
	/** What goes on now is the work of who keeps things running. */
	isOver(): void;
}

test("random faults, then none: everything is learned and every decider knows it within 15 s, and nobody did anything for that", {
	timeout: 600_000,
}, async ({ onTestFinished }) => {
	const seed = seedOf("liveness");
	const postgres = await postgresOfItsOwn(onTestFinished);
	const ground = await Ground.make(onTestFinished, seededRandom(seed), {
		databaseUrl: postgres.connectionString,
	});
	const address = new URL(ground.databaseUrl);
	const way = await startProxy({
		host: address.hostname,
		port: Number(address.port),
	});
	onTestFinished(() => way.close());
	address.port = String(way.port);
	const env = { DATABASE_URL: address.href, NATS_URL: ground.nats.url };
	const decider = async () => {
		const instance = await startSegue({ app: "decider", env });
		const part = new Part("decider", env, instance);
		onTestFinished(() => part.kill());
		return part;
	};
	const [deciders, learners] = await Promise.all([
		Promise.all([decider(), decider()]),
		Promise.all([ground.learner(env), ground.learner(env)]),
	]);
	const answered = new Answered();
	const askers = deciders.map((one) => new Asker(answered, one));

	const parts: readonly Faults[] = [
		...learners.map((learner) => faultsOfProcess("learner", learner)),
		faultsOfProcess("decider", deciders[0] as Part),
		// Never killed, so that there is somebody to ask.
		standingStill("decider", deciders[1] as Part),
		faultsOfBroker(ground),
		faultsOfDatabase(ground, postgres),
		faultsOfTheWay(way),
	];
	const struck = new Map<string, number>();
	const until = performance.now() + FAULTS_MS;
	let quietAt = 0;
	await Promise.all(
		parts.map(async (faults, i) => {
			const random = seededRandom(seed + 1 + i);
			const chance = {
				random,
				aWhile: () => sleep(LONGEST_STOP_MS * random() ** 2),
				isOver: () => {
					quietAt = performance.now();
				},
			};
			for (const what of drawn(Object.keys(faults), random)) {
				await sleep(LONGEST_PAUSE_MS * random());
				if (performance.now() >= until) return;
				await faults[what]?.(chance);
				struck.set(what, (struck.get(what) ?? 0) + 1);
			}
		}),
	);
	for (const asker of askers) asker.pauseMs = TRICKLE_PAUSE_MS;

	await waitFor(
		async () => (await complaints(ground, deciders, answered)).length === 0,
		WELL_WITHIN_MS - (performance.now() - quietAt),
		() => `not well ${WELL_WITHIN_MS} ms after the last fault`,
	).catch(async (error: Error) => {
		const said = await complaints(ground, deciders, answered).catch(String);
		throw new Error(`${error.message}: ${said}\n${toldOfPacks(learners)}`);
	});
	const wellMs = performance.now() - quietAt;
	// A pack is called missing once it is long overdue: in the long form there is time for that.
	if (LONG) await sleep(WELL_WITHIN_MS - wellMs);
	const missing = await missed(ground, answered);
	await Promise.all(askers.map((asker) => asker.stop()));
	const faults = [...struck].map(([what, times]) => `${times} × ${what}`);
	console.log(
		`${faults.join(", ")}: ${answered.decided.size} decisions, ${answered.accepted.size} events; well ${(wellMs / 1_000).toFixed(1)} s after the last.`,
	);
	expect(answered.refused).toEqual([]);
	if (LONG)
		expect([...struck.keys()].sort()).toEqual(
			[...new Set(parts.flatMap((faults) => Object.keys(faults)))].sort(),
		);
	await answered.provenOnce(ground.databaseUrl);
	// Nothing was lost, so nobody may say so.
	expect(missing, toldOfPacks(learners)).toEqual([]);
});

function toldOfPacks(learners: readonly Part[]): string {
	return learners
		.flatMap(({ output }) => output.split("\n"))
		.filter((line) => TOLD_OF_PACKS.test(line))
		.join("\n");
}

/** Each once in an order drawn, again and again: in a minute all of them come. */
function* drawn(
	names: readonly string[],
	random: () => number,
): Generator<string> {
	for (;;) yield* shuffled(names, random);
}

/** Asks one decider wherever it is ready, whatever becomes of an ask. */
class Asker {
	pauseMs = BUSY_PAUSE_MS;
	#stopped = false;
	readonly #asking: Promise<void>;

	constructor(
		private readonly answered: Answered,
		private readonly decider: Part,
	) {
		this.#asking = this.#ask();
	}

	async #ask(): Promise<void> {
		while (!this.#stopped) {
			// One that is killed answers nothing.
			if (this.decider.ready)
				await this.answered.one(this.decider.url).catch(() => undefined);
			await sleep(this.pauseMs);
		}
	}

	stop(): Promise<void> {
		this.#stopped = true;
		return this.#asking;
	}
}

/** What is not as it must be when all is learned and known, in words. */
async function complaints(
	ground: Ground,
	deciders: readonly Part[],
	answered: Answered,
): Promise<string[]> {
	const { backlog } = await ground.consumer();
	const wrong = await missed(ground, answered);
	if (backlog > 0) wrong.push(`a backlog of ${backlog} messages`);
	for (const decider of deciders) {
		const spooled = await decider.metric("segue_spool_entries");
		if (spooled !== 0) wrong.push(`${spooled} entries in a spool`);
	}
	const [newest] = await ground.database.query<{ revision: number }>(
		"select r.revision from revisions r where r.experiment = $1",
		[sampleExperiment.key],
	);
	for (const { url } of deciders) {
		const path = `/v1/experiments/${sampleExperiment.key}/posterior`;
		const { revision } = (await send(url, "GET", path)).body;
		if (revision !== newest?.revision)
			wrong.push(`a decider at revision ${revision} of ${newest?.revision}`);
	}
	return wrong;
}

/** Packs that learners say are missing of deciders that answer still. What a killed one had numbered but not published it had not answered either. */
async function missed(
	{ database }: Ground,
	{ decided }: Answered,
): Promise<string[]> {
	const newest = [...decided.keys()].slice(-NEWEST);
	const gaps = await database.query<{ boot: string; missing: string }>(
		`select g.boot, g.missing::text as missing from published_gaps g
		where g.closed_at is null and g.alarmed_at is not null
			and g.boot in (select d.boot from decisions d where d.id = any ($1::uuid[]))`,
		[newest],
	);
	return gaps.map(({ boot, missing }) => `${missing} of ${boot} missing`);
}

async function postgresOfItsOwn(atEnd: AtEnd): Promise<PostgresChild> {
	const home = await mkdtemp(join(tmpdir(), "segue-liveness-"));
	atEnd(() => rm(home, { recursive: true, force: true }));
	const folder = join(home, "postgres");
	const postgres = await startEmbeddedPostgres({ folder, log: silent });
	atEnd(() => postgres.stop());
	return postgres;
}

/** Whoever keeps processes running starts it again. */
function faultsOfProcess(name: string, part: Part): Faults {
	return {
		[`${name} killed`]: async ({ isOver }) => {
			await part.kill();
			isOver();
			for (let runs = false; !runs; )
				runs = await part.startAgain().then(
					() => true,
					() => false,
				);
		},
		...standingStill(name, part),
	};
}

function standingStill(name: string, part: Part): Faults {
	return {
		[`${name} stood still`]: async ({ aWhile, isOver }) => {
			await part.pause();
			await aWhile();
			part.resume();
			isOver();
		},
	};
}

function faultsOfBroker({ nats }: Ground): Faults {
	return {
		"broker killed": async ({ isOver }) => {
			await nats.kill("SIGKILL");
			isOver();
			await nats.restart();
		},
		"broker stood still": async ({ aWhile, isOver }) => {
			await nats.kill("SIGSTOP");
			await aWhile();
			await nats.kill("SIGCONT");
			isOver();
		},
	};
}

/** Its supervisor starts it again. */
function faultsOfDatabase(
	{ databaseUrl }: Ground,
	postgres: PostgresChild,
): Faults {
	return {
		"session ended": async ({ random, isOver }) => {
			await asked(
				databaseUrl,
				`select pg_terminate_backend(a.pid) from (select a.pid from pg_stat_activity a
				where a.datname = current_database() and a.application_name like 'segue%'
				order by md5(a.pid::text || ${random()}) limit 1) a`,
			);
			isOver();
		},
		"database killed": async ({ isOver }) => {
			const { pid } = postgres;
			process.kill(pid, "SIGKILL");
			isOver();
			await waitFor(
				() => postgres.pid !== pid,
				60_000,
				() => "PostgreSQL did not start again",
			);
		},
	};
}

function faultsOfTheWay(way: Awaited<ReturnType<typeof startProxy>>): Faults {
	return {
		"database far away": async ({ random, aWhile, isOver }) => {
			way.delay(300 * random(), DIRECTIONS);
			await aWhile();
			way.delay(0);
			isOver();
		},
		"database silent one way": async ({ random, aWhile, isOver }) => {
			way.swallow(DIRECTIONS[Math.floor(2 * random())] as Direction);
			await aWhile();
			way.swallow(null);
			isOver();
		},
		"database out of reach": async ({ aWhile, isOver }) => {
			await way.cut();
			await aWhile();
			await way.mend();
			isOver();
		},
	};
}
