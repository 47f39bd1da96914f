import fc from "fast-check";
import { expect, it } from "vitest";
import { RecentlyUsed } from "../src/recently-used.js";

const MOST = 5;
const MOST_BYTES = 40;

type Step = readonly [
	"set" | "use" | "peek" | "delete" | "clear",
	string,
	number,
];
const step = fc.tuple(
	fc.constantFrom("set", "set", "set", "use", "use", "peek", "delete", "clear"),
	fc.constantFrom(..."abcdefghij"),
	fc.integer({ min: 0, max: 25 }),
) as fc.Arbitrary<Step>;

it("keeps what a plain list in the order of use keeps, within both bounds, whatever is done", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const kept = new RecentlyUsed<number>(MOST, MOST_BYTES);
			let plain: { key: string; bytes: number }[] = [];
			const total = () => plain.reduce((sum, { bytes }) => sum + bytes, 0);
			for (const [what, key, bytes] of steps) {
				const known = plain.find((one) => one.key === key);
				const others = plain.filter((one) => one !== known);
				if (what === "clear") {
					kept.clear();
					plain = [];
				} else if (what === "delete") {
					kept.delete(key);
					plain = others;
				} else if (what === "set") {
					kept.set(key, bytes, bytes);
					plain = [...others, { key, bytes }];
					while (plain.length > MOST || total() > MOST_BYTES) plain.shift();
				} else {
					expect(kept[what](key)).toBe(known?.bytes);
					if (what === "use" && known !== undefined) plain = [...others, known];
				}
				expect([...kept.keys()].sort()).toEqual(
					plain.map((one) => one.key).sort(),
				);
				expect(kept.bytes).toBe(total());
				expect(kept.size).toBeLessThanOrEqual(MOST);
				expect(kept.bytes).toBeLessThanOrEqual(MOST_BYTES);
			}
		}),
		{ numRuns: 2_000 },
	);
});
