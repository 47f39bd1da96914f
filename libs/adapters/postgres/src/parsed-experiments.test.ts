import { expect, it } from "vitest";
import { anExperiment } from "../../../../test/support/builders.js";
import { ParsedExperiments } from "./parsed-experiments.js";

it("keeps the experiments read last, up to so many arms of all of them", () => {
	const of = (key: string, arms: number) =>
		anExperiment({
			key,
			arms: Array.from({ length: arms }, (_, i) => ({ key: `arm-${i}` })),
			policy: { kind: "linucb" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		});
	const kept = new ParsedExperiments(10);
	const [a, b, c] = [of("a", 4), of("b", 4), of("c", 4)] as const;
	kept.keep(1, a);
	kept.keep(2, b);
	expect(kept.get(1)).toBe(a);
	kept.keep(3, c);
	expect(kept.get(2)).toBeUndefined();
	expect(kept.get(1)).toBe(a);
	expect(kept.get(3)).toBe(c);
	kept.keep(4, of("too-large", 11));
	expect([1, 3, 4].map((id) => kept.get(id))).toEqual([a, c, undefined]);
});
