import { describe, expect, it } from "vitest";
import {
	dislikes,
	document,
	parse,
	primary,
	said,
	without,
} from "../test/judged.js";
import { parseExperiment } from "./index.js";

describe("what an experiment is judged by", () => {
	it.each<[string, object, string]>([
		[
			"a metric that is nearly one",
			{ metrics: { secondary: ["clickrate"] } },
			'metrics.secondary[0]: There is no metric "clickrate". Did you mean "click_rate"? Else metrics.define gives the experiment metrics of its own.',
		],
		[
			"a metric of another name than all",
			{ guardrails: [{ metric: "xyzzyplughxyzzy", max: 1, action: "pause" }] },
			'guardrails[0].metric: There is no metric "xyzzyplughxyzzy". Known are reward, impression_rate, ',
		],
		[
			"a primary metric that nobody defined",
			{
				metrics: {
					primary: { ...primary, metric: "dislike" },
					define: [dislikes],
				},
			},
			'metrics.primary.metric: There is no metric "dislike". Did you mean "dislikes"?',
		],
		[
			"a primary metric without a plan",
			{ metrics: { primary: without(primary, "smallestEffect") } },
			"metrics.primary.smallestEffect: Required, but missing.",
		],
		[
			"an effect of 0",
			{ metrics: { primary: { ...primary, smallestEffect: 0 } } },
			"metrics.primary.smallestEffect: Must be above 0.",
		],
		[
			"199 planned units",
			{ metrics: { primary: { ...primary, plannedUnits: 199 } } },
			"metrics.primary.plannedUnits: Must be at least 200.",
		],
		[
			"a spread and a rate",
			{ metrics: { primary: { ...primary, expected: 0.1 } } },
			"metrics.primary.expected: Instead of spread, not beside it",
		],
		[
			"a rate of 1",
			{ metrics: { primary: { ...without(primary, "spread"), expected: 1 } } },
			"metrics.primary.expected: Must be less than 1.",
		],
		[
			"a secondary metric twice",
			{ metrics: { secondary: ["click_rate", "click_rate"] } },
			"metrics.secondary[1]: click_rate is listed twice.",
		],
		[
			"the primary metric again",
			{ metrics: { primary, secondary: ["reward"] } },
			"metrics.secondary[0]: reward is the primary metric already",
		],
		[
			"a metric of its own that is built in",
			{ metrics: { define: [{ ...dislikes, name: "skip_rate" }] } },
			"metrics.define[0].name: skip_rate is built in",
		],
		[
			"two metrics of one name",
			{ metrics: { define: [dislikes, dislikes] } },
			"metrics.define[1].name: define[0] is called dislikes too",
		],
		[
			"a count of retracts",
			{ metrics: { define: [{ ...dislikes, event: "retract" }] } },
			"metrics.define[0].event: A retract takes an event back",
		],
		[
			"a metric per retract",
			{ metrics: { define: [{ ...dislikes, per: "retract" }] } },
			"metrics.define[0].per: A retract takes an event back",
		],
		[
			"a cap of nothing",
			{ metrics: { define: [{ ...dislikes, cap: 0 }] } },
			"metrics.define[0].cap: Must be at least 0.000244140625.",
		],
		[
			"a segment that is no feature",
			{ segments: ["devise"] },
			'segments[0]: The context has no feature "devise". Did you mean "device"?',
		],
		[
			"a segment without levels",
			{ segments: ["tempo"] },
			"segments[0]: tempo is a number feature, which has no levels to show apart. Category or boolean features are possible: device, headphones.",
		],
		[
			"a segment twice",
			{ segments: ["device", "device"] },
			"segments[1]: device is listed twice.",
		],
		[
			"segments of nothing",
			{ context: {}, segments: ["device"] },
			'segments[0]: The context has no feature "device". Category or boolean features are possible; it declares none.',
		],
		[
			"a covariate that the experiment may have made",
			{ covariate: "tempo" },
			"covariate: tempo is no number of the profile, so it may be what the experiment made of it. Number features from: profile are possible: loyalty.",
		],
		[
			"a covariate that is no feature",
			{ covariate: "loyality" },
			'covariate: The context has no feature "loyality". Did you mean "loyalty"?',
		],
		[
			"a guardrail against a control that nobody is",
			{
				traffic: {},
				guardrails: [
					{ metric: "save_rate", versus: "control", action: "pause" },
				],
			},
			"guardrails[0].versus: Nobody is control, so there is nothing to compare with: set traffic.control, such as 0.1, or give max or min instead.",
		],
		[
			"a guardrail against a control that everyone is",
			{
				traffic: { control: 1 },
				guardrails: [
					{ metric: "save_rate", versus: "control", action: "pause" },
				],
			},
			"guardrails[0].versus: Everyone is control",
		],
		[
			"a limit and a comparison in one",
			{
				guardrails: [
					{ metric: "save_rate", min: 0, versus: "control", action: "pause" },
				],
			},
			"guardrails[0].versus: Either a limit (max, min) or a comparison (versus), not both",
		],
		[
			"a margin of a limit",
			{
				guardrails: [
					{ metric: "save_rate", min: 0, margin: 0.1, action: "pause" },
				],
			},
			"guardrails[0].margin: A margin is how much worse than control",
		],
		[
			"limits that exclude each other",
			{
				guardrails: [
					{ metric: "save_rate", min: 0.2, max: 0.1, action: "pause" },
				],
			},
			"guardrails[0].max: Must not be below min, which is 0.2",
		],
		[
			"a guardrail without bound",
			{ guardrails: [{ metric: "save_rate", action: "pause" }] },
			"guardrails[0]: Needs max or min, or versus: control",
		],
		[
			"a guardrail on what is known too late",
			{
				guardrails: [{ metric: "return_7d", min: 0.1, action: "alert" }],
			},
			"guardrails[0].metric: return_7d counts over a span of its own, which tells of harm too late",
		],
		[
			"a first look at one unit",
			{
				guardrails: [
					{
						metric: "save_rate",
						min: 0.2,
						action: "pause",
						firstLook: { units: 1 },
					},
				],
			},
			"guardrails[0].firstLook.units: Must be at least 2.",
		],
		[
			"a start without offset",
			{ schedule: { start: "2026-12-01T08:00:00" } },
			"schedule.start: Must be an instant such as 2026-12-01T08:00:00Z, with its offset.",
		],
		[
			"a day that is none",
			{ schedule: { start: "2026-02-30T08:00:00Z" } },
			"schedule.start: Must be an instant such as",
		],
		[
			"a start long ago",
			{ schedule: { start: "1926-12-01T08:00:00Z" } },
			"schedule.start: Must be an instant from the year 2000 on",
		],
		[
			"a stop before the start",
			{
				schedule: {
					start: "2026-12-01T08:00:00Z",
					stop: "2026-12-01T08:00:00Z",
				},
			},
			"schedule.stop: Must come after the start",
		],
		[
			"a mistyped key",
			{ metrics: { primry: primary } },
			'metrics.primry: Unknown key "primry": did you mean "primary"?',
		],
	])(
		"%s is refused with what, where and how to mend it",
		(_, change, message) => {
			expect(parse(change).ok).toBe(false);
			expect(said(change)).toContainEqual(expect.stringContaining(message));
			expect(said(change)).toHaveLength(1);
		},
	);

	it.each<[string, object, string]>([
		[
			"a plan without control",
			{ traffic: {}, metrics: { primary } },
			"metrics.primary.plannedUnits: traffic.control is 0, so policy and control cannot be compared",
		],
		[
			"a plan with too small a control",
			{
				traffic: { control: 0.1 },
				metrics: { primary: { ...primary, plannedUnits: 990 } },
			},
			"metrics.primary.plannedUnits: Of 990 units 99 would be in the smaller of policy and control; below 100 no lift is reported.",
		],
		[
			"a share of 0 with a plan",
			{ traffic: { share: 0, control: 0.1 }, metrics: { primary } },
			"traffic.share: Nobody takes part in it",
		],
		[
			"a metric's window beyond the reward's",
			{ metrics: { define: [{ ...dislikes, within: "31m" }] } },
			"metrics.define[0].within: 31m is longer than the reward's window of 30m",
		],
	])("%s is taken with a warning", (_, change, message) => {
		expect(parse(change).ok).toBe(true);
		expect(said(change)).toEqual([expect.stringContaining(message)]);
	});

	it.each([
		["on a metric that nobody knows", { metric: "m", max: 1 }],
		["on what is known after days", { metric: "return_1d", min: 0.1 }],
		["on the length of sessions", { metric: "session_length", min: 60 }],
		["that no value passes", { metric: "save_rate", min: 0.2, max: 0.1 }],
	])(
		"may be stored with a guardrail %s, as earlier versions took it",
		(_, guardrail) => {
			const guardrails = [{ ...guardrail, action: "pause" }];
			expect(parse({ guardrails }).ok).toBe(false);
			const stored = parseExperiment({ ...document, guardrails }, "stored");
			expect(stored.ok && stored.value.guardrails).toEqual(guardrails);
		},
	);

	it("is not stored with a guardrail without bound, which was never taken", () => {
		const unbound = [{ metric: "m", action: "pause" }];
		expect(
			parseExperiment({ ...document, guardrails: unbound }, "stored").ok,
		).toBe(false);
	});
});
