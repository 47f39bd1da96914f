import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { Ground } from "../support/faults/ground.js";
import type { Learner } from "../support/faults/learner.js";
import {
	countedExactly,
	deliveriesCounted,
	proven,
} from "../support/faults/proof.js";
import { seededRandom } from "../support/random.js";

/** Less where somebody has little time: SEGUE_KILLS. */
const kills = (short: number, long: number) =>
	Number(process.env.SEGUE_KILLS ?? inForm({ short, long }));
/** Published about each kill, five outcomes a decision: 210,000 outcomes in the long form. */
const SIZE = {
	decisions: inForm({ short: 200, long: 400 }),
	outcomesEach: 5,
};
const EXPERIMENTS = 3;
/** Kills come this long after a part of a burst was handed out, at most. */
const MOST_WAIT_MS = 100;
const LITTLE_BACKLOG = 100;
const BACK_WITHIN_MS = 10_000;

/** Every so many rounds the next kill falls into what the last one left, and every so many nobody is left to go on. */
const UNSETTLED_EVERY = inForm({ short: 2, long: 4 });
const BOTH_EVERY = 5;
/** Every so many rounds one without a kill follows. */
const QUIET_EVERY = inForm({ short: 3, long: 15 });

test.for([
	{ stream: "jetstream", KILLS: kills(3, 105) },
	{ stream: "postgres", KILLS: kills(2, 35) },
] as const)(
	"learners killed at any moment of a backlog over $stream: it is worked off within seconds, and all of it is counted once",
	{
		timeout: 3_600_000,
	},
	async ({ stream, KILLS }, { onTestFinished }) => {
		const random = seededRandom(seedOf(`learners killed, ${stream}`));
		const ground = await Ground.make(onTestFinished, random, {
			experiments: EXPERIMENTS,
			stream,
		});
		const { history } = ground;
		const learners = await Promise.all([ground.learner(), ground.learner()]);
		const lags: number[] = [];
		const waiting: number[] = [];
		let hits = 0;
		let again = 0;
		for (let kill = 0; kill < KILLS; kill++) {
			const burst = history.spreadBurst(SIZE);
			const { published } = await ground.takenOf(burst, random());
			await sleep(MOST_WAIT_MS * random());
			const chosen = learners[Math.floor(2 * random())] as Learner;
			const victims = kill % BOTH_EVERY === 1 ? learners : [chosen];
			await Promise.all(victims.map((victim) => victim.kill()));
			const killedAt = performance.now();
			const restarted = Promise.all(victims.map((one) => one.startAgain()));
			await published;
			await ground.backlogBelow(LITTLE_BACKLOG, 60_000);
			lags.push(performance.now() - killedAt);
			await restarted;
			if (kill % UNSETTLED_EVERY === 0 && kill + 1 < KILLS) continue;
			await ground.backlogBelow(1, 60_000);
			// Nobody is given a message twice but for what a killed one held.
			const before = again;
			({ again } = await ground.consumer());
			if (again > before) hits++;
			const { event } = await deliveriesCounted(ground);
			expect(event.waiting, "events whose decision has not come").toBe(
				history.waiting,
			);
			waiting.push(event.waiting);
			if (kill % QUIET_EVERY === QUIET_EVERY - 1)
				await countedExactly(ground, () =>
					ground.publish(history.spreadBurst(SIZE)),
				);
		}
		await ground.publish(history.remaining());
		await ground.backlogBelow(1, 60_000);
		expect((await deliveriesCounted(ground)).event.waiting).toBe(0);
		const p95 = at(lags, 0.95);
		console.log(
			`${KILLS} kills, at least ${hits} of them of learners that held messages: backlog below ${LITTLE_BACKLOG} messages again after ${seconds(at(lags, 0.5))} (p50), ${seconds(p95)} (p95), ${seconds(at(lags, 1))} (most); ${Math.min(...waiting)} to ${Math.max(...waiting)} events were learned before their decision came.`,
		);
		console.log(`${await proven(ground)}.`);
		expect(Math.min(...waiting)).toBeGreaterThan(0);
		if (LONG) expect(p95).toBeLessThanOrEqual(BACK_WITHIN_MS);
		if (LONG) expect(hits).toBeGreaterThanOrEqual(KILLS / 2);
	},
);

const at = (values: readonly number[], share: number): number =>
	[...values].sort((a, b) => a - b)[
		Math.max(0, Math.ceil(values.length * share) - 1)
	] as number;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
