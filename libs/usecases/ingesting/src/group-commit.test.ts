import { beforeEach, expect, test } from "vitest";
import { GroupCommit, type Place } from "./group-commit.js";

/** Groups that were sent and are not back, oldest first, each with the way to let it come back. */
let away: { readonly items: readonly number[]; readonly back: () => void }[];
let sent: (readonly number[])[];
let commit: GroupCommit<number>;

beforeEach(() => begin(30_000));

function begin(longestStayMs: number): void {
	away = [];
	sent = [];
	commit = new GroupCommit<number>({
		mostItems: 200,
		mostBytes: 1_000_000,
		mostFlights: 2,
		longestStayMs,
		mostWaiting: 1_000,
		refusal: () => new Error("too many"),
		send: (items) =>
			new Promise<Place>((resolve) => {
				sent.push(items);
				away.push({ items, back: () => resolve("stream") });
			}),
	});
}

const add = (item: number) => commit.add(item, 100, 30_000);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function turnsUntil(isSo: () => boolean): Promise<number> {
	let turns = 0;
	for (; !isSo(); turns++) await turn();
	return turns;
}

test("a lone item leaves within two turns of the event loop", async () => {
	const safe = add(1);
	expect(await turnsUntil(() => sent.length === 1)).toBeLessThanOrEqual(2);
	away[0]?.back();
	expect(await safe).toBe("stream");
	await commit.settled();
});

test("few items do not leave beside a group that is under way but with the next one, once it is back", async () => {
	const all = [add(1)];
	await turnsUntil(() => sent.length === 1);
	all.push(add(2), add(3));
	await turn();
	await turn();
	all.push(add(4));
	expect(sent).toEqual([[1]]);
	away[0]?.back();
	await turnsUntil(() => sent.length === 2);
	expect(sent).toEqual([[1], [2, 3, 4]]);
	away[1]?.back();
	await Promise.all(all);
});

test("few items leave beside a group that does not come back", async () => {
	begin(5);
	const first = add(1);
	await turnsUntil(() => sent.length === 1);
	const second = add(2);
	await turnsUntil(() => sent.length === 2);
	expect(sent).toEqual([[1], [2]]);
	for (const { back } of away) back();
	await Promise.all([first, second]);
});

test("enough items leave, although each turn of the event loop brings more", async () => {
	const all: Promise<Place>[] = [];
	for (let item = 0; sent.length === 0; item += 10) {
		for (let more = 0; more < 10; more++) all.push(add(item + more));
		await turn();
	}
	expect(sent[0]?.length).toBeLessThan(30);
	away[0]?.back();
	while (away.length > 0) {
		away.shift()?.back();
		await turn();
		await turn();
	}
	await Promise.all(all);
});

test("many items leave beside a group that is under way, but not beside two", async () => {
	const all = [add(1)];
	await turnsUntil(() => sent.length === 1);
	const many = Array.from({ length: 20 }, (_, index) => 2 + index);
	all.push(...many.map(add));
	expect(await turnsUntil(() => sent.length === 2)).toBeLessThanOrEqual(2);
	expect(sent).toEqual([[1], many]);
	all.push(...many.map(add));
	for (let turns = 0; turns < 20; turns++) await turn();
	expect(sent.length).toBe(2);
	away[0]?.back();
	await turnsUntil(() => sent.length === 3);
	for (const { back } of away) back();
	await Promise.all(all);
});

test("those who waited for a group go on before the next one is sent", async () => {
	const sentWhenSafe = add(1).then(() => sent.length);
	await turnsUntil(() => sent.length === 1);
	const second = add(2);
	// Gathered by now: it only waits for the first to come back.
	await turn();
	await turn();
	away[0]?.back();
	expect(await sentWhenSafe).toBe(1);
	await turnsUntil(() => sent.length === 2);
	away[1]?.back();
	await second;
});
