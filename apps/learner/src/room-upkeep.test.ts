import { afterEach, expect, test } from "vitest";
import { RoomUpkeep } from "./room-upkeep.js";

const KEEP_MS = 900_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A stream that is cut at each look so long ago, or where looking fails once it was. */
function upkeep(looks: readonly { readonly ageMs: number; fails?: true }[]) {
	const said: string[] = [];
	let counted = 0;
	let looked = 0;
	const room = new RoomUpkeep(
		{
			execute: async (onCut) => {
				const look = looks[looked++];
				if (look === undefined) return;
				onCut(Date.now() - look.ageMs);
				if (look.fails) throw new Error("The broker went away.");
			},
		},
		{
			keepMs: async () => KEEP_MS,
			metrics: { streamCutEarly: () => counted++ },
			log: {
				warn: (first: unknown, second?: string) =>
					said.push(second ?? String(first)),
			} as never,
		},
	);
	cleanups.push(() => room.stop());
	return {
		said,
		counted: () => counted,
		done: () => expect.poll(() => looked, { timeout: 10_000 }).toBe(4),
	};
}

test("what goes before its time is counted, and said once a minute, also where not all of it went", async () => {
	const { said, counted, done } = upkeep([
		{ ageMs: KEEP_MS / 2, fails: true },
		{ ageMs: KEEP_MS / 2 },
		{ ageMs: KEEP_MS / 2 },
	]);
	await done();
	expect(counted()).toBe(3);
	expect(said).toEqual([
		expect.stringMatching(/^The stream was three quarters full: .* early/),
		"Room in the stream was not looked after",
	]);
});

test("what only waited to be dropped is not", async () => {
	const { said, counted, done } = upkeep([{ ageMs: KEEP_MS + 60_000 }]);
	await done();
	expect(counted()).toBe(0);
	expect(said).toEqual([]);
});
