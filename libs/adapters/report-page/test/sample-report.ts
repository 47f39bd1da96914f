import type { Estimate, GroupMean, Report } from "#core/report";

const estimate = (
	value: number,
	half: number,
	footnote: Estimate["footnote"] = "lift",
): Estimate => ({
	estimate: value,
	standardError: half / 3,
	low: value - half,
	high: value + half,
	confidence: 0.95,
	kind: "always-valid",
	observation: "unit",
	withheld: null,
	footnote,
});
const mean = (value: number, units: number): GroupMean => ({
	units,
	n: 3 * units,
	sum: 3 * units * value,
	mean: value,
	standardError: 0.01,
});
const group = (value: number, units: number) => {
	const { estimate: _, ...interval } = estimate(value, 0.02, "ratio");
	return {
		decisions: 3 * units,
		n: 3 * units,
		units,
		mean: value,
		...interval,
	};
};
const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 8);

/** A report with every part in it. */
export function sampleReport(): Report {
	return {
		experiment: "morning-prompt",
		name: "Which prompt opens the morning?",
		hypothesis: "Energy-matched prompts raise plays.",
		owner: "growth",
		version: 2,
		run: 3,
		state: "running",
		winner: null,
		answer: {
			verdict: "ship",
			sentence: "The policy had 0.05 more reward than control's 0.4.",
			advice: "The policy is better than the baseline.",
			reasons: ["The always-valid p-value is 0.001."],
		},
		sentence: "The policy had 0.05 more reward than control's 0.4.",
		freshness: {
			revision: 900,
			firstDecidedAt: BEGIN,
			lastDecidedAt: BEGIN + 48 * HOUR,
			closedUntil: BEGIN + 47 * HOUR,
			waiting: 120,
		},
		plan: {
			metric: "reward",
			unit: "reward",
			smallestEffect: 0.02,
			plannedUnits: 20_000,
			plannedStandardError: 0.007,
			tau: 0.0197,
			alpha: 0.05,
		},
		lift: estimate(0.05, 0.02),
		relativeLift: estimate(0.125, 0.05, "relative-lift"),
		cohortLift: estimate(0.04, 0.03, "cohort"),
		adjustedLift: estimate(0.049, 0.015, "cuped"),
		metrics: [
			{
				metric: "reward",
				role: "primary",
				unit: "reward",
				better: "higher",
				policy: mean(0.45, 18_000),
				control: mean(0.4, 2_000),
				lift: estimate(0.05, 0.02),
				relativeLift: estimate(0.125, 0.05, "relative-lift"),
				comparedWith: 0.4,
				pValue: 0.000_01,
			},
			{
				metric: "skip_rate",
				role: "secondary",
				unit: "share",
				better: "lower",
				policy: mean(0.2, 18_000),
				control: mean(0.25, 2_000),
				lift: estimate(-0.05, 0.02),
				relativeLift: estimate(-0.2, 0.1, "relative-lift"),
				comparedWith: 0.25,
				pValue: 0.02,
			},
		],
		metricsByArm: [
			{
				metric: "reward",
				role: "primary",
				arms: ["focus", "energy", "calm"].map((arm) => ({
					arm,
					...mean(0.4, 600),
					withheld: null,
				})),
			},
			{
				metric: "return_7d",
				role: "secondary",
				arms: ["focus", "energy", "calm"].map((arm) => ({
					arm,
					...mean(0.4, 600),
					mean: null,
					standardError: null,
					withheld: "a listener is given several arms",
				})),
			},
		],
		segments: [
			{
				segment: "device",
				level: "phone",
				policy: mean(0.46, 9_000),
				control: mean(0.4, 1_000),
				lift: estimate(0.06, 0.03, "segment"),
			},
			{
				segment: "device",
				level: "desktop",
				policy: mean(0.44, 9_000),
				control: mean(0.4, 1_000),
				lift: estimate(0.04, 0.03, "segment"),
			},
		],
		armValues: ["focus", "energy", "calm"].map((arm, i) => ({
			arm,
			retired: i === 2,
			policyDecisions: 10_000 * (3 - i),
			controlDecisions: 1_000,
			policyShare: (3 - i) / 6,
			impressionRate: 0.9,
			value: estimate(0.4 + i / 50, 0.03, "arm-value"),
			effectiveSampleSize: 900,
		})),
		guardrails: [
			{
				metric: "skip_rate",
				limit: "at most 0.35",
				action: "pause",
				status: "kept",
				estimate: 0.2,
				bound: -0.1,
				sentence: "skip_rate is 0.2 over 54,000 decisions",
			},
		],
		checks: [
			{
				check: "sample ratio",
				status: "passed",
				pValue: 1,
				sentence: "18,000 listeners came first to the policy group.",
				covers: ["lift", "segments", "metrics"],
				footnote: "sample-ratio",
			},
			{
				check: "showing",
				status: "failed",
				pValue: 1e-9,
				sentence: "Of control's decisions 60 to 90 % were shown, by arm.",
				covers: ["values of arms"],
				footnote: "impression-rate",
			},
		],
		health: {
			exploration: 0.17,
			unbooked: 3,
			lateEvents: 12,
			missing: { device: 0.1 },
			deadLetters: 0,
			waitingEvents: 1,
		},
		timeline: {
			looks: Array.from({ length: 48 }, (_, i) => ({
				at: BEGIN + (i + 1) * HOUR,
				estimate: 0.05 + 0.05 / (i + 1),
				low: 0.05 - 0.3 / Math.sqrt(i + 1),
				high: 0.05 + 0.3 / Math.sqrt(i + 1),
				pValue: 1 / (i + 2),
			})),
			traffic: Array.from({ length: 48 }, (_, i) => ({
				at: BEGIN + i * HOUR,
				decisions: { focus: 100 + 10 * i, energy: 400 - 5 * i, calm: 100 },
			})),
			marks: [
				{
					at: BEGIN,
					action: "start",
					actor: "ana",
					sentence: "the big week begins",
				},
				{
					at: BEGIN + 20 * HOUR,
					action: "edit",
					actor: "bo",
					sentence: "traffic.share: 0.5 → 1",
				},
			],
		},
		policy: group(0.45, 18_000),
		control: group(0.4, 2_000),
		outside: { decisions: 100 },
		bestSingleArm: { ...group(0.42, 600), arm: "energy" },
		uniformExpected: 0.4,
		uniformExpectedWithheld: null,
		arms: [],
		controlArms: [],
		outsideArms: [],
		deadLetters: 0,
		waitingEvents: 1,
		footnotes: [
			...new Set([
				"lift",
				"relative-lift",
				"cohort",
				"cuped",
				"segment",
				"arm-value",
				"guardrail",
				"sample-ratio",
				"impression-rate",
			] as const),
		].map((id) => ({
			id,
			title: id,
			formula: "a / b",
			reference: "A paper.",
			assumptions: "Units are independent.",
		})),
		notes: ["Intervals are valid however often they are read."],
	};
}
