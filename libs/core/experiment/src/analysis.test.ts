import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	everyField,
	fieldsOfSchema,
	fieldsUsed,
} from "../../../../test/support/every-field.js";
import {
	BUILT_IN_METRICS,
	diffExperiment,
	type Experiment,
	parseExperiment,
	renderExperiment,
} from "./index.js";

const features = [
	{ name: "device", from: "request", kind: "category", levels: ["a", "b"] },
	{ name: "headphones", from: "request", kind: "boolean" },
	{ name: "tempo", from: "request", kind: "number" },
	{ name: "loyalty", from: "profile", kind: "number" },
];
const document = {
	key: "judged",
	arms: [{ key: "a" }, { key: "b" }],
	context: { features },
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.1 },
};
const primary = {
	metric: "reward",
	smallestEffect: 0.02,
	plannedUnits: 20_000,
	spread: 0.4,
};
const dislikes = { name: "dislikes", event: "dislike" };

const parse = (change: object) => parseExperiment({ ...document, ...change });
function parsed(raw: unknown): Experiment {
	const result = parseExperiment(raw);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}
const without = (raw: object, key: string) =>
	Object.fromEntries(Object.entries(raw).filter(([name]) => name !== key));
function said(change: object): string[] {
	const result = parse(change);
	const list = result.ok ? result.warnings : result.problems;
	return list.map(({ path, message }) => `${path}: ${message}`);
}

describe("what an experiment is judged by", () => {
	it("is filled in with its defaults, windows in milliseconds and caps on the grid", () => {
		const { metrics, guardrails, segments, covariate, schedule } = parsed({
			...document,
			metrics: {
				primary,
				define: [
					dislikes,
					{
						...dislikes,
						name: "worth",
						count: "value",
						per: "play",
						within: "30s",
						cap: 0.3,
						better: "lower",
					},
				],
			},
			segments: ["device", "headphones"],
			covariate: "loyalty",
			schedule: { start: "2026-12-01T09:00:00+01:00" },
			guardrails: [
				{
					metric: "dislikes",
					versus: "control",
					action: "control",
					within: "5m",
					firstLook: { units: 50 },
				},
			],
		});
		expect(metrics).toEqual({
			primary,
			secondary: [],
			define: [
				{
					...dislikes,
					per: "impression",
					count: "once",
					unit: "share",
					better: "higher",
				},
				{
					name: "worth",
					event: "dislike",
					per: "play",
					count: "value",
					withinMs: 30_000,
					cap: 1229 / 4096,
					unit: "value",
					better: "lower",
				},
			],
		});
		expect(guardrails).toEqual([
			{
				metric: "dislikes",
				versus: "control",
				action: "control",
				withinMs: 300_000,
				firstLook: { units: 50 },
			},
		]);
		expect({ segments, covariate, schedule }).toEqual({
			segments: ["device", "headphones"],
			covariate: "loyalty",
			schedule: { startAt: Date.UTC(2026, 11, 1, 8) },
		});
	});

	it("leaves an experiment without it as it was, byte for byte", () => {
		const before = renderExperiment(
			parsed({
				...document,
				guardrails: [{ action: "pause", max: 0.35, metric: "skip_rate" }],
			}),
		);
		expect(Object.keys(before)).toEqual([
			"key",
			"name",
			"hypothesis",
			"owner",
			"arms",
			"context",
			"policy",
			"reward",
			"traffic",
			"guardrails",
			"sticky",
		]);
		expect(JSON.stringify(before.guardrails)).toBe(
			'[{"metric":"skip_rate","max":0.35,"action":"pause"}]',
		);
		const empty = {
			metrics: { secondary: [], define: [] },
			segments: [],
			schedule: {},
		};
		expect(parsed({ ...document, ...empty })).toEqual(parsed(document));
	});

	it("makes no new version and no new epoch, and each change of it is told", () => {
		const judged = {
			...document,
			metrics: { primary, secondary: ["click_rate"], define: [dislikes] },
			segments: ["device"],
			covariate: "loyalty",
			schedule: { stop: "2026-12-15T08:00:00Z" },
		};
		const { changes, newVersion, newEpoch } = diffExperiment(
			parsed(judged),
			parsed({
				...without(judged, "covariate"),
				metrics: {
					primary: { ...primary, smallestEffect: 0.03 },
					secondary: ["click_rate", "dislikes"],
					define: [{ ...dislikes, cap: 2 }],
				},
				segments: ["device", "headphones"],
				schedule: { stop: "2026-12-16T08:00:00Z" },
			}),
		);
		expect(newVersion || newEpoch).toBe(false);
		expect(changes).toEqual([
			"metrics.primary.smallestEffect: 0.02 → 0.03",
			'metrics.secondary: ["click_rate"] → ["click_rate","dislikes"]',
			"metrics.define[dislikes].cap added: 2",
			'segments: ["device"] → ["device","headphones"]',
			"covariate removed: loyalty",
			"schedule.stop: 2026-12-15T08:00:00Z → 2026-12-16T08:00:00Z",
		]);
	});

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

	it("keeps a ridge and a cap of the least size there is", () => {
		const least = parsed({
			...document,
			policy: { kind: "linucb", ridge: 0.0003 },
			metrics: { define: [{ ...dislikes, cap: 0.0003 }] },
		});
		expect(parsed(renderExperiment(least))).toEqual(least);
	});

	it("may be stored with a guardrail on a metric that nobody knows, as earlier versions took it", () => {
		const guardrails = [{ metric: "m", max: 1, action: "pause" }];
		expect(parse({ guardrails }).ok).toBe(false);
		const stored = parseExperiment({ ...document, guardrails }, "stored");
		expect(stored.ok && stored.value.guardrails).toEqual(guardrails);
		const unbound = [{ metric: "m", action: "pause" }];
		expect(
			parseExperiment({ ...document, guardrails: unbound }, "stored").ok,
		).toBe(false);
	});
});

it("each built-in metric is explained where metrics are, docs/experiments.md", () => {
	const path = new URL("../../../../docs/experiments.md", import.meta.url);
	const page = readFileSync(path, "utf8");
	const missing = Object.keys(BUILT_IN_METRICS).filter(
		(name) => !page.includes(`\`${name}\``),
	);
	expect(missing).toEqual([]);
});

describe("the document form", () => {
	it("comes back from everything that can be written", () => {
		for (const document of everyField) {
			const experiment = parsed(document);
			expect(parsed(renderExperiment(experiment))).toEqual(experiment);
			expect(
				JSON.stringify(renderExperiment(parsed(renderExperiment(experiment)))),
			).toBe(JSON.stringify(renderExperiment(experiment)));
		}
		expect(
			fieldsOfSchema().filter(
				(field) =>
					!everyField.some((document) => fieldsUsed(document).includes(field)),
			),
		).toEqual([]);
	});

	it("of any metrics, guardrails, segments and schedule parses to the same experiment", () => {
		fc.assert(
			fc.property(anyAnalysis, (analysis) => {
				const result = parse(analysis);
				if (!result.ok) throw new Error(JSON.stringify(result.problems));
				expect(
					parsed(JSON.parse(JSON.stringify(renderExperiment(result.value)))),
				).toEqual(result.value);
			}),
			{ numRuns: 300 },
		);
	});
});

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const some = (least: number, most: number) =>
	fc.double({ min: least, max: most, noNaN: true, noDefaultInfinity: true });
const within = fc.integer({ min: 1, max: 1_800_000 }).map((ms) => `${ms}ms`);
const builtIn = fc.constantFrom(
	...Object.keys(BUILT_IN_METRICS).filter(
		(name) => !("ownSpan" in BUILT_IN_METRICS[name as "reward"]),
	),
);
const anyAnalysis = fc
	.record({
		own: fc.uniqueArray(fc.constantFrom("dislikes", "shares", "worth"), {
			maxLength: 3,
		}),
		metric: fc.record({
			event: fc.constantFrom("dislike", "share"),
			per: fc.constantFrom(undefined, "decision", "impression", "unit", "play"),
			count: fc.constantFrom(undefined, "once", "each", "value"),
			within: optional(within),
			cap: optional(some(2 ** -12, 1_000)),
			unit: fc.constantFrom(undefined, "share", "euros"),
			better: fc.constantFrom(undefined, "higher", "lower"),
		}),
		primary: optional(
			fc.record({
				metric: fc.constant("reward"),
				smallestEffect: some(1e-6, 100),
				plannedUnits: fc.integer({ min: 200, max: 1e9 }),
				spread: optional(some(1e-6, 100)),
			}),
		),
		secondary: fc.uniqueArray(
			builtIn.filter((name) => name !== "reward"),
			{ maxLength: 4 },
		),
		guardrails: fc.array(
			fc.record({
				metric: builtIn,
				limit: fc.oneof(
					fc.record({ max: some(-10, 10) }),
					fc.record({ min: some(-10, 10) }),
					fc.record({
						versus: fc.constant("control"),
						margin: optional(some(0, 1)),
					}),
				),
				action: fc.constantFrom("alert", "pause", "control"),
				within: optional(within),
				firstLook: optional(
					fc.record({
						decisions: optional(fc.integer({ min: 1, max: 1e9 })),
						units: optional(fc.integer({ min: 2, max: 1e9 })),
					}),
				),
			}),
			{ maxLength: 4 },
		),
		segments: optional(fc.subarray(["device", "headphones"])),
		covariate: fc.constantFrom(undefined, "loyalty"),
		start: optional(
			fc.integer({ min: 1_000_000_000_000, max: 2_000_000_000_000 }),
		),
		stop: optional(
			fc.integer({ min: 2_000_000_000_001, max: 3_000_000_000_000 }),
		),
	})
	.map(
		({
			own,
			metric,
			primary,
			secondary,
			guardrails,
			segments,
			covariate,
			start,
			stop,
		}) => ({
			metrics: {
				primary,
				secondary,
				define: own.map((name) => ({ name, ...metric })),
			},
			guardrails: guardrails.map(({ limit, ...guardrail }) => ({
				...guardrail,
				...limit,
			})),
			segments,
			covariate,
			schedule: {
				start: start === undefined ? undefined : new Date(start).toISOString(),
				stop: stop === undefined ? undefined : new Date(stop).toISOString(),
			},
		}),
	)
	.map((analysis) => JSON.parse(JSON.stringify(analysis)));
