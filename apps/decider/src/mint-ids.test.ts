import { describe, expect, it } from "vitest";
import { isDecisionId, timeOfId } from "#core/log";
import { mintIds } from "./mint-ids.js";

const NOON = Date.UTC(2026, 0, 5, 12);

describe("minting decision ids", () => {
	it("makes UUIDv7s of the clock's time that differ and grow, also many in one millisecond", () => {
		let time = NOON;
		const ids = mintIds(() => time);
		const minted: string[] = [];
		for (let i = 0; i < 5_000; i++) {
			if (i % 1_700 === 0) time += 1;
			const id = ids.mint();
			expect(isDecisionId(id)).toBe(true);
			expect(timeOfId(id)).toBe(time);
			minted.push(id);
		}
		expect(new Set(minted).size).toBe(minted.length);
		expect([...minted].sort()).toEqual(minted);
	});

	it("keeps growing while the clock goes back", () => {
		const times = [NOON, NOON - 60_000, NOON - 1, NOON];
		const ids = mintIds(() => times.shift() ?? NOON);
		const minted = Array.from({ length: 4 }, () => ids.mint());
		expect([...minted].sort()).toEqual(minted);
		for (const id of minted) expect(timeOfId(id)).toBe(NOON);
	});

	it("shares no bits but the time between two processes", () => {
		const [one, other] = [mintIds(() => NOON), mintIds(() => NOON)];
		const [a, b] = [one.mint(), other.mint()];
		expect(a.slice(0, 14)).toBe(b.slice(0, 14));
		expect(a.slice(15, 18)).not.toBe(b.slice(15, 18));
		expect(a.slice(24)).not.toBe(b.slice(24));
	});
});
