import { expect, test } from "vitest";
import { AskGroups, NoAnswerInTime } from "./ask-groups.js";

const WAIT_MS = 10_000;

/** Asks are their weights. What was sent is answered when `answer` is called. */
function groups(mostItems = 4, mostFlights = 1) {
	const sent: number[][] = [];
	const answers: (() => void)[] = [];
	const asks = new AskGroups<number, number>({
		mostItems,
		mostFlights,
		weigh: (ask) => ask,
		mostBytes: 100,
		mostWaiting: 50,
		mostWaitingBytes: 1_000,
		send: (group) => {
			sent.push([...group]);
			return new Promise((resolve) => answers.push(() => resolve(group)));
		},
	});
	const ask = (bytes: number, waitMs = WAIT_MS) => asks.ask(bytes, waitMs);
	/** Until everything is answered. */
	const answerAll = async (all: Promise<number>[]) => {
		let done = false;
		const results = Promise.all(all).finally(() => {
			done = true;
		});
		while (!done) {
			for (const answer of answers.splice(0)) answer();
			await new Promise(setImmediate);
		}
		return results;
	};
	return { sent, ask, answerAll };
}

test("as many asks go together, in order, as their number and their bytes allow, and one at least", async () => {
	const { sent, ask, answerAll } = groups();
	const asks = [40, 60, 1, 100, 400, 99, 2, 1, 1, 1, 1, 1];
	expect(await answerAll(asks.map((bytes) => ask(bytes)))).toEqual(asks);
	expect(sent).toEqual([
		[40, 60],
		[1],
		[100],
		[400],
		[99],
		[2, 1, 1, 1],
		[1, 1],
	]);
});

test("asks are refused while those that wait have as many bytes as may wait, sent or given up no longer counted", async () => {
	const { sent, ask, answerAll } = groups();
	const waiting = [ask(600)];
	const short = ask(400, 20);
	await expect(ask(1)).rejects.toThrow(NoAnswerInTime);
	await expect(short).rejects.toThrow(NoAnswerInTime);
	expect(sent).toEqual([[600]]);
	waiting.push(ask(999), ask(1));
	await expect(ask(1)).rejects.toThrow(NoAnswerInTime);
	expect(await answerAll(waiting)).toEqual([600, 999, 1]);
	expect(await answerAll([ask(1_000)])).toEqual([1_000]);
});
