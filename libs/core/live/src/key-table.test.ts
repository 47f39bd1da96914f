import fc from "fast-check";
import { expect, it } from "vitest";
import { Layout } from "./cells.js";
import { KeyTable } from "./key-table.js";

const SEED = Number(process.env.SEED ?? 20_251_126);

interface Step {
	readonly kind: "hear" | "forget" | "forgetAll" | "leave";
	readonly key: number;
}

/** Keys whose hashes end alike, so that they meet in the index, and of few owners. */
const hashOf = (key: number) => [key % 3, (key % 4) * 1_024 + key] as const;

it(`a table of keys holds what a plain map would, whatever is heard, forgotten and let go (SEED=${SEED})`, () => {
	const step: fc.Arbitrary<Step> = fc.record({
		kind: fc.constantFrom(
			"hear",
			"hear",
			"hear",
			"hear",
			"forget",
			"leave",
			"forgetAll",
		),
		key: fc.nat(20),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
			const layout = new Layout();
			const word = layout.takeWords(1);
			const table = new KeyTable(layout, 8);
			/** Per key what was written and when it was heard of; in that order. */
			const plain = new Map<number, { written: number; at: number }>();
			steps.forEach(({ kind, key }, now) => {
				const [high, low] = hashOf(key);
				switch (kind) {
					case "hear": {
						const before = plain.get(key)?.written ?? 0;
						plain.delete(key);
						if (plain.size === 8) plain.delete([...plain.keys()][0]!);
						plain.set(key, { written: before + now, at: now });
						const cells = table.hear(high, low, now);
						cells.words[cells.word + word]! += now;
						break;
					}
					case "forget":
						plain.delete(key);
						table.forget(high, low);
						break;
					case "forgetAll":
						for (const one of plain.keys())
							if (hashOf(one)[0] === high) plain.delete(one);
						table.forgetAll(new Set([high]));
						break;
					case "leave":
						for (const [one, { at }] of plain)
							if (at < now - key) plain.delete(one);
						table.leave(now - key, Number.POSITIVE_INFINITY);
				}
				for (let one = 0; one <= 20; one++) {
					const cells = table.find(...hashOf(one));
					const found = cells?.words[cells.word + word];
					expect(found).toBe(plain.get(one)?.written);
				}
				expect(table.size).toBe(plain.size);
			});
		}),
		{ seed: SEED, numRuns: 300 },
	);
});
