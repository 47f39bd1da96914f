import { describe, expect, it } from "vitest";
import { type Arm, compileEligibility } from "./index.js";

const arm = (key: string, eligible?: string): Arm => ({
	key,
	payload: {},
	tags: [],
	...(eligible === undefined ? {} : { eligible }),
});

describe("eligibility", () => {
	const arms = [
		arm("always"),
		arm("awake", 'context.activity != "sleep"'),
		arm("fast", "context.tempo * 2 > 240 && context.tempo != 130"),
	];
	const eligibility = compileEligibility(arms);

	it("names the rule that excludes an arm", () => {
		expect(eligibility.judge({ activity: "sleep", tempo: 121 })).toEqual({
			eligible: [0, 2],
			excluded: { awake: 'rule: context.activity != "sleep"' },
		});
	});

	it("names the field a rule missed", () => {
		expect(eligibility.judge({})).toEqual({
			eligible: [0],
			excluded: { awake: "missing: activity", fast: "missing: tempo" },
		});
	});

	it("names the arms that were not requested, and judges only the others", () => {
		expect(eligibility.judge({ activity: "run" }, ["awake", "fast"])).toEqual({
			eligible: [1],
			excluded: { always: "not requested", fast: "missing: tempo" },
		});
		expect(eligibility.judge({}, []).eligible).toEqual([]);
	});

	it("works with whole and broken numbers alike", () => {
		const { judge } = compileEligibility([
			arm("a", "context.n == 3"),
			arm("b", "context.n > 2.5"),
			arm("c", "(context.n - 1) / 2 >= 1 && 1 + context.n > 3"),
		]);
		expect(judge({ n: 3 }).eligible).toEqual([0, 1, 2]);
		expect(judge({ n: 2.75 }).eligible).toEqual([1]);
	});

	it("lets a rule ask whether a field is there", () => {
		const { judge } = compileEligibility([
			arm("a", '!has(context.activity) || context.activity == "run"'),
		]);
		expect(judge({}).eligible).toEqual([0]);
		expect(judge({ activity: "run" }).eligible).toEqual([0]);
		expect(judge({ activity: "sleep" }).eligible).toEqual([]);
	});

	it("excludes an arm whose rule fails in another way, and says how", () => {
		const { judge } = compileEligibility([
			arm("type", 'context.n > "a"'),
			arm("number", "context.n"),
			arm("text", "context."),
			arm("index", "context.list[5] > 1"),
		]);
		const { eligible, excluded } = judge({ n: 3, list: [1] });
		expect(eligible).toEqual([]);
		expect(excluded.type).toBe(
			"rule error: no such overload: dyn<double> > string",
		);
		expect(excluded.number).toBe("rule error: gives number, not true or false");
		expect(excluded.text).toMatch(/^rule error: /);
		expect(excluded.index).toMatch(/^rule error: .*index/);
	});

	it("reads no inherited property of the context", () => {
		const { judge } = compileEligibility([
			arm("a", "context.toString == 1"),
			arm("b", "context.constructor == 1"),
		]);
		expect(judge({}).excluded).toEqual({
			a: "missing: toString",
			b: "missing: constructor",
		});
	});

	it("says paused or retired before anything else", () => {
		const { judge } = compileEligibility([
			{ ...arm("a"), state: "paused" },
			{ ...arm("b", "context.n > 9"), state: "retired" },
			arm("c"),
		]);
		expect(judge({ n: 1 }, ["a", "c"])).toEqual({
			eligible: [2],
			excluded: { a: "paused", b: "retired" },
		});
	});
});
