import { describe, expect, test } from "vitest";
import {
	benjaminiHochberg,
	bonferroni,
	holm,
	probabilityBest,
	type SampleMean,
	sampleMean,
	sampleRatioChiSquare,
	sampleRatioEvidence,
	sampleRatioP,
} from "#core/statistics";
import { expectAllClose, expectClose, expectP } from "./close.js";
import { readJson } from "./read-golden.js";

interface Oracle {
	readonly chi_square: readonly {
		readonly name: string;
		readonly counts: readonly number[];
		readonly weights: readonly number[];
		readonly chi2: number;
		readonly df: number;
		readonly p_value: number;
	}[];
	readonly multiple_testing: readonly {
		readonly p_values: readonly number[];
		readonly benjamini_hochberg: readonly number[];
		readonly holm: readonly number[];
		readonly bonferroni: readonly number[];
	}[];
	readonly best_arm: readonly {
		readonly name: string;
		readonly stats: readonly {
			readonly n: number;
			readonly sum: number;
			readonly sum_squares: number;
		}[];
		readonly posterior_mean: readonly number[];
		readonly posterior_variance: readonly number[];
		readonly probability_best: readonly number[];
	}[];
	readonly sequential: readonly {
		readonly name: string;
		readonly arms_in_order: readonly number[];
		readonly planned_shares: readonly number[];
		readonly alpha0: number;
		readonly at: readonly number[];
		readonly log_bayes_factor: readonly number[];
		readonly p_value: readonly number[];
		readonly first_alarm_at_alpha_0_01: number | null;
	}[];
}

const oracle = readJson<Oracle>("srm-and-multiarm.json.gz");

describe.each(oracle.sequential)(
	"the split of “$name”, unit by unit",
	(series) => {
		test("has the evidence, the running p-value and the first alarm of the oracle", () => {
			const { planned_shares: planned, alpha0 } = series;
			const counts = planned.map(() => 0);
			let p = 1;
			let alarm: number | null = null;
			series.arms_in_order.forEach((arm, index) => {
				counts[arm] = (counts[arm] as number) + 1;
				p = sampleRatioP(p, counts, planned, alpha0);
				if (p < 0.01) alarm ??= index + 1;
				const look = series.at.indexOf(index + 1);
				if (look < 0) return;
				expectClose(
					sampleRatioEvidence(counts, planned, alpha0),
					series.log_bayes_factor[look] as number,
					`log Bayes factor at ${index + 1}`,
				);
				expectP(p, series.p_value[look] as number, `p at ${index + 1}`);
			});
			expect(alarm).toBe(series.first_alarm_at_alpha_0_01);
		});
	},
);

test.each(oracle.chi_square)("χ² of the split “$name”", (golden) => {
	const fit = sampleRatioChiSquare(golden.counts, golden.weights);
	expectClose(fit?.statistic, golden.chi2, "χ²");
	expect(fit?.dof).toBe(golden.df);
	expectP(fit?.pValue, golden.p_value, "p");
});

test.each(oracle.multiple_testing)("corrections of $p_values", (golden) => {
	const p = golden.p_values;
	expectAllClose(
		benjaminiHochberg(p),
		golden.benjamini_hochberg,
		"Benjamini–Hochberg",
	);
	expectAllClose(holm(p), golden.holm, "Holm");
	expectAllClose(bonferroni(p), golden.bonferroni, "Bonferroni");
});

test.each(oracle.best_arm)(
	"the chance of each of $name to be best",
	(golden) => {
		const arms = golden.stats.map(
			({ n, sum, sum_squares }) =>
				sampleMean(n, sum, sum_squares) as SampleMean,
		);
		expectAllClose(
			arms.map(({ mean }) => mean),
			golden.posterior_mean,
			"mean",
		);
		expectAllClose(
			arms.map(({ variance }) => variance),
			golden.posterior_variance,
			"variance",
		);
		expectAllClose(probabilityBest(arms), golden.probability_best, "chance");
	},
);
