import { describe, expect, it } from "vitest";
import type { Feature } from "#core/experiment";
import {
	type ContextCounts,
	type FeatureCounts,
	type FeatureHealth,
	judgeContext,
	type Launch,
} from "./index.js";

const tempo: Feature = {
	name: "tempo",
	from: "request",
	kind: "number",
	mean: 0,
	scale: 1,
};
const device: Feature = {
	name: "device",
	from: "request",
	kind: "category",
	levels: ["phone", "tv"],
};
const half: Launch = {
	decisions: 1_000,
	from: 0,
	to: 1,
	features: [
		{
			values: 1_000,
			parts: [{ bins: { kind: "edges", edges: [0] }, counts: [500, 500] }],
		},
	],
};
const halfOfLevels: Launch = {
	...half,
	features: [
		{
			values: 1_000,
			parts: [
				{
					bins: { kind: "levels", levels: ["phone", "tv"] },
					counts: [500, 500, 0, 0],
				},
			],
		},
	],
};
const NONE = [0, 0, 0, 0];

function judged(
	feature: Feature,
	launch: Launch | null,
	decisions: number,
	counts: Partial<FeatureCounts>,
): FeatureHealth {
	const one = {
		missing: NONE,
		unseen: 0,
		bins: [],
		differing: 0,
		largest: 0,
		...counts,
	};
	const all: ContextCounts = { decisions, remade: 250, features: [one] };
	return judgeContext([feature], launch, all)[0] as FeatureHealth;
}

describe("the health of a feature", () => {
	it.each<[readonly number[], readonly string[], string]>([
		[[500, 500], [], "Much as it was at launch (PSI 0)."],
		[[330, 670], [], "Has moved somewhat since launch (PSI 0.12)."],
		[
			[240, 760],
			["psi"],
			"Is no longer what it was at launch (PSI 0.3), more than the 0.25 allowed: what was learned then may not hold now.",
		],
	])(
		"of which %j fell into two bins that were even alarms for %j",
		(bins, alarms, verdict) => {
			expect(judged(tempo, half, 1_000, { bins: [bins] })).toMatchObject({
				alarms,
				verdict,
			});
		},
	);

	it("says in words what is missing, unseen or not the same, and does so beside the drift", () => {
		const counts = {
			missing: [50, 450, 0, 0],
			bins: [[250, 250]],
			differing: 25,
			largest: 0.5,
		};
		expect(judged(tempo, half, 1_000, counts)).toMatchObject({
			missing: {
				share: 0.5,
				launchShare: 0,
				reasons: { absent: 50, "no consent": 450 },
			},
			skew: { checked: 250, share: 0.1, largest: 0.5 },
			unseen: null,
			alarms: ["missing", "skew"],
			verdict:
				"Broken: x made again from the log differs in 10 % of the decisions checked, by up to 0.5, so what is learned is not what is served. Missing in 50 % of decisions (0 % at launch), more than the 20 % allowed, mostly no consent. Much as it was at launch (PSI 0).",
		});
		const watches = { unseen: 80, bins: [[460, 460, 0, 80]] };
		const { unseen, alarms, verdict } = judged(
			device,
			halfOfLevels,
			1_000,
			watches,
		);
		expect(unseen).toEqual({ share: 0.08, values: 1_000 });
		expect(alarms).toEqual(["psi", "unseen"]);
		expect(verdict).toContain(
			"8 % of its values are levels that the definition does not list, more than the 5 % allowed",
		);
	});

	it("alarms above its own threshold, not at it", () => {
		const of = (alarm: object, counts: Partial<FeatureCounts>) =>
			judged({ ...device, alarm } as Feature, halfOfLevels, 1_000, {
				bins: [[500, 500, 0, 0]],
				...counts,
			}).alarms;
		expect(of({ missing: 0.3 }, { missing: [300, 0, 0, 0] })).toEqual([]);
		expect(of({ missing: 0.3 }, { missing: [301, 0, 0, 0] })).toEqual([
			"missing",
		]);
		expect(of({ unseen: 0.01 }, { unseen: 10 })).toEqual([]);
		expect(of({ unseen: 0.01 }, { unseen: 11 })).toEqual(["unseen"]);
		const moved = { bins: [[330, 670, 0, 0]] };
		expect(of({}, moved)).toEqual([]);
		expect(of({ psi: 0.11 }, moved)).toEqual(["psi"]);
	});

	it("tells no drift of few values, and no share of few decisions", () => {
		const few = judged(tempo, half, 39, { bins: [[39, 0]] });
		expect(few).toMatchObject({ psi: null, alarms: [] });
		expect(few.verdict).toBe(
			"Drift is not told yet: 39 values of the 40 it takes.",
		);
		expect(judged(tempo, half, 40, { bins: [[40, 0]] }).psi).toBeGreaterThan(1);
		const rare: Launch = {
			...half,
			features: [{ values: 39, parts: [null] }],
		};
		expect(judged(tempo, rare, 1_000, {}).verdict).toBe(
			"Drift cannot be told: only 39 decisions of the launch had a value.",
		);
		expect(judged(tempo, half, 99, { missing: [99, 0, 0, 0] }).alarms).toEqual(
			[],
		);
	});

	it("is not told before the launch is over, nor of a time without decisions", () => {
		expect(judged(tempo, null, 0, {}).verdict).toContain("not complete");
		expect(judgeContext([tempo], half, null)[0]).toMatchObject({
			psi: null,
			missing: { share: null },
			skew: { share: null },
			alarms: [],
			verdict: "Not told: no decisions in this time.",
		});
	});

	it("of a vector is that of the number that moved most", () => {
		const part = {
			bins: { kind: "edges", edges: [0] },
			counts: [500, 500],
		} as const;
		const launch: Launch = {
			...half,
			features: [{ values: 1_000, parts: [part, part, part] }],
		};
		const taste: Feature = {
			name: "taste",
			from: "profile",
			kind: "vector",
			length: 3,
		};
		const bins = [
			[500, 500],
			[100, 900],
			[400, 600],
		];
		expect(judged(taste, launch, 1_000, { bins })).toMatchObject({
			coordinate: 1,
			alarms: ["psi"],
		});
	});

	it("of what has no bins is what is missing of it", () => {
		const launch: Launch = {
			...half,
			features: [{ values: 1_000, parts: [] }],
		};
		const genre: Feature = {
			name: "genre",
			from: "request",
			kind: "attribute",
			values: [],
		};
		expect(
			judged(genre, launch, 1_000, { missing: [100, 0, 0, 0] }).verdict,
		).toBe(
			"Missing in 10 % of decisions; its texts are not listed, so there is no drift to measure.",
		);
		const product: Feature = {
			name: "a×b",
			from: "product",
			kind: "product",
			of: ["a", "b"],
		};
		expect(judged(product, launch, 1_000, {}).verdict).toBe(
			"Made of two features: see their drift.",
		);
	});
});
