import { afterAll, beforeAll, expect, test } from "vitest";
import { ErasureBusy, type Receipt } from "#usecases/erasing";
import { type Api, NOON, startApi } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startApi();
});
afterAll(() => api.app.close());

const erase = (unit: string) =>
	fetch(`${api.url}/v1/units/${encodeURIComponent(unit)}`, {
		method: "DELETE",
	});

test("DELETE answers with what was removed and what remains until when, also for a unit nobody knows", async () => {
	const answer = await erase("listener 1/ü");
	expect(answer.status).toBe(200);
	const receipt = (await answer.json()) as Receipt;
	expect(receipt).toMatchObject({
		erasedAt: new Date(NOON - 1).toISOString(),
		removed: { decisions: 0, spoolEntries: 0, streamMessages: 0 },
		revisions: {},
	});
	const instant = (ms: number) => new Date(NOON + ms).toISOString();
	expect(receipt.remains.map(({ where, until }) => [where, until])).toEqual([
		["backups and write-ahead log of the database", null],
		["spools of other deciders", null],
		["memory of deciders", instant(66 * 60_000)],
		["decisions on their way", instant(-1 + 2_000)],
	]);
	expect(JSON.stringify(receipt)).not.toContain("listener 1");
	expect(api.forgotten).toContain("listener 1/ü");
	expect(await api.erasure.erasedAt("listener 1/ü")).toBe(NOON - 1);
});

test("the receipt says that decisions which retention folded away cannot be subtracted any more", async () => {
	api.erasure.foldedBefore = NOON - 86_400_000;
	const { remains } = (await (await erase("old")).json()) as Receipt;
	api.erasure.foldedBefore = null;
	const [folded, ...others] = remains.filter(({ where }) =>
		where.includes("folded away"),
	);
	expect(others).toEqual([]);
	expect(folded?.why).toContain("2026-01-04T12:00:00.000Z");
	expect(folded?.why).toContain("cannot be subtracted");
	expect(folded?.until).toBeNull();
});

test("256 characters of any script are a unit, 257 are none", async () => {
	expect((await erase("界".repeat(256))).status).toBe(200);
	const answer = await erase("界".repeat(257));
	expect(answer.status).toBe(422);
	expect(await answer.json()).toMatchObject({ errors: [{ path: "unit" }] });
	expect((await erase("line\nbreak")).status).toBe(422);
});

test("where learners did not make way it is 503 with Retry-After", async () => {
	api.erasure.failure = new ErasureBusy("Learners hold the gate.");
	const answer = await erase("somebody");
	api.erasure.failure = null;
	expect(answer.status).toBe(503);
	expect(answer.headers.get("retry-after")).toBe("1");
	expect(await answer.json()).toMatchObject({
		type: "/docs/errors#busy",
		detail: "Learners hold the gate.",
	});
});

test("other methods are told what is answered here", async () => {
	const answer = await fetch(`${api.url}/v1/units/x`);
	expect(answer.status).toBe(405);
	expect(answer.headers.get("allow")).toContain("DELETE");
});
