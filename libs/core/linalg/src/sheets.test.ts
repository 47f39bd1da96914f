import { describe, expect, it } from "vitest";
import { isCut, Sheets, SpareSheets } from "./sheets.js";

describe("vectors cut from sheets", () => {
	it("share no entry, and have the asked length, also from sheets used again", () => {
		const spare = new SpareSheets(1_000, 100);
		for (let round = 1; round <= 3; round++) {
			const sheets = new Sheets(spare);
			const lengths = Array.from({ length: 2_000 }, (_, i) => (i * 37) % 200);
			const vectors = lengths.map((length) => sheets.cut(length));
			for (const [i, one] of vectors.entries()) {
				expect(one).toHaveLength(lengths[i] as number);
				one.fill(round * (i + 1));
			}
			for (const [i, one] of vectors.entries())
				expect(one.every((entry) => entry === round * (i + 1))).toBe(true);
			sheets.giveBack();
		}
	});

	it("are empty once their memory was handed back, and copies made before are not", () => {
		const sheets = new Sheets(new SpareSheets(1_000, 1));
		const [cut, tooLong] = [sheets.cut(100).fill(7), sheets.cut(126).fill(7)];
		const copy = cut.slice();
		expect([cut, tooLong, copy].map(isCut)).toEqual([true, false, false]);
		sheets.giveBack();
		expect([cut, tooLong, copy].map((one) => one.length)).toEqual([
			0, 126, 100,
		]);
		expect(copy.every((entry) => entry === 7)).toBe(true);
	});

	it("come from as many sheets used again as may wait, not more", () => {
		const spare = new SpareSheets(1_000, 2);
		const sheets = new Sheets(spare);
		for (let i = 0; i < 24; i++) sheets.cut(125).fill(7);
		sheets.giveBack();
		expect([1, 2, 3].map(() => spare.take()[0])).toEqual([7, 7, 0]);
	});
});
