import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
	dislikes,
	document,
	parsed,
	primary,
	without,
} from "../test/judged.js";
import { BUILT_IN_METRICS, diffExperiment, renderExperiment } from "./index.js";

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

	it("keeps a ridge and a cap of the least size there is", () => {
		const least = parsed({
			...document,
			policy: { kind: "linucb", ridge: 0.0003 },
			metrics: { define: [{ ...dislikes, cap: 0.0003 }] },
		});
		expect(parsed(renderExperiment(least))).toEqual(least);
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
