import { expect, it } from "vitest";
import { type Arm, compileVariants, parseExperiment } from "./index.js";

const arm = (key: string, ...rules: readonly string[]): Arm => ({
	key,
	payload: {},
	tags: [],
	...(rules.length > 0 && {
		payloads: rules.map((when) => ({ when, payload: { when } })),
	}),
});

it("the first variant whose rule holds is taken, and none where it reads what is missing or says no such thing", () => {
	const variants = compileVariants([
		arm("one for all"),
		arm("several", "context.bitrate > 1000", "context.bitrate > 100"),
		arm("broken", "context.(", "context.bitrate", "true"),
	])!;
	expect(variants.variantOf(0, { bitrate: 2000 })).toBeNull();
	expect(variants.variantOf(1, { bitrate: 2000 })).toBe(0);
	expect(variants.variantOf(1, { bitrate: 200 })).toBe(1);
	expect(variants.variantOf(1, { bitrate: 20 })).toBeNull();
	expect(variants.variantOf(1, {})).toBeNull();
	expect(variants.variantOf(2, { bitrate: 20 })).toBe(2);
});

it("arms that have one payload for all cost a decision nothing", () => {
	expect(compileVariants([arm("a"), arm("b")])).toBeNull();
});

it("a definition whose variants have rules that do not fit the context is refused, with the place of each", () => {
	const payloads = [
		{ when: "context.bitrat > 1000", payload: {} },
		{ when: "true", payload: { text: "x".repeat(17_000) } },
	];
	const parsed = parseExperiment({
		key: "varied",
		arms: [{ key: "a", payloads }],
		context: {
			features: [
				{ name: "bitrate", from: "request", kind: "attribute", type: "number" },
			],
		},
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	});
	expect(parsed.ok ? [] : parsed.problems).toEqual([
		{
			path: "arms[0].payloads[0].when",
			message:
				'The rule reads context.bitrat, which the context does not declare. Unknown key "bitrat": did you mean "bitrate"?',
		},
		{
			path: "arms[0].payloads[1].payload",
			message: "Has 17011 bytes of JSON; at most 16384 go with a decision.",
		},
	]);
});
