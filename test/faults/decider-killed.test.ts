import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Answered } from "../support/answered.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { inForm, seedOf } from "../support/faults/form.js";
import { startNats } from "../support/nats-server.js";
import { seededRandom } from "../support/random.js";
import {
	freePort,
	type Instance,
	runtimeOf,
	startSegue,
	waitFor,
} from "../support/segue.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Kills come this long after there was traffic, at most; where the broker stands still, this long after that too. */
const LONGEST_WAIT_MS = 900;
const LONGEST_STILL_MS = 200;

interface Killed {
	readonly random: () => number;
	readonly kills: number;
	readonly start: () => Promise<Instance>;
	/** Whether the broker stands still shortly before the n-th kill. */
	readonly nats?: {
		readonly kill: (signal: NodeJS.Signals) => Promise<void>;
		readonly standsStill: (kill: number) => boolean;
	};
}

describe("kill -9 under load, again and again: every answered decision is in the log once, every accepted event counted once", {
	timeout: 1_800_000,
}, () => {
	const seed = seedOf("decider killed");

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
			kills: inForm({ short: 1, long: 60 }),
			start: async () => {
				const decider = await startSegue({ app: "decider", ...options });
				if (!learning) {
					learning = await startSegue({ app: "learner", env });
					cleanups.push(async () => learning?.stop());
				}
				return decider;
			},
			random: seededRandom(seed),
			nats: { kill: nats.kill, standsStill: (kill) => kill % 3 === 0 },
		});
		cleanups.push(() => last.stop());
		await findable(last, answered);
		await answered.provenOnce(database.connectionString);
	});

	test("the whole process, whose database and broker stay behind without it", async () => {
		const options = await placeOfItsOwn();
		const { answered, last } = await killAgainAndAgain({
			random: seededRandom(seed + 1),
			kills: inForm({ short: 1, long: 10 }),
			start: () => startSegue(options),
		});
		cleanups.push(() => last.stop());
		const { databaseUrl } = await runtimeOf(last.folder);
		await findable(last, answered);
		await answered.provenOnce(databaseUrl);
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
	random,
	kills,
	start,
	nats,
}: Killed): Promise<{ answered: Answered; last: Instance }> {
	const answered = new Answered();
	let instance = await start();
	await runExperiment(instance.url, sampleExperiment);
	for (let kill = 0; kill < kills; kill++) {
		const known = answered.decided.size;
		const traffic = answered.trafficUntilGone(instance.url, 4);
		await waitFor(
			() => answered.decided.size > known + 10,
			30_000,
			() => "there was no traffic to be killed in",
		);
		// Every phase of start, traffic and learning is hit.
		await sleep(LONGEST_WAIT_MS * random());
		const still = nats?.standsStill(kill) === true;
		if (still) {
			await nats.kill("SIGSTOP");
			await sleep(LONGEST_STILL_MS * random());
		}
		await instance.kill();
		await traffic.stop();
		if (still) await nats.kill("SIGCONT");
		instance = await start();
	}
	console.log(
		`${kills} kills: ${answered.decided.size} decisions answered, ${answered.accepted.size} events accepted.`,
	);
	return { answered, last: instance };
}

/** Whether they are in the log yet or still on their way. */
async function findable({ url }: Instance, { decided }: Answered) {
	const ids = [...decided.keys()];
	for (const id of [...ids.slice(0, 3), ...ids.slice(-10)])
		expect((await send(url, "GET", `/v1/decisions/${id}`)).status).toBe(200);
}
