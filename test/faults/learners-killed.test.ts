import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { Ground } from "../support/faults/ground.js";
import type { Learner } from "../support/faults/learner.js";
import { proven } from "../support/faults/proof.js";
import { seededRandom } from "../support/random.js";

const KILLS = inForm({ short: 4, long: 105 });
/** Published about each kill, five outcomes a decision: 210,000 outcomes in the long form. */
const DECISIONS_A_KILL = inForm({ short: 200, long: 400 });
const OUTCOMES_EACH = 5;
/** Kills come this long after the publishing began, at most. */
const MOST_WAIT_MS = 600;
const LITTLE_BACKLOG = 100;
const BACK_WITHIN_MS = 10_000;

test("learners killed at any moment of a backlog: it is worked off within seconds, and all of it is counted once", {
	timeout: 3_600_000,
}, async ({ onTestFinished }) => {
	const random = seededRandom(seedOf("learners killed"));
	const ground = await Ground.make(onTestFinished, random);
	const learners = await Promise.all([ground.learner(), ground.learner()]);
	const lags: number[] = [];
	const held: number[] = [];
	for (let kill = 0; kill < KILLS; kill++) {
		const publishing = ground.publish(
			ground.history.burst({
				decisions: DECISIONS_A_KILL,
				outcomesEach: OUTCOMES_EACH,
			}),
		);
		await sleep(MOST_WAIT_MS * random());
		const victim = learners[Math.floor(2 * random())] as Learner;
		await victim.kill();
		const killedAt = performance.now();
		held.push((await ground.consumer()).held);
		const again = victim.startAgain();
		await publishing;
		await ground.backlogBelow(LITTLE_BACKLOG, 60_000);
		lags.push(performance.now() - killedAt);
		await again;
	}
	await ground.backlogBelow(1, 60_000);
	const p95 = at(lags, 0.95);
	console.log(
		`${KILLS} kills, ${held.filter((n) => n > 0).length} of them while learners held messages (${Math.max(...held)} at most): backlog below ${LITTLE_BACKLOG} messages again after ${seconds(at(lags, 0.5))} (p50), ${seconds(p95)} (p95), ${seconds(at(lags, 1))} (most).`,
	);
	console.log(`${await proven(ground)}.`);
	if (LONG) expect(p95).toBeLessThanOrEqual(BACK_WITHIN_MS);
});

const at = (values: readonly number[], share: number): number =>
	[...values].sort((a, b) => a - b)[
		Math.max(0, Math.ceil(values.length * share) - 1)
	] as number;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
