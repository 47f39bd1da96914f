import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import type { DecisionRow } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import { Decide, PosteriorCache } from "../src/index.js";
import { D, definition, experiment } from "./definitions.js";

const { chisquare } = createRequire(import.meta.url)("jstat") as {
	chisquare: { cdf(x: number, freedom: number): number };
};
const DECISIONS = 20_000;
const seed = Number(process.env.SEED ?? 20251124);

/** χ² of counts against expectations, over cells of one distribution; cells expected less than 5 times are taken together. */
interface Fit {
	statistic: number;
	freedom: number;
}

/**
 * 20,000 decisions of units in policy and control (control 0.2), exploration 0.1, under rules that leave two to four arms;
 * `calm` and `run` were tried, `focus` and `energy` never, so these tie wherever they lead (with `run` too, where x is orthogonal to what it was taught).
 */
async function decideMany(): Promise<readonly DecisionRow[]> {
	const clock = new MemoryClock(Date.UTC(2025, 10, 24) + (seed % 1_000));
	const source = new MemoryPosteriorSource();
	const current = definition({ salt: seed.toString(16).padStart(64, "0") });
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const log = new MemoryDecisionLog();
	const live = new MemoryLive();
	const decide = new Decide(
		{ definitions, posteriors, live, ids: new MemoryIds(clock), log },
		100,
	);
	source.learn(experiment.key, 1, [
		{ arm: "calm", bucket: 1, sums: taught(6, [1, 0, 1, 1, 0, 0, 0, 0], 1) },
		{ arm: "run", bucket: 1, sums: taught(6, [1, 0, -1, 0, 1, 0, 0, 0], 1) },
	]);
	await posteriors.poll();
	const hours = [0, 6, 12, 18];
	const devices = ["phone", "desktop", "watch"];
	const activities = ["sleep", "work", "run"];
	for (let i = 0; i < DECISIONS; i++) {
		clock.advance(1);
		await decide.execute({
			experiment: experiment.key,
			unit: `listener-${i % 5_000}`,
			context: {
				hour: hours[i % 4],
				device: devices[i % 3],
				activity: activities[Math.floor(i / 12) % 3],
			},
		});
	}
	return log.rows;
}

function taught(times: number, x: readonly number[], reward: 0 | 1) {
	const sums = emptySums(D);
	for (let i = 0; i < times; i++)
		addObservation(sums, D, Float64Array.from(x), 1, reward);
	return sums;
}

/** Rows whose logged distribution over the same arms is the same: one multinomial. */
function cells(rows: readonly DecisionRow[]): DecisionRow[][] {
	const byDistribution = new Map<string, DecisionRow[]>();
	for (const row of rows) {
		const key = `${row.group} ${row.eligible.join()} ${row.propensities.join()}`;
		const cell = byDistribution.get(key);
		if (cell) cell.push(row);
		else byDistribution.set(key, [row]);
	}
	return [...byDistribution.values()];
}

function fit(rows: readonly DecisionRow[]): Fit {
	const [first] = rows;
	const expected = [...(first?.propensities ?? [])].map((p) => p * rows.length);
	const counts = (first?.eligible ?? []).map(
		(index) =>
			rows.filter((row) => row.arm === experiment.arms[index]?.key).length,
	);
	const kept = expected.map((mean, i) => ({ mean, count: counts[i] ?? 0 }));
	const small = kept.filter(({ mean }) => mean < 5);
	const large = kept.filter(({ mean }) => mean >= 5);
	if (small.length > 0)
		large.push(
			small.reduce((sum, cell) => ({
				mean: sum.mean + cell.mean,
				count: sum.count + cell.count,
			})),
		);
	const statistic = large.reduce(
		(sum, { mean, count }) => sum + (count - mean) ** 2 / mean,
		0,
	);
	return { statistic, freedom: large.length - 1 };
}

describe(`20,000 decisions with ties, control, exploration and eligibility (SEED=${seed})`, () => {
	let rows: readonly DecisionRow[] = [];

	beforeAll(async () => {
		rows = await decideMany();
	});

	it("hold what the test is about: both groups, two to four eligible arms, ties of two and three, an arm alone in the lead", () => {
		expect(rows).toHaveLength(DECISIONS);
		expect(new Set(rows.map((row) => row.group))).toEqual(
			new Set(["policy", "control"]),
		);
		expect(new Set(rows.map((row) => row.eligible.length))).toEqual(
			new Set([2, 3, 4]),
		);
		const policy = rows.filter((row) => row.group === "policy");
		const leaders = policy.map(
			(row) =>
				row.propensities.filter((p) => p === Math.max(...row.propensities))
					.length,
		);
		expect(new Set(leaders)).toEqual(new Set([1, 2, 3]));
	});

	it("log propensities that sum to 1 within 1e-12, each greater than 0, the answered arm's among them", () => {
		for (const row of rows) {
			const total = row.propensities.reduce((sum, p) => sum + p, 0);
			expect(Math.abs(total - 1)).toBeLessThanOrEqual(1e-12);
			expect(Math.min(...row.propensities)).toBeGreaterThan(0);
			const place = row.eligible.findIndex(
				(index) => experiment.arms[index]?.key === row.arm,
			);
			expect(row.propensities[place]).toBe(row.propensity);
		}
	});

	it("choose arms as often as their logged propensities say (χ², p ≥ 0.001)", () => {
		const fits = cells(rows).map(fit);
		const statistic = fits.reduce((sum, cell) => sum + cell.statistic, 0);
		const freedom = fits.reduce((sum, cell) => sum + cell.freedom, 0);
		expect(freedom).toBeGreaterThan(20);
		const p = 1 - chisquare.cdf(statistic, freedom);
		expect(p, `χ² = ${statistic}, df = ${freedom}`).toBeGreaterThanOrEqual(
			0.001,
		);
	});

	it("weigh right: the mean of 1/p is the mean number of eligible arms, within 3 standard errors", () => {
		const gaps = rows.map((row) => 1 / row.propensity - row.eligible.length);
		const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
		const variance =
			gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / (gaps.length - 1);
		expect(Math.abs(mean)).toBeLessThan(3 * Math.sqrt(variance / gaps.length));
	});
});
