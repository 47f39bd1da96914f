import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
	type Experiment,
	experimentSchema,
	parseExperiment,
	parseExperimentYaml,
	renderExperiment,
} from "./index.js";

/** As a product manager writes it, with every kind of feature. */
const MORNING = `
key: morning-prompt
name: Which prompt opens the morning?
hypothesis: Energy-matched prompts raise plays without raising early skips.
owner: growth
arms:
  - { key: focus,  payload: { text: Something to focus on, recipe: focus-flow }, tags: [calm] }
  - { key: energy, payload: { text: Wake up, recipe: high-energy }, eligible: 'context.activity != "sleep"' }   # CEL
context:
  intercept: true                     # first coordinate is 1 (default)
  features:
    - { name: hour,       from: request, kind: cyclic, period: 24 }                        # sin, cos
    - { name: device,     from: request, kind: category, levels: [phone, desktop, speaker] } # one-hot; unseen level = all 0
    - { name: headphones, from: request, kind: boolean }
    - { name: activity,   from: request, kind: attribute, values: [sleep, work, run, home] }      # for rules only, not encoded
    - { name: tempo,      from: request, kind: number, mean: 120, scale: 30 }              # (v − mean) / scale
    - { name: skips30s,   from: live,    kind: number, event: skip, window: 30s, scale: 5 }
    - { name: taste,      from: profile, kind: vector, length: 8, consent: personalization }
policy: { kind: linucb, alpha: 0.5, ridge: 1, explore: 0.05, halfLife: 14d }               # halfLife optional
reward:
  learn: impression
  window: 30m
  default: 0
  combine: sum
  range: [-1, 2]
  outcomes:
    - { type: play, value: 0.3 }
    - { type: complete, value: 0.7 }
    - { type: skip, value: -0.2, within: 30s }
    - { type: save, value: 1 }
traffic: { share: 1, control: 0.1, baseline: uniform }     # baseline: uniform, or an arm's key
guardrails:
  - { metric: skip_rate, max: 0.35, action: pause }
`;

const smallest = () => ({
	key: "small",
	arms: [{ key: "a" }, { key: "b" }] as Record<string, unknown>[],
	context: { features: [] as Record<string, unknown>[] } as Record<
		string,
		unknown
	>,
	policy: { kind: "linucb" } as Record<string, unknown>,
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] } as Record<
		string,
		unknown
	>,
});

function accepted(raw: unknown): Experiment {
	const parsed = parseExperiment(raw);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

/** `path: message` per problem. */
function problems(raw: unknown): string[] {
	const parsed = parseExperiment(raw);
	return parsed.ok
		? []
		: parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

function withFeatures(...features: Record<string, unknown>[]): unknown {
	return { ...smallest(), context: { features } };
}

describe("an experiment in YAML", () => {
	it("is read whole, durations in milliseconds and rewards on the grid", () => {
		const parsed = parseExperimentYaml(MORNING);
		if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
		const { value } = parsed;
		expect(value.arms.map(({ key }) => key)).toEqual(["focus", "energy"]);
		expect(value.arms[1]?.eligible).toBe('context.activity != "sleep"');
		expect(value.context.features.map(({ kind }) => kind)).toEqual([
			"cyclic",
			"category",
			"boolean",
			"attribute",
			"number",
			"number",
			"vector",
		]);
		expect(value.context.features[5]).toEqual({
			name: "skips30s",
			from: "live",
			kind: "number",
			mean: 0,
			scale: 5,
			live: { event: "skip", windowMs: 30_000, aggregate: "count", by: "unit" },
		});
		expect(value.policy).toEqual({
			kind: "linucb",
			alpha: 0.5,
			ridge: 1,
			explore: 0.05,
			halfLifeMs: 14 * 86_400_000,
		});
		expect(value.reward.outcomes[0]).toEqual({
			type: "play",
			value: 1229 / 4096,
		});
		expect(value.reward.outcomes[2]).toEqual({
			type: "skip",
			value: -819 / 4096,
			withinMs: 30_000,
		});
		expect(value.reward.range).toEqual([-1, 2]);
	});

	it("names line and column of what YAML cannot read", () => {
		const parsed = parseExperimentYaml("key: a\nkey: b\n");
		expect(parsed.ok ? "" : parsed.problems[0]?.message).toMatch(
			/keys must be unique at line 2, column 1/,
		);
	});

	it.each([
		["an unknown tag", "key: !!js/function x", /tag/i],
		["two documents", "key: a\n---\nkey: b", /multiple documents/],
		["an alias without anchor", "key: *x", /alias/i],
		[
			"aliases that multiply",
			`a: &a [1,1,1,1,1,1,1,1,1]\n${[..."bcdefgh"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`)}]`).join("\n")}`,
			/alias/i,
		],
		["nesting of 10,000", `key: ${"[".repeat(10_000)}`, /nested too deeply/],
		[
			"50,000 repeated keys",
			"a: 1\n".repeat(50_000),
			/more than 100000 words and signs/,
		],
		["nesting of 60,000 lists", "- ".repeat(60_000), /nested too deeply/],
		[
			"nesting of 60,000 brackets",
			"[".repeat(60_000) + "]".repeat(60_000),
			/nested too deeply/,
		],
		[
			"nesting of 600 mappings",
			Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
			/nested too deeply/,
		],
		[
			"a text of half a megabyte",
			`key: ${"a".repeat(500_000)}`,
			/at most 262144/,
		],
		["an infinite number", `key: a\nx: .inf`, /not a finite number/],
		["nothing", "", /object/],
	])("refuses %s", (_, text, message) => {
		const parsed = parseExperimentYaml(text);
		expect(
			parsed.ok
				? []
				: parsed.problems.map((problem) => problem.message).join("\n"),
		).toMatch(message);
	});
});

describe("defaults", () => {
	it("fill in everything but key, arms, policy kind, window and outcomes", () => {
		const { context: _, ...bare } = smallest();
		expect(accepted(bare)).toEqual({
			key: "small",
			name: "small",
			hypothesis: "",
			owner: "",
			arms: [
				{ key: "a", payload: {}, tags: [] },
				{ key: "b", payload: {}, tags: [] },
			],
			context: { intercept: true, features: [] },
			policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.05 },
			reward: {
				learn: "impression",
				windowMs: 1_800_000,
				default: 0,
				combine: "sum",
				range: [-8, 8],
				outcomes: [{ type: "play", value: 1 }],
			},
			traffic: { share: 1, control: 0, baseline: "uniform" },
			guardrails: [],
		});
	});

	it("leave a result that cannot be changed", () => {
		const experiment = accepted({
			...smallest(),
			arms: [{ key: "a", payload: { deep: { text: "x" } } }],
		});
		const deep = experiment.arms[0]?.payload.deep as { text: string };
		expect(() => {
			deep.text = "y";
		}).toThrow(TypeError);
	});

	it("do not freeze or share what was handed in", () => {
		const raw = { ...smallest(), arms: [{ key: "a", payload: { text: "x" } }] };
		const experiment = accepted(raw);
		(raw.arms[0] as { payload: { text: string } }).payload.text = "y";
		expect(experiment.arms[0]?.payload).toEqual({ text: "x" });
	});
});

describe("unknown keys", () => {
	it("are problems with their path and the nearest known key", () => {
		const raw = {
			...smallest(),
			armz: [],
			arms: [{ key: "a", playload: {} }],
			policy: { kind: "linucb", alfa: 1 },
			reward: {
				window: "30m",
				outcome: [],
				outcomes: [{ type: "play", valeu: 1 }],
			},
			context: {
				features: [{ name: "n", from: "request", kind: "number", meen: 1 }],
			},
		};
		expect(problems(raw)).toEqual(
			expect.arrayContaining([
				'armz: Unknown key "armz": did you mean "arms"?',
				'arms[0].playload: Unknown key "playload": did you mean "payload"?',
				'policy.alfa: Unknown key "alfa": did you mean "alpha"?',
				'reward.outcome: Unknown key "outcome": did you mean "outcomes"?',
				'reward.outcomes[0].valeu: Unknown key "valeu": did you mean "value"?',
				'context.features[0].meen: Unknown key "meen": did you mean "mean"?',
			]),
		);
		expect(problems(raw)).toHaveLength(6);
	});

	it("list what is known where nothing is near", () => {
		expect(problems({ ...smallest(), traffic: { xyzzyplugh: 1 } })).toEqual([
			'traffic.xyzzyplugh: Unknown key "xyzzyplugh". Known here: share, control, baseline.',
		]);
	});

	it.each(["__proto__", "constructor", "prototype"])(
		"such as %s are refused wherever they are",
		(key) => {
			const raw: unknown = JSON.parse(
				JSON.stringify({
					...smallest(),
					arms: [{ key: "a", payload: { KEY: 1 } }],
				}).replace("KEY", key),
			);
			expect(problems(raw)).toEqual([
				`arms[0].payload.${key}: The key ${key} is not allowed; rename it.`,
			]);
			expect(parseExperimentYaml(`${key}: {a: 1}\nkey: x`).ok).toBe(false);
		},
	);
});

describe("values of a wrong type or size", () => {
	it.each<[string, (raw: ReturnType<typeof smallest>) => unknown, string]>([
		["no key", ({ key: _, ...rest }) => rest, "key: Required, but missing."],
		[
			"a bad key",
			(raw) => ({ ...raw, key: "Morning Prompt" }),
			"key: Must be 1 to 64 lower-case",
		],
		[
			"a bad arm key",
			(raw) => ({ ...raw, arms: [{ key: "a b" }] }),
			"arms[0].key: Must be 1 to 64 letters",
		],
		[
			"no arms",
			(raw) => ({ ...raw, arms: [] }),
			"arms: Must have at least 1 items.",
		],
		[
			"1,001 arms",
			(raw) => ({
				...raw,
				arms: Array.from({ length: 1001 }, (_, i) => ({ key: `a${i}` })),
			}),
			"arms: Must have at most 1000 items.",
		],
		[
			"a number as name",
			(raw) => ({ ...raw, name: 3 }),
			"name: Must be text, not 3.",
		],
		["a list as experiment", () => [], ": Must be an object, not a list."],
		[
			"an unknown policy",
			(raw) => ({ ...raw, policy: { kind: "magic" } }),
			'policy.kind: Must be one of linucb, hybrid-linucb, thompson, uniform, fixed, not "magic".',
		],
		[
			"no policy",
			({ policy: _, ...rest }) => rest,
			"policy: Required, but missing.",
		],
		[
			"a ridge below the grid",
			(raw) => ({ ...raw, policy: { kind: "uniform", ridge: 0.0001 } }),
			"policy.ridge: Must be at least 0.000244140625.",
		],
		[
			"an explore above 1",
			(raw) => ({ ...raw, policy: { kind: "uniform", explore: 1.5 } }),
			"policy.explore: Must be at most 1.",
		],
		[
			"a duration without unit",
			(raw) => ({ ...raw, reward: { ...raw.reward, window: "30" } }),
			"reward.window: Must be a duration such as 30s, 5m, 12h or 14d.",
		],
		[
			"a window of 91 days",
			(raw) => ({ ...raw, reward: { ...raw.reward, window: "91d" } }),
			"reward.window: Must be 1s to 90d, not 91d.",
		],
		[
			"a range beyond 8",
			(raw) => ({ ...raw, reward: { ...raw.reward, range: [-9, 2] } }),
			"reward.range[0]: Must be at least -8.",
		],
		[
			"a range upside down",
			(raw) => ({ ...raw, reward: { ...raw.reward, range: [2, -1] } }),
			"reward.range: Must go from a lower to a higher number",
		],
		[
			"another learn",
			(raw) => ({ ...raw, reward: { ...raw.reward, learn: "never" } }),
			'reward.learn: Must be one of impression, decision, windowClose, not "never".',
		],
		[
			"no outcomes",
			(raw) => ({ ...raw, reward: { window: "1h", outcomes: [] } }),
			"reward.outcomes: Must have at least 1 items.",
		],
		[
			"two rules for a type",
			(raw) => ({
				...raw,
				reward: {
					window: "1h",
					outcomes: [{ type: "play" }, { type: "play" }],
				},
			}),
			"reward.outcomes[1].type: outcomes[0] is for play too",
		],
		[
			"an earning retract",
			(raw) => ({
				...raw,
				reward: { window: "1h", outcomes: [{ type: "retract", value: 1 }] },
			}),
			"reward.outcomes[0].type: A retract",
		],
		[
			"a stickiness that does not exist",
			(raw) => ({ ...raw, sticky: "forever" }),
			"sticky: Must be one of session, unit, none",
		],
		[
			"a feature that says where somebody is",
			(raw) => ({
				...raw,
				context: {
					features: [{ name: "latitude", from: "request", kind: "number" }],
				},
			}),
			"context.features[0].name: latitude names a precise location, which is not stored",
		],
		[
			"a feature whose name says it in parts",
			(raw) => ({
				...raw,
				context: {
					features: [{ name: "ipAddress", from: "request", kind: "attribute" }],
				},
			}),
			"context.features[0].name: ipAddress names a precise location, which is not stored",
		],
		[
			"a feature called intercept",
			(raw) => ({
				...raw,
				context: {
					features: [{ name: "intercept", from: "request", kind: "boolean" }],
				},
			}),
			"context.features[0].name: A feature cannot be called intercept",
		],
		[
			"Thompson sampling without a floor",
			(raw) => ({ ...raw, policy: { kind: "thompson", explore: 0 } }),
			"policy.explore: Thompson sampling needs an exploration floor above 0",
		],
		[
			"a hybrid policy over arms without features",
			(raw) => ({ ...raw, policy: { kind: "hybrid-linucb" } }),
			"arms[0].features: A hybrid policy learns over",
		],
		[
			"arm features of different lengths",
			(raw) => ({
				...raw,
				arms: [
					{ key: "a", features: [1, 2] },
					{ key: "b", features: [1] },
					{ key: "c" },
				],
				policy: { kind: "linucb" },
				traffic: {},
			}),
			"arms[1].features: Has 1 numbers where arms[0] has 2",
		],
		[
			"a hybrid policy with too many shared coordinates",
			(raw) => ({
				...raw,
				arms: [{ key: "a", features: Array(32).fill(1) }],
				policy: { kind: "hybrid-linucb" },
				traffic: {},
				context: {
					features: [
						{ name: "taste", from: "profile", kind: "vector", length: 8 },
					],
				},
			}),
			"policy.kind: A hybrid policy over 32 arm features and 9 coordinates of context has 288 shared ones",
		],
		[
			"a hybrid policy with too many arms",
			(raw) => ({
				...raw,
				arms: Array.from({ length: 201 }, (_, a) => ({
					key: `arm-${a}`,
					features: [a / 201],
				})),
				policy: { kind: "hybrid-linucb" },
				traffic: {},
			}),
			"policy.kind: A hybrid policy takes at most 200 arms",
		],
		[
			"arms of which none is active",
			(raw) => ({
				...raw,
				arms: [
					{ key: "a", state: "paused" },
					{ key: "b", state: "retired" },
				],
				policy: { kind: "linucb" },
				traffic: {},
			}),
			"arms: Every arm is paused or retired",
		],
		[
			"a half-life of 15 minutes",
			(raw) => ({ ...raw, policy: { kind: "uniform", halfLife: "15m" } }),
			"policy.halfLife: 15m is too short",
		],
		[
			"a sliding window of 15 minutes",
			(raw) => ({ ...raw, policy: { kind: "uniform", slidingWindow: "15m" } }),
			"policy.slidingWindow: 15m is too short",
		],
		[
			"a guardrail without bound",
			(raw) => ({
				...raw,
				guardrails: [{ metric: "skip_rate", action: "pause" }],
			}),
			"guardrails[0]: Needs max or min",
		],
		[
			"a payload of 20 KB",
			(raw) => ({
				...raw,
				arms: [{ key: "a", payload: { text: "x".repeat(20_000) } }],
			}),
			"arms[0].payload: Has 20011 bytes",
		],
		[
			"nesting of 40",
			(raw) => ({
				...raw,
				arms: [
					{
						key: "a",
						payload: { deep: JSON.parse("[".repeat(40) + "]".repeat(40)) },
					},
				],
			}),
			"arms[0].payload.deep[0]",
		],
		[
			"NaN",
			(raw) => ({ ...raw, traffic: { share: Number.NaN } }),
			"traffic.share: NaN is not a finite number.",
		],
		["a NUL", (raw) => ({ ...raw, name: "a\u0000b" }), "name: Holds a NUL"],
	])("refuses %s", (_, change, expected) => {
		expect(problems(change(smallest())).join("\n")).toContain(expected);
	});

	it("survives nesting of 100,000", () => {
		let deep: unknown = 1;
		for (let i = 0; i < 100_000; i++) deep = [deep];
		expect(problems({ ...smallest(), name: deep })[0]).toContain(
			"Nested deeper than 32 levels",
		);
	});
});

describe("arms", () => {
	it("must have different keys", () => {
		expect(
			problems({
				...smallest(),
				arms: [{ key: "a" }, { key: "b" }, { key: "a" }],
			}),
		).toEqual(["arms[2].key: arms[0] has the key a too; keys must differ."]);
	});

	it("cannot be called uniform", () => {
		expect(
			problems({ ...smallest(), arms: [{ key: "uniform" }] })[0],
		).toContain("arms[0].key: An arm cannot be called uniform");
	});

	it("must exist where policy or traffic name them", () => {
		const raw = {
			...smallest(),
			policy: { kind: "fixed", arm: "aa" },
			traffic: { baseline: "c" },
		};
		expect(problems(raw)).toEqual([
			'policy.arm: No arm is called "aa": did you mean "a"?',
			'traffic.baseline: No arm is called "c": did you mean "a"?',
		]);
		expect(
			accepted({ ...smallest(), traffic: { baseline: "b" } }).traffic.baseline,
		).toBe("b");
	});
});

describe("rules", () => {
	const activity = { name: "activity", from: "request", kind: "attribute" };
	const tempo = { name: "tempo", from: "request", kind: "number" };
	const rule = (text: string, ...features: Record<string, unknown>[]) =>
		problems({
			...smallest(),
			context: { features },
			arms: [{ key: "a", eligible: text }],
		});

	it("that do not parse show line and caret", () => {
		const [problem] = rule('context.activity != "sleep', activity);
		expect(problem).toContain(
			"arms[0].eligible: The rule does not parse: Unterminated string",
		);
		expect(problem).toContain('>    1 | context.activity != "sleep\n');
		expect(problem).toMatch(/\n +\^/);
	});

	it("may read only what the context declares", () => {
		expect(rule('context.activty != "sleep"', activity)).toEqual([
			'arms[0].eligible: The rule reads context.activty, which the context does not declare. Unknown key "activty": did you mean "activity"?',
		]);
		expect(
			rule('has(context.foo) && context["bar"] == 1', activity),
		).toHaveLength(2);
		expect(rule("user.age > 3", activity)[0]).toContain(
			"Unknown variable: user",
		);
		expect(rule("context.x > 3")).toEqual([
			"arms[0].eligible: The rule reads context.x, but the context declares no feature.",
		]);
	});

	it("must fit the types of the context and say true or false", () => {
		expect(rule("context.activity > 3", activity)[0]).toContain(
			"The rule does not fit the context: no such overload: string > int",
		);
		expect(rule("context.tempo", tempo)[0]).toContain(
			"must say true or false, but gives double",
		);
		expect(rule("1 + 1")[0]).toContain("gives int");
		expect(rule("[1, 2][0] == 1")).toEqual([]);
		expect(rule('{"a": [1]}["a"][0] == 1')).toEqual([]);
		expect(
			rule(
				"context.tempo * 2 + 1 > 120 && (1 + context.tempo) / 2 < 90.5",
				tempo,
			),
		).toEqual([]);
		expect(
			rule("context.tempo == 120 || 3 - context.tempo > 0", tempo),
		).toEqual([]);
	});

	it("cannot be made to run for long", () => {
		expect(rule('context.activity.matches("(a+)+$")', activity)[0]).toContain(
			"matches is not available",
		);
		expect(rule("[1,2].all(a, [1,2].all(b, a > b))")[0]).toContain(
			"all inside another comprehension",
		);
		expect(rule(`${"(".repeat(200)}true${")".repeat(200)}`)[0]).toContain(
			"does not parse",
		);
		expect(
			rule(
				`context.tempo > 0${" && context.tempo > 0".repeat(60)}`,
				tempo,
			).join(),
		).toMatch(/1000 characters|does not parse/);
	});
});

describe("features", () => {
	const feature = { name: "n", from: "request", kind: "number" };
	it.each<[string, Record<string, unknown>[], string]>([
		[
			"a repeated name",
			[feature, { ...feature, kind: "boolean" }],
			"context.features[1].name: features[0] is called n too",
		],
		[
			"an unknown kind",
			[{ ...feature, kind: "numbre" }],
			'context.features[0].kind: Must be one of number, boolean, cyclic, timeOfDay, category, attribute, vector, product, not "numbre".',
		],
		[
			"a name that no rule can say",
			[{ ...feature, name: "a-b" }],
			"context.features[0].name: Must be 1 to 64 letters",
		],
		[
			"a scale of 0",
			[{ ...feature, scale: 0 }],
			"context.features[0].scale: Must be above 0.",
		],
		[
			"a category without levels",
			[{ ...feature, kind: "category", levels: [] }],
			"context.features[0].levels: Must have at least 1 items.",
		],
		[
			"a level twice",
			[{ ...feature, kind: "category", levels: ["a", "a"] }],
			"context.features[0].levels[1]: a is listed twice.",
		],
		[
			"a period of 0",
			[{ ...feature, kind: "cyclic", period: 0 }],
			"context.features[0].period: Must be above 0.",
		],
		[
			"a window that is not live",
			[{ ...feature, window: "30s" }],
			"context.features[0].window: window goes with from: live",
		],
		[
			"a live feature without event",
			[{ ...feature, from: "live", window: "30s" }],
			"context.features[0].event: A live feature needs the event type",
		],
		[
			"a live feature without window",
			[{ ...feature, from: "live", event: "skip" }],
			"context.features[0].window: A live feature needs a window",
		],
		[
			"a live window of 2 hours",
			[{ ...feature, from: "live", event: "skip", window: "2h" }],
			"context.features[0].window: A live window is 1s to 1h, not 2h.",
		],
		[
			"another live aggregate",
			[
				{
					...feature,
					from: "live",
					event: "skip",
					window: "5m",
					aggregate: "median",
				},
			],
			'context.features[0].aggregate: Must be one of count, rate, sum, mean, last, timeSince, distinct, not "median".',
		],
		[
			"a live boolean",
			[{ name: "n", from: "live", kind: "boolean" }],
			"context.features[0].kind: A live feature is a number made of events, or the mean vector of the items they name, so its kind must be number or vector, not boolean.",
		],
		[
			"a count of retracts",
			[{ ...feature, from: "live", event: "retract", window: "5m" }],
			"context.features[0].event: A retract",
		],
		[
			"257 coordinates",
			[{ ...feature, kind: "vector", length: 256 }],
			"context.features: Encodes to 257 coordinates; at most 256",
		],
	])("refuse %s", (_, features, expected) => {
		expect(problems(withFeatures(...features)).join("\n")).toContain(expected);
	});

	it("must encode something", () => {
		expect(
			problems({ ...smallest(), context: { intercept: false, features: [] } }),
		).toEqual([
			"context: Encodes nothing: declare a feature that is encoded, or leave the intercept on.",
		]);
	});

	it("may be a vector of 256 numbers, which leaves no room for an intercept, and of no more", () => {
		const ofLength = (length: number) => ({
			...smallest(),
			context: {
				intercept: false,
				features: [{ name: "taste", from: "profile", kind: "vector", length }],
			},
		});
		expect(accepted(ofLength(256)).context.features).toMatchObject([
			{ name: "taste", length: 256 },
		]);
		expect(problems(ofLength(257))).toEqual([
			"context.features[0].length: Must be at most 256.",
		]);
	});

	it("from profile and with any levels are accepted", () => {
		const experiment = accepted(
			withFeatures({
				name: "taste",
				from: "profile",
				kind: "vector",
				length: 255,
				consent: "personalization",
			}),
		);
		expect(experiment.context.features).toEqual([
			{
				name: "taste",
				from: "profile",
				kind: "vector",
				length: 255,
				consent: "personalization",
			},
		]);
	});
});

it("all problems come at once, also across parts", () => {
	const raw = {
		key: "X",
		arms: [
			{ key: "a" },
			{ key: "a" },
			{ key: "b", eligible: "context.foo ==" },
			{ key: "" },
		],
		context: {
			features: [
				{ name: "n", from: "live", kind: "number" },
				{ name: "n", from: "request", kind: "boolean" },
			],
		},
		policy: { kind: "linucb", halfLife: "1m" },
		reward: { window: "1h", range: [1, 1], outcomes: [{ type: "play" }] },
		guardrails: [{ metric: "skip_rate", action: "pause" }],
	};
	const paths = problems(raw).map((problem) => problem.split(":", 1)[0]);
	expect(paths.sort()).toEqual([
		"arms[1].key",
		"arms[3].key",
		"context.features[0].event",
		"context.features[0].window",
		"context.features[1].name",
		"guardrails[0]",
		"key",
		"policy.halfLife",
		"reward.range",
	]);
});

describe("the document form", () => {
	it("of a parsed experiment parses to the same experiment", () => {
		for (const policy of [
			{ kind: "linucb", alpha: 1, slidingWindow: "90m" },
			{ kind: "uniform", halfLife: "36h" },
			{ kind: "fixed", arm: "a", ridge: 0.3 },
		]) {
			const parsed = parseExperimentYaml(MORNING);
			if (!parsed.ok) throw new Error("does not parse");
			const experiment = accepted({
				...renderExperiment(parsed.value),
				policy,
				arms: [{ key: "a", eligible: "true" }],
			});
			expect(accepted(renderExperiment(experiment))).toEqual(experiment);
			expect(
				accepted(JSON.parse(JSON.stringify(renderExperiment(experiment)))),
			).toEqual(experiment);
		}
	});

	it("shows numbers as they were written", () => {
		const parsed = parseExperimentYaml(MORNING);
		if (!parsed.ok) throw new Error("does not parse");
		expect(renderExperiment(parsed.value).reward).toEqual({
			learn: "impression",
			window: "30m",
			default: 0,
			combine: "sum",
			range: [-1, 2],
			outcomes: [
				{ type: "play", value: 0.3 },
				{ type: "complete", value: 0.7 },
				{ type: "skip", value: -0.2, within: "30s" },
				{ type: "save", value: 1 },
			],
		});
		expect(renderExperiment(parsed.value).policy).toMatchObject({
			halfLife: "14d",
		});
	});

	it("has a JSON Schema", () => {
		const schema = z.toJSONSchema(experimentSchema) as {
			properties: object;
			additionalProperties: boolean;
			required: string[];
		};
		expect(Object.keys(schema.properties)).toContain("guardrails");
		expect(schema.additionalProperties).toBe(false);
		expect(schema.required.sort()).toEqual(["arms", "key", "policy", "reward"]);
	});
});

it("warns of a `within` that is longer than the window", () => {
	const parsed = parseExperiment({
		...smallest(),
		reward: { window: "1m", outcomes: [{ type: "play", within: "2m" }] },
	});
	expect(parsed.ok && parsed.warnings).toEqual([
		{
			path: "reward.outcomes[0].within",
			message:
				"2m is longer than the window of 1m, after which nothing counts anyway.",
		},
	]);
});

it("renders a value of four digits so that it parses to the same grid point", () => {
	const reward = { window: "1m", outcomes: [{ type: "play", value: 0.1237 }] };
	const experiment = accepted({ ...smallest(), reward });
	const rendered = renderExperiment(experiment);
	expect(accepted(rendered).reward.outcomes[0]?.value).toBe(507 / 4096);
	expect(JSON.stringify(rendered.reward)).toMatch(/"value":0\.123\d/);
});

describe("arms that come and go, and decisions that stay", () => {
	const document = {
		key: "short",
		arms: [
			{ key: "old", state: "retired" },
			{ key: "new", features: undefined },
		].map((arm) => JSON.parse(JSON.stringify(arm))),
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	};
	const warningsOf = (change: object) => {
		const parsed = parseExperiment({ ...document, ...change });
		return parsed.ok
			? parsed.warnings.map(({ path, message }) => `${path}: ${message}`)
			: parsed.problems;
	};

	it("a retired arm that should serve is warned of", () => {
		expect(warningsOf({})).toEqual([
			"traffic.baseline: old is retired, so the first eligible arm serves in its place. Name an active arm.",
		]);
		expect(warningsOf({ traffic: { baseline: "new" } })).toEqual([]);
		expect(
			warningsOf({
				traffic: { baseline: "new" },
				policy: { kind: "fixed", arm: "old" },
			}),
		).toEqual([expect.stringContaining("policy.arm: old is retired")]);
	});

	it.each([
		["session", "23h", 1],
		["session", "24h", 0],
		["unit", "24h", 1],
		["unit", "90d", 0],
		["none", "1h", 0],
	])(
		"sticky: %s under a window of %s has %i warnings",
		(sticky, window, count) => {
			const reward = { ...document.reward, window };
			const warnings = warningsOf({
				sticky,
				reward,
				traffic: { baseline: "new" },
			});
			expect(warnings).toHaveLength(count);
			if (count > 0)
				expect(warnings[0]).toContain(
					`reward.window: ${window} is shorter than`,
				);
		},
	);

	it("state, features and stickiness come back from the rendered form", () => {
		const parsed = parseExperiment({
			...document,
			arms: [
				{ key: "a", features: [1, 0.5], state: "paused" },
				{ key: "b", features: [0, 2], state: "active" },
			],
			policy: { kind: "hybrid-linucb", alpha: 1 },
			sticky: "session",
		});
		if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
		expect(parsed.value.sticky).toBe("session");
		expect(parsed.value.arms.map(({ state }) => state)).toEqual([
			"paused",
			undefined,
		]);
		const again = parseExperiment(renderExperiment(parsed.value));
		expect(again.ok && again.value).toEqual(parsed.value);
	});
});
