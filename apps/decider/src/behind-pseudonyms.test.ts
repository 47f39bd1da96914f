import { describe, expect, it } from "vitest";
import type { ApiParts } from "#api";
import { uuidAtTime } from "#core/log";
import { FormerNames, Pseudonyms } from "#usecases/pseudonymising";
import {
	behindPseudonyms,
	consentsOfKnown,
	eventUnit,
	unitAt,
} from "./behind-pseudonyms.js";

const secret = new Uint8Array(32).fill(7);
const CHANGE = 1_800_000_000_000;
const DAY = 86_400_000;
const pseudonyms = new Pseudonyms([
	{ id: "a", from: CHANGE - 30 * DAY, secret },
	{ id: "b", from: CHANGE, secret },
]);
const [b, a, own] = pseudonyms.upTo("u", CHANGE) as [string, string, string];

describe("a unit at the door", () => {
	it("is called as of the instant, and what it was called before is known from then on, said once", () => {
		const linked: string[] = [];
		const former = new FormerNames((name) => linked.push(name));
		const nameAt = unitAt({ pseudonyms, former });
		expect(nameAt?.("u", CHANGE - 1)).toBe(a);
		expect(nameAt?.("u", CHANGE)).toBe(b);
		expect(nameAt?.("u", CHANGE + 1)).toBe(b);
		expect(former.of(b)).toEqual([a, own]);
		expect(linked).toEqual([a, b]);
	});

	it("is called in an event as its decision was, else as of the event's time, never as the client does", () => {
		const nameOf = eventUnit(pseudonyms);
		const event = { id: "e", type: "play", unit: "u" };
		const id = (time: number) => uuidAtTime(time);
		expect(
			nameOf({ ...event, at: CHANGE + 5, decisionId: id(CHANGE - 5) }),
		).toBe(a);
		expect(nameOf({ ...event, at: CHANGE + 5 })).toBe(b);
		expect(nameOf({ ...event, at: CHANGE - 90 * DAY })).toBe(a);
		// The decision was made before there was a key.
		expect(
			nameOf({ ...event, at: CHANGE, decisionId: id(CHANGE - 40 * DAY) }),
		).toBe("u");
	});

	it("has its consent put under its name, under one that comes within a minute, and under former ones that something is kept by", async () => {
		const put: string[] = [];
		const kept = new Set([own]);
		let now = CHANGE + 1;
		const { putConsent } = behindPseudonyms(
			{
				putConsent: {
					execute: async (unit: string) => {
						put.push(unit);
						return {};
					},
				},
			} as unknown as ApiParts,
			{
				pseudonyms,
				former: new FormerNames(),
				kept: async (names) => new Set(names.filter((one) => kept.has(one))),
				clock: { now: () => now },
			},
		);
		await putConsent.execute("u", {});
		expect(put.splice(0)).toEqual([b, own]);
		kept.delete(own);
		await putConsent.execute("u", {});
		expect(put.splice(0)).toEqual([b]);
		now = CHANGE - 30_000;
		await putConsent.execute("u", {});
		expect(put.splice(0)).toEqual([a, b]);
	});

	it("has no consent that can be told while units have former names and its own are not known", () => {
		const former = new FormerNames();
		let now = CHANGE + 1;
		const clock = { now: () => now };
		const stored = { answers: {}, since: 1 } as never;
		const { lookUp } = consentsOfKnown(
			{ lookUp: () => stored },
			{ pseudonyms, former, clock },
		);
		expect(lookUp(b, 10)).toBeNull();
		unitAt({ pseudonyms, former })?.("u", now);
		expect(lookUp(b, 10)).toBe(stored);
		now = CHANGE - 90 * DAY;
		expect(lookUp("another", 10)).toBe(stored);
	});
});
