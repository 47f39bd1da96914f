import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { type AtEnd, Ground } from "../support/faults/ground.js";
import type { Learner } from "../support/faults/learner.js";
import { proven } from "../support/faults/proof.js";
import { type Step, Steps, steps } from "../support/faults/steps.js";
import { seededRandom, shuffled } from "../support/random.js";
import { waitFor } from "../support/segue.js";

/** How long a learner may stand still inside transactions, all of them together. */
const IDLE_LIMIT_MS = 5_000;
/** What else a batch may take on a busy machine. */
const SLACK_MS = 2_000;
/** The longest of them: statement_timeout, 30 s, and 2 s later the client's own; in the short form lock_timeout, 10 s. */
const BEYOND_EVERY_TIMEOUT_MS = inForm({ short: 11_000, long: 33_000 });
/** A pull waits for a second, and for its answer for another; after 5 s what it held comes back. */
const BEYOND_A_PULL_MS = 3_000;
const DECISIONS = 10;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;

/** For how long somebody was blocked, by looks at it: from one that saw it to the next, so by one look too much at most. */
class BlockedTime {
	ms = 0;
	longestLookMs = 0;
	#last = { at: performance.now(), isBlocked: false };

	looked(isBlocked: boolean): void {
		const at = performance.now();
		const sinceMs = at - this.#last.at;
		this.longestLookMs = Math.max(this.longestLookMs, sinceMs);
		if (this.#last.isBlocked) this.ms += sinceMs;
		this.#last = { at, isBlocked };
	}
}

/** A learner on tripwires, `others` beside it, and work for all of them. */
class Stage {
	/** How long after each stop others went on. */
	readonly went: string[] = [];

	private constructor(
		readonly ground: Ground,
		readonly steps: Steps,
		readonly learner: Learner,
	) {}

	static async make(
		atEnd: AtEnd,
		random: () => number,
		others: number,
	): Promise<Stage> {
		const ground = await Ground.make(atEnd, random);
		const steps = await Steps.make(atEnd, ground);
		const [learner] = await Promise.all([
			ground.learner(steps.env),
			...Array.from({ length: others }, () => ground.learner()),
		]);
		return new Stage(ground, steps, learner);
	}

	/** Publishes a little at a time until the learner is at this step of a batch. */
	async reach(step: Step): Promise<void> {
		const { ground, steps, learner } = this;
		let there = false;
		const arrived = steps.lay(step).then(() => {
			there = true;
		});
		for (let tries = 0; !there; tries++) {
			if (tries === 100)
				throw new Error(
					`The learner never was at the step "${step.name}": has its mark changed?\n${learner.output.slice(-2_000)}`,
				);
			const burst = ground.history.burst({
				decisions: DECISIONS,
				outcomesEach: 2,
			});
			await ground.publish([...burst, ground.history.halfUnreadable()]);
			const { decisions, outcomes } = ground.history;
			const newest = [
				...decisions.slice(-DECISIONS),
				...outcomes.slice(-2 * DECISIONS),
			];
			while (!there && !(await ground.stored(newest))) await sleep(10);
		}
		await arrived;
	}

	/** Others learn one more outcome of every decision so far, those that the learner at this step has locked among them. */
	async othersGoOn(step: Step): Promise<{ waited: boolean }> {
		const { ground } = this;
		const stoppedAt = performance.now();
		const { messages, events } = ground.history.another();
		await ground.publish(messages);
		const blocked = new BlockedTime();
		await waitFor(
			async () => {
				blocked.looked(await this.steps.delaysOthers());
				return await ground.stored(events);
			},
			60_000,
			() => `nobody learned while a learner was at the step "${step.name}"`,
		);
		const delayMs = performance.now() - stoppedAt;
		this.went.push(
			`${step.name} ${seconds(delayMs)}, of which blocked ${seconds(blocked.ms)}`,
		);
		expect(blocked.ms, `${step.name}: blocked`).toBeLessThanOrEqual(
			IDLE_LIMIT_MS + blocked.longestLookMs,
		);
		expect(delayMs, step.name).toBeLessThan(IDLE_LIMIT_MS + SLACK_MS);
		return { waited: blocked.ms > 0 };
	}

	/** The learner stands still at this step for longer than every timeout, while others go on; then it goes on too. */
	async standStill(step: Step): Promise<{ waited: boolean }> {
		await this.reach(step);
		await this.learner.pause();
		const pausedAt = performance.now();
		await this.steps.shown(step);
		if (step.trap !== undefined) await this.steps.release();
		const { waited } = await this.othersGoOn(step);
		await sleep(BEYOND_EVERY_TIMEOUT_MS - (performance.now() - pausedAt));
		this.learner.resume();
		await this.steps.release();
		await this.goesOn();
		await this.settled();
		return { waited };
	}

	/** The learner that was resumed tries again what it had in hand, and then takes more. */
	async goesOn(): Promise<void> {
		for (let batches = 0; batches < 2; batches++) {
			await this.reach(steps[0] as Step);
			await this.steps.release();
		}
	}

	async settled(): Promise<void> {
		await this.ground.backlogBelow(1, 30_000);
	}
}

describe.concurrent("a learner that stops at any step of a batch: the others wait no longer than its transaction may stand still, and all is counted once", {
	timeout: 1_200_000,
}, () => {
	test("killed, at each step", async ({ onTestFinished }) => {
		const random = seededRandom(seedOf("learners killed at each step"));
		const stage = await Stage.make(onTestFinished, random, 1);
		for (const step of shuffled(steps, random)) {
			await stage.reach(step);
			await stage.steps.shown(step);
			await stage.learner.kill();
			await stage.steps.lose();
			const again = stage.learner.startAgain();
			await stage.othersGoOn(step);
			await again;
			if (LONG) {
				await stage.settled();
				await proven(stage.ground);
			}
		}
		await stage.settled();
		console.log(`Killed; others went on after: ${stage.went.join(", ")}.`);
		console.log(`${await proven(stage.ground)}.`);
	});

	test("standing still for longer than every timeout while two others go on, then resumed", async ({
		onTestFinished,
	}) => {
		const random = seededRandom(seedOf("learners standing still"));
		const stage = await Stage.make(onTestFinished, random, 2);
		const all = shuffled(steps, random);
		const short = all.filter(({ locks }) => locks).slice(0, 1);
		for (const step of inForm({ short, long: all })) {
			// On a busy machine the others may come when its transaction has been ended: then it is stopped there once more.
			let met = false;
			for (let tries = 0; tries < 3 && !met; tries++) {
				const { waited } = await stage.standStill(step);
				met = waited || !step.locks;
			}
			expect(met, step.name).toBe(true);
			if (LONG) await proven(stage.ground);
		}
		console.log(`Stood still; others went on after: ${stage.went.join(", ")}.`);
		console.log(`${await proven(stage.ground)}.`);
	});

	test("standing still while it waits for work: what came meanwhile is not delivered again", async ({
		onTestFinished,
	}) => {
		const random = seededRandom(seedOf("learners without work"));
		const ground = await Ground.make(onTestFinished, random);
		const learner = await ground.learner();
		await learner.pause();
		await ground.publish(
			ground.history.burst({ decisions: DECISIONS, outcomesEach: 2 }),
		);
		await sleep(BEYOND_A_PULL_MS);
		learner.resume();
		await ground.backlogBelow(1, 30_000);
		expect((await ground.consumer()).again).toBe(0);
		console.log(`Stood still without work: ${await proven(ground)}.`);
	});

	test("one learner, then four, then two, under load", async ({
		onTestFinished,
	}) => {
		const random = seededRandom(seedOf("learners come and go"));
		const ground = await Ground.make(onTestFinished, random);
		const load = ground.load(inForm({ short: 150, long: 5 }));
		const learners = [await ground.learner()];
		await sleep(inForm({ short: 300, long: 10_000 }));
		learners.push(
			...(await Promise.all([
				ground.learner(),
				ground.learner(),
				ground.learner(),
			])),
		);
		await waitFor(
			async () => {
				const batches = learners.map((learner) => learner.batches());
				return (await Promise.all(batches)).every((n) => n > 0);
			},
			60_000,
			() => "not every learner learned something",
		);
		await sleep(inForm({ short: 300, long: 10_000 }));
		await Promise.all(learners.slice(0, 2).map((learner) => learner.stop()));
		await sleep(inForm({ short: 300, long: 10_000 }));
		await load.stop();
		await ground.backlogBelow(1, 30_000);
		console.log(`1, 4, 2 learners: ${await proven(ground)}.`);
	});
});
