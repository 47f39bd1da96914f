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
	const where = receipt.remains.map((one) => one.where);
	expect(where[0]).toContain("backups");
	expect(where).toContain("memory of deciders");
	expect(JSON.stringify(receipt)).not.toContain("listener 1");
	expect(api.forgotten).toContain("listener 1/ü");
	expect(await api.erasure.erasedAt("listener 1/ü")).toBe(NOON - 1);
});

test("the receipt says that decisions which retention folded away cannot be subtracted any more", async () => {
	api.erasure.foldedBefore = NOON - 86_400_000;
	const { remains } = (await (await erase("old")).json()) as Receipt;
	api.erasure.foldedBefore = null;
	expect(JSON.stringify(remains)).toContain("2026-01-04T12:00:00.000Z");
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
