import { describe, expect, test } from "vitest";
import type { Event } from "#core/log";
import { closingOf, judge, type Reward } from "./index.js";

/**
 * The truth table of a reward. The rules of every row, unless it says otherwise: window 30 min, range [-1, 2], default 0.125, combine sum,
 * learn impression; play 0.25; skip −0.5 within 30 s; save 1; rating by its own value. Minutes count from the decision.
 */
const T = 1_700_000_000_000;
const MINUTE = 60_000;
const decision = {
	id: "0189a5c0-0000-7000-8000-000000000001",
	group: "policy",
	unit: "u",
	decidedAt: T,
} as const;
const rules: Reward = {
	learn: "impression",
	windowMs: 30 * MINUTE,
	default: 0.125,
	combine: "sum",
	range: [-1, 2],
	outcomes: [
		{ type: "play", value: 0.25 },
		{ type: "skip", value: -0.5, withinMs: 30_000 },
		{ type: "save", value: 1 },
		{ type: "rating" },
	],
};

type Happened = readonly [
	type: string,
	minutes: number,
	more?: { value?: number; retracts?: string; unit?: string },
];

/** Events are called 1, 2, … in the order given. */
function events(happened: readonly Happened[]): Event[] {
	return happened.map(([type, minutes, more = {}], i) =>
		type === "closed"
			? closingOf(decision, T + 30 * MINUTE)
			: {
					id: String(i + 1),
					type,
					at: T + minutes * MINUTE,
					unit: "u",
					decisionId: decision.id,
					...more,
				},
	);
}

const rows: readonly [
	sentence: string,
	changes: Partial<Reward>,
	happened: readonly Happened[],
	exposed: 0 | 1,
	reward: number,
	verdicts: string,
][] = [
	// Types and values.
	["nothing", {}, [], 0, 0, ""],
	["shown", {}, [["impression", 0]], 1, 0.125, "no value/unlisted"],
	["a listed value", {}, [["play", 1]], 1, 0.25, "applied"],
	[
		"the definition's value over the event's",
		{},
		[["play", 1, { value: 8 }]],
		1,
		0.25,
		"applied",
	],
	["its own value", {}, [["rating", 1, { value: 0.5 }]], 1, 0.5, "applied"],
	["its own value, missing", {}, [["rating", 1]], 0, 0, "no value/missing"],
	[
		"an unlisted type with a value",
		{},
		[["click", 1, { value: 2 }]],
		1,
		0.125,
		"no value/unlisted",
	],
	// Time.
	["at the end of within", {}, [["skip", 0.5]], 1, -0.5, "applied"],
	["after within", {}, [["skip", 0.6]], 1, 0.125, "no value/outside within"],
	["at the end of the window", {}, [["play", 30]], 1, 0.25, "applied"],
	["after the window", {}, [["play", 30.1]], 0, 0, "late"],
	["5 minutes before", {}, [["skip", -5]], 1, -0.5, "applied"],
	["more than 5 minutes before", {}, [["skip", -5.1]], 0, 0, "early"],
	["another unit", {}, [["play", 1, { unit: "v" }]], 0, 0, "wrong unit"],
	// Combine and range.
	[
		"sum",
		{},
		[
			["play", 1],
			["save", 2],
		],
		1,
		1.25,
		"applied, applied",
	],
	[
		"max",
		{ combine: "max" },
		[
			["play", 1],
			["save", 2],
		],
		1,
		1,
		"no value/superseded, applied",
	],
	[
		"first",
		{ combine: "first" },
		[
			["save", 2],
			["play", 1],
		],
		1,
		0.25,
		"no value/superseded, applied",
	],
	[
		"last",
		{ combine: "last" },
		[
			["save", 2],
			["play", 1],
		],
		1,
		1,
		"applied, no value/superseded",
	],
	[
		"the sum above range",
		{},
		[
			["save", 1],
			["save", 2],
			["save", 3],
		],
		1,
		2,
		"out of range, out of range, out of range",
	],
	["below range", {}, [["rating", 1, { value: -3 }]], 1, -1, "out of range"],
	[
		"clipped is the sum, not a part",
		{},
		[
			["rating", 1, { value: -3 }],
			["rating", 2, { value: 4 }],
		],
		1,
		1,
		"applied, applied",
	],
	[
		"the last above range",
		{ combine: "last" },
		[
			["play", 1],
			["rating", 2, { value: 3 }],
		],
		1,
		2,
		"no value/superseded, out of range",
	],
	// Default.
	[
		"no default beside what was earned",
		{ default: 2 },
		[
			["impression", 0],
			["play", 1],
		],
		1,
		0.25,
		"no value/unlisted, applied",
	],
	[
		"the default where all was taken back but shown",
		{ default: 2 },
		[
			["impression", 0],
			["play", 1],
			["retract", 2, { retracts: "2" }],
		],
		1,
		2,
		"no value/unlisted, retracted, applied",
	],
	// Retracts.
	[
		"taken back",
		{},
		[
			["play", 1],
			["retract", 2, { retracts: "1" }],
		],
		0,
		0,
		"retracted, applied",
	],
	[
		"taken back before it came",
		{},
		[
			["retract", 1, { retracts: "2" }],
			["play", 2],
		],
		0,
		0,
		"applied, retracted",
	],
	[
		"the retract late",
		{},
		[
			["play", 1],
			["retract", 31, { retracts: "1" }],
		],
		1,
		0.25,
		"applied, late",
	],
	[
		"the retract early",
		{},
		[
			["play", 1],
			["retract", -6, { retracts: "1" }],
		],
		1,
		0.25,
		"applied, early",
	],
	[
		"the retract of another unit",
		{},
		[
			["play", 1],
			["retract", 2, { retracts: "1", unit: "v" }],
		],
		1,
		0.25,
		"applied, wrong unit",
	],
	[
		"a retract of nothing",
		{},
		[["retract", 2, { retracts: "9" }]],
		0,
		0,
		"no value/nothing to retract",
	],
	[
		"a retract of a retract",
		{},
		[
			["play", 1],
			["retract", 2, { retracts: "1" }],
			["retract", 3, { retracts: "2" }],
		],
		0,
		0,
		"retracted, applied, no value/not retractable",
	],
	[
		"the last taken back, the one before counts",
		{ combine: "last" },
		[
			["play", 1],
			["save", 2],
			["retract", 3, { retracts: "2" }],
		],
		1,
		0.25,
		"applied, retracted, applied",
	],
	// Learn.
	["decision: nothing came", { learn: "decision" }, [], 1, 0.125, ""],
	["decision: late", { learn: "decision" }, [["play", 31]], 1, 0.125, "late"],
	[
		"decision: taken back",
		{ learn: "decision" },
		[
			["play", 1],
			["retract", 2, { retracts: "1" }],
		],
		1,
		0.125,
		"retracted, applied",
	],
	[
		"windowClose: open",
		{ learn: "windowClose" },
		[["play", 1]],
		0,
		0,
		"not exposed",
	],
	[
		"windowClose: open, and shown",
		{ learn: "windowClose" },
		[["impression", 1]],
		0,
		0,
		"no value/unlisted",
	],
	[
		"windowClose: closed",
		{ learn: "windowClose" },
		[
			["play", 1],
			["closed", 30],
		],
		1,
		0.25,
		"applied, -",
	],
	[
		"windowClose: closed first",
		{ learn: "windowClose" },
		[
			["closed", 30],
			["play", 1],
		],
		1,
		0.25,
		"-, applied",
	],
	[
		"windowClose: closed and never shown",
		{ learn: "windowClose" },
		[["closed", 30]],
		0,
		0,
		"-",
	],
	[
		"windowClose: closed and taken back",
		{ learn: "windowClose" },
		[
			["play", 1],
			["retract", 2, { retracts: "1" }],
			["closed", 30],
		],
		0,
		0,
		"retracted, applied, -",
	],
	[
		"windowClose: closed, above range",
		{ learn: "windowClose" },
		[
			["rating", 1, { value: 3 }],
			["closed", 30],
		],
		1,
		2,
		"out of range, -",
	],
	["impression: a closing means nothing", {}, [["closed", 30]], 0, 0, "-"],
	// Asked again while it stood.
	["a visit, whenever", {}, [["_visit", 9_000]], 0, 0, "visit"],
	[
		"a visit cannot be taken back",
		{},
		[
			["_visit", 5],
			["retract", 6, { retracts: "1" }],
		],
		0,
		0,
		"visit, no value/not retractable",
	],
];

describe("exposure, reward and verdicts", () => {
	test.each(rows)("%s", (_, changes, happened, exposed, reward, verdicts) => {
		const list = events(happened);
		for (const order of [list, list.toReversed(), [...list, ...list]]) {
			const judged = judge({ ...rules, ...changes }, decision, order);
			expect([judged.exposed, judged.reward]).toEqual([exposed, reward]);
			const said = list.map(({ id }) => {
				const { verdict = "-", detail } = judged.verdicts.get(id) ?? {};
				return detail ? `${verdict}/${detail}` : verdict;
			});
			expect(said.join(", ")).toBe(verdicts);
		}
	});

	test("of a decision outside the experiment, nothing is learned and every event of its unit says so", () => {
		const list = events([
			["play", 1],
			["save", 31],
			["play", 1, { unit: "v" }],
		]);
		const outside = { ...decision, group: "outside" } as const;
		const judged = judge({ ...rules, learn: "decision" }, outside, list);
		expect([judged.exposed, judged.reward]).toEqual([0, 0]);
		expect([...judged.verdicts.values()].map(({ verdict }) => verdict)).toEqual(
			["experiment stopped", "experiment stopped", "wrong unit"],
		);
	});
});
