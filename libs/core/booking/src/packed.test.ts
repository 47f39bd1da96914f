import fc from "fast-check";
import { expect, test } from "vitest";
import { pack, unpack } from "./packed.js";

const MOST = 2 ** 52 - 1;
const whole = fc.oneof(
	fc.integer({ min: -40, max: 40 }),
	fc.maxSafeInteger().filter((value) => Math.abs(value) < 2 ** 52),
);

test("whole numbers come back as they were, zeros at the end left out", () => {
	fc.assert(
		fc.property(fc.array(whole), (values) => {
			const last = values.findLastIndex((value) => value !== 0);
			expect(unpack(pack(values))).toEqual(values.slice(0, last + 1));
		}),
		{ numRuns: 1_000 },
	);
	expect(unpack(pack([MOST, -MOST, 0, 4096, 0]))).toEqual([
		MOST,
		-MOST,
		0,
		4096,
	]);
});

test("equal lists are equal texts, of letters that JSON leaves alone", () => {
	expect(pack([1, 0, -1, 0])).toBe(pack([1, 0, -1]));
	fc.assert(
		fc.property(fc.array(whole), (values) => {
			const packed = pack(values);
			expect(JSON.stringify(packed)).toBe(`"${packed}"`);
			expect(pack(unpack(packed))).toBe(packed);
		}),
	);
});
