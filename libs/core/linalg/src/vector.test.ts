import { describe, expect, it } from "vitest";
import { vector } from "./vector.js";

describe("a vector for one decision", () => {
	it("is zeros of the asked length, and shares no entry with any other", () => {
		const lengths = Array.from({ length: 3_000 }, (_, i) => (i * 37) % 1_300);
		const vectors = lengths.map((length) => vector(length));
		for (const [i, one] of vectors.entries()) {
			expect(one).toHaveLength(lengths[i] as number);
			expect(one.every((entry) => entry === 0)).toBe(true);
			one.fill(i + 1);
		}
		for (const [i, one] of vectors.entries())
			expect(one.every((entry) => entry === i + 1)).toBe(true);
	});
});
