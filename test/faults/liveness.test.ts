import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Answered } from "../support/answered.js";
import { sampleExperiment, send } from "../support/client.js";
import { inForm, seedOf } from "../support/faults/form.js";
import { Ground } from "../support/faults/ground.js";
import type { Learner } from "../support/faults/learner.js";
import { seededRandom } from "../support/random.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";
import { type Direction, startProxy } from "../support/tcp-proxy.js";

const FAULTS_MS = inForm({ short: 8_000, long: 60_000 });
const WELL_WITHIN_MS = 15_000;
/** In the long form longer than every timeout. */
const LONGEST_STOP_MS = inForm({ short: 2_000, long: 12_000 });
const LONGEST_PAUSE_MS = 1_500;
const DIRECTIONS: readonly Direction[] = ["to client", "to server"];

/** What may befall a part of the system: each is made, lasts, and is ended. */
interface Faults {
	readonly [what: string]: () => Promise<unknown>;
}

test("random faults, then none: everything is learned and every decider knows it within 15 s, and nobody did anything for that", {
	timeout: 600_000,
}, async ({ onTestFinished }) => {
	const seed = seedOf("liveness");
	const ground = await Ground.make(onTestFinished, seededRandom(seed));
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
		onTestFinished(() => instance.kill());
		return instance;
	};
	const [deciders, learners] = await Promise.all([
		Promise.all([decider(), decider()]),
		Promise.all([ground.learner(env), ground.learner(env)]),
	]);
	const answered = new Answered();
	const traffic = deciders.map(({ url }) => answered.traffic(url, 1, 15));

	const random = seededRandom(seed + 1);
	const aWhile = () => sleep(LONGEST_STOP_MS * random() ** 2);
	const struck = new Map<string, number>();
	const until = performance.now() + FAULTS_MS;
	const parts: readonly Faults[] = [
		...learners.map((learner) => faultsOfLearner(learner, aWhile)),
		faultsOfBroker(ground, aWhile),
		faultsOfSessions(ground, random),
		faultsOfTheWay(way, aWhile, random),
	];
	await Promise.all(
		parts.map(async (faults) => {
			const names = Object.keys(faults);
			for (;;) {
				await sleep(LONGEST_PAUSE_MS * random());
				if (performance.now() >= until) return;
				const what = names[Math.floor(names.length * random())] as string;
				await faults[what]?.();
				struck.set(what, (struck.get(what) ?? 0) + 1);
			}
		}),
	);
	await Promise.all(traffic.map((one) => one.stop()));

	const quietAt = performance.now();
	await waitFor(
		async () => (await complaints(ground, deciders)).length === 0,
		WELL_WITHIN_MS,
		() => `not well ${WELL_WITHIN_MS} ms after the last fault`,
	).catch(async (error: Error) => {
		const said = await complaints(ground, deciders).catch(String);
		throw new Error(`${error.message}: ${said}`);
	});
	const wellMs = performance.now() - quietAt;
	const faults = [...struck].map(([what, times]) => `${times} × ${what}`);
	console.log(
		`${faults.join(", ")}: ${answered.decided.size} decisions, ${answered.accepted.size} events; well ${(wellMs / 1_000).toFixed(1)} s after the last.`,
	);
	expect(answered.refused).toEqual([]);
	await answered.provenOnce(ground.databaseUrl);
});

/** What is not as it must be when all is learned and known, in words. */
async function complaints(
	ground: Ground,
	deciders: readonly Instance[],
): Promise<string[]> {
	const { backlog } = await ground.consumer();
	const wrong = backlog === 0 ? [] : [`a backlog of ${backlog} messages`];
	for (const { url } of deciders) {
		const { body } = await send(url, "GET", "/metrics");
		const spooled = /^segue_spool_entries (\d+)$/m.exec(String(body))?.[1];
		if (spooled !== "0") wrong.push(`${spooled} entries in a spool`);
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

/** Whoever keeps processes running starts it again. */
function faultsOfLearner(
	learner: Learner,
	aWhile: () => Promise<void>,
): Faults {
	return {
		"learner killed": async () => {
			await learner.kill();
			for (let runs = false; !runs; )
				runs = await learner.startAgain().then(
					() => true,
					() => false,
				);
		},
		"learner stood still": async () => {
			await learner.pause();
			await aWhile();
			learner.resume();
		},
	};
}

function faultsOfBroker({ nats }: Ground, aWhile: () => Promise<void>): Faults {
	return {
		"broker killed": () => nats.restart(),
		"broker stood still": async () => {
			await nats.kill("SIGSTOP");
			await aWhile();
			await nats.kill("SIGCONT");
		},
	};
}

function faultsOfSessions({ database }: Ground, random: () => number): Faults {
	return {
		"session ended": () =>
			database.query(
				`select pg_terminate_backend(a.pid) from (select a.pid from pg_stat_activity a
				where a.datname = current_database() and a.application_name like 'segue%'
				order by md5(a.pid::text || $1) limit 1) a`,
				[String(random())],
			),
	};
}

function faultsOfTheWay(
	way: Awaited<ReturnType<typeof startProxy>>,
	aWhile: () => Promise<void>,
	random: () => number,
): Faults {
	return {
		"database far away": async () => {
			way.delay(300 * random());
			await aWhile();
			way.delay(0);
		},
		"database silent one way": async () => {
			way.swallow(DIRECTIONS[Math.floor(2 * random())] as Direction);
			await aWhile();
			way.swallow(null);
		},
		"database out of reach": async () => {
			await way.cut();
			await aWhile();
			await way.mend();
		},
	};
}
