import { expect, test } from "vitest";
import type { ApiParts } from "#api";
import { FormerNames, Pseudonyms } from "#usecases/pseudonymising";
import { behindPseudonyms } from "./behind-pseudonyms.js";

test("a decision is asked for under the unit's pseudonym, with its trace and headers as they came", async () => {
	const asked: unknown[][] = [];
	const calls = {
		decide: {
			execute: async (...all: unknown[]) => void asked.push(all),
		},
	} as unknown as ApiParts;
	const secret = new Uint8Array(32).fill(7);
	const from = Number.NEGATIVE_INFINITY;
	const { decide } = behindPseudonyms(
		calls,
		new Pseudonyms([{ id: "a", from, secret }]),
		new FormerNames(),
		{ now: () => 0 },
	);
	const headers = { header: () => "4g" };
	await decide.execute({ experiment: "e", unit: "listener-1" }, "t", headers);
	expect(asked).toEqual([
		[{ experiment: "e", unit: expect.stringMatching(/^~a\./) }, "t", headers],
	]);
});
