import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { benjaminiHochberg, bonferroni, holm } from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const lists = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
	minLength: 1,
	maxLength: 12,
});

describe(`adjusted p-values (SEED=${seed})`, () => {
	it("lie in order: raw, Benjamini–Hochberg, Holm, Bonferroni, 1", () => {
		fc.assert(
			fc.property(lists, (p) => {
				const [bh, byHolm, most] = [
					benjaminiHochberg(p),
					holm(p),
					bonferroni(p),
				];
				p.forEach((raw, i) => {
					const ladder = [
						raw,
						bh[i] as number,
						byHolm[i] as number,
						most[i] as number,
						1,
					];
					for (let k = 1; k < ladder.length; k++)
						expect(ladder[k]).toBeGreaterThanOrEqual(
							(ladder[k - 1] as number) * (1 - 1e-12),
						);
				});
			}),
			{ seed },
		);
	});

	it("go with their test wherever it stands in the list, and keep the order of the raw ones", () => {
		fc.assert(
			fc.property(lists, (p) => {
				for (const adjust of [benjaminiHochberg, holm, bonferroni]) {
					const adjusted = adjust(p);
					expect(adjust(p.toReversed())).toEqual(adjusted.toReversed());
					p.forEach((left, i) => {
						p.forEach((right, j) => {
							if (left <= right)
								expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] as number);
						});
					});
				}
			}),
			{ seed },
		);
	});

	it("of one test are its own, of none are none, and of what is no p-value are refused", () => {
		for (const adjust of [benjaminiHochberg, holm, bonferroni]) {
			expect(adjust([0.3])).toEqual([0.3]);
			expect(adjust([])).toEqual([]);
			expect(() => adjust([0.3, 1.1])).toThrow(
				"A p-value lies in [0, 1]; one is 1.1",
			);
			expect(() => adjust([Number.NaN])).toThrow("one is NaN");
		}
	});
});
