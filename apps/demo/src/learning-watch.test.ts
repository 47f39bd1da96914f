import { describe, expect, it } from "vitest";
import { LearningWatch } from "./learning-watch.js";

/** A posterior of two arms that has learned `n` decisions in all. */
function instance() {
	const state = { n: 0, revision: 0, looks: 0 };
	const read = async () => ({
		revision: state.revision,
		looks: ++state.looks,
		arms: [
			{ arm: "a", n: Math.floor(state.n / 2) },
			{ arm: "b", n: Math.ceil(state.n / 2) },
		],
	});
	const learn = (n: number) => {
		state.n = n;
		state.revision += 1;
	};
	const looks = () => state.looks;
	return { read, learn, looks };
}

describe("LearningWatch", () => {
	it("admits up to the limit of decisions not yet learned, and one more for each that is", async () => {
		const { read, learn, looks } = instance();
		const watch = new LearningWatch(read, 3, new AbortController().signal);
		watch.start();
		let admitted = 0;
		const asking = (async () => {
			for (; admitted < 5; admitted += 1) {
				await watch.admit();
				watch.sending();
			}
		})();
		await untilSeen(() => admitted === 3);
		const before = looks();
		await untilSeen(() => looks() > before + 3);
		expect(admitted).toBe(3);
		learn(1);
		await untilSeen(() => admitted === 4);
		learn(3);
		await asking;
		learn(5);
		await watch.settled();
		await watch.stop();
		expect(watch.learned).toBe(5);
		expect(watch.learnedWithin).toHaveLength(5);
		expect(watch.learnedWithin.every((milliseconds) => milliseconds > 0)).toBe(
			true,
		);
	});

	it("takes a set of outcomes for learned only when the next has been counted, or nothing moves any more", async () => {
		const { read, learn } = instance();
		const watch = new LearningWatch(read, 10, new AbortController().signal);
		watch.start();
		for (let i = 0; i < 2; i += 1) {
			await watch.admit();
			watch.sending();
		}
		learn(1);
		await untilSeen(() => watch.learned === 1);
		expect(watch.learnedWithin).toHaveLength(0);
		learn(2);
		await untilSeen(() => watch.learned === 2);
		expect(watch.learnedWithin).toHaveLength(1);
		await watch.settled();
		expect(watch.learnedWithin).toHaveLength(2);
		await watch.stop();
	});

	it("fails those who wait when the posterior cannot be read, or the demo is interrupted", async () => {
		const broken = new LearningWatch(
			() => Promise.reject(new Error("no answer")),
			0,
			new AbortController().signal,
		);
		broken.start();
		await expect(broken.admit()).rejects.toThrow("no answer");
		const interrupt = new AbortController();
		const watch = new LearningWatch(instance().read, 0, interrupt.signal);
		watch.start();
		const waiting = expect(watch.admit()).rejects.toThrow("interrupted");
		interrupt.abort(new Error("interrupted"));
		await waiting;
		await Promise.all([broken.stop(), watch.stop()]);
	});
});

async function untilSeen(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
