import { describe, expect, it } from "vitest";
import { STEPS } from "#core/metrics";
import { anExperiment } from "../../../../test/support/builders.js";
import { type Guard, guardPlan } from "./guard-plan.js";
import { lookAtGuard } from "./look.js";

function guardOf(guardrail: object, more: object = {}): Guard {
	const [book] = guardPlan(
		anExperiment({
			key: "guarded",
			arms: [{ key: "a" }, { key: "b" }],
			policy: { kind: "linucb" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
			traffic: { control: 0.5 },
			guardrails: [{ action: "pause", ...guardrail }],
			...more,
		}),
	);
	return book?.guards[0] as Guard;
}

/** Units of one decision each, of which so many had the value and the others nothing. */
function ofUnits(units: number, having: number, value = 1) {
	const c = BigInt(Math.round(STEPS * value));
	const n = BigInt(units);
	const sum = c * BigInt(having);
	return { units: n, n, c: sum, nn: n, nc: sum, cc: c * sum };
}

describe("a look of a guardrail", () => {
	const skips = guardOf({ metric: "skip_rate", max: 0.35 });

	it("says what is proved, in per cent", () => {
		const { look, sentence, decisions, units } = lookAtGuard(skips, {
			policy: ofUnits(1_000, 500),
		});
		expect({ kind: look.kind, decisions, units }).toEqual({
			kind: "breached",
			decisions: 1_000,
			units: 1_000,
		});
		expect(sentence).toMatch(
			/^skip_rate is 50 % over 1000 of the policy group's decisions by 1000 units; with all looks counted it is at least 4\d(\.\d)? %, beyond the limit of 35 % at most\.$/,
		);
	});

	it("does not claim what is not proved", () => {
		const { look, sentence } = lookAtGuard(skips, {
			policy: ofUnits(1_000, 360),
		});
		expect(look.kind).toBe("holds");
		expect(sentence).toContain("skip_rate is 36 %");
		expect(sentence).toContain(
			"which does not prove it beyond the limit of 35 % at most.",
		);
	});

	it("waits for decisions, and says for how many", () => {
		expect(lookAtGuard(skips, {})).toMatchObject({
			look: { kind: "waiting" },
			decisions: 0,
			units: 0,
			sentence:
				"skip_rate cannot be judged yet: 0 units in the policy group, where 100 are needed.",
		});
		expect(lookAtGuard(skips, { policy: ofUnits(99, 99) }).look.kind).toBe(
			"waiting",
		);
	});

	it("does not mind control where it has a limit", () => {
		const control = ofUnits(1_000, 1_000);
		const policy = ofUnits(1_000, 300);
		expect(lookAtGuard(skips, { policy, control }).look.kind).toBe("holds");
	});

	it("tells of too little as of too much, in the metric's own unit", () => {
		const starts = guardOf({ metric: "time_to_first_play", min: 4 });
		const { look, sentence } = lookAtGuard(starts, {
			policy: ofUnits(10_000, 5_000, 5),
		});
		expect(look.kind).toBe("breached");
		expect(sentence).toMatch(
			/^time_to_first_play is 2\.5 seconds over .* it is at most 2\.\d+ seconds, beyond the limit of 4 seconds at least\.$/,
		);
	});

	it("compares with control, whichever way is worse", () => {
		const saves = guardOf({
			metric: "save_rate",
			versus: "control",
			margin: 0.05,
		});
		const control = ofUnits(2_000, 800);
		const far = lookAtGuard(saves, { policy: ofUnits(2_000, 400), control });
		expect(far.look.kind).toBe("breached");
		expect(far.sentence).toMatch(
			/^save_rate is 20 % over .* it is at most 2\d(\.\d)? %, beyond control's 40 % and the margin of 5 %\.$/,
		);
		const near = lookAtGuard(saves, { policy: ofUnits(2_000, 730), control });
		expect(near.look.kind).toBe("holds");
		expect(lookAtGuard(saves, { policy: ofUnits(2_000, 730) }).sentence).toBe(
			"save_rate cannot be judged yet: 0 units in the control group, where 100 are needed.",
		);
		const slow = guardOf({ metric: "skip_rate", versus: "control" });
		const more = lookAtGuard(slow, { policy: ofUnits(2_000, 1_200), control });
		expect(more.sentence).toContain(
			"beyond control's 40 % and the margin of 0 %.",
		);
	});

	it("gives rewards and values no unit", () => {
		const reward = guardOf({ metric: "reward", min: 2 });
		const { sentence } = lookAtGuard(reward, { policy: ofUnits(500, 250) });
		expect(sentence).toContain("reward is 0.5 over");
		expect(sentence).toContain("beyond the limit of 2 at least.");
	});
});
