import { describe, expect, test } from "vitest";
import {
	absoluteEffect,
	adjustByCovariate,
	type CovariateMoments,
	chanceOfHigherShare,
	type Effect,
	pooledShareTest,
	posteriorEffect,
	ratioOfSums,
	relativeEffect,
	type SampleMean,
	sampleMean,
	sampleShare,
	sequentialLowerEnd,
	sequentialTest,
	welchTest,
	wilsonInterval,
} from "#core/statistics";
import { expectClose, expectP } from "./close.js";
import { readJson } from "./read-golden.js";

type Ends = readonly [number, number];
interface Stat {
	readonly n: number;
	readonly sum: number;
	readonly sum_squares?: number;
}
interface Sequential {
	readonly ci: Ends;
	readonly p_value: number;
}
interface Posterior {
	readonly posterior_mean: number;
	readonly posterior_sd: number;
	readonly chance_b_better: number;
	readonly ci: Ends;
	readonly expected_loss_choosing_b: number;
	readonly expected_loss_choosing_a: number;
}
interface Result {
	readonly difference: "absolute" | "relative";
	readonly alpha: number;
	readonly estimate: number;
	readonly standard_error: number;
	readonly dof: number;
	readonly ci: Ends;
	readonly p_value: number;
	readonly bayes_flat: Posterior;
	readonly "bayes_normal(0,0.3^2) on the effect": Posterior;
	readonly "sequential_tuning=500": Sequential;
	readonly "sequential_tuning=5000": Sequential;
	readonly "sequential_one_sided_lower_tuning=500": number;
	readonly "sequential_one_sided_lower_tuning=5000": number;
}
interface ShortResult {
	readonly difference: "absolute" | "relative";
	readonly estimate: number;
	readonly standard_error: number;
	readonly ci_95: Ends;
	readonly p_value: number;
	readonly sequential_ci_95_tuning_5000?: Ends;
}
interface Case {
	readonly name: string;
	readonly kind: "proportion" | "mean";
	readonly a: Stat;
	readonly b: Stat;
	readonly mean_a: number;
	readonly mean_b: number;
	readonly var_a: number;
	readonly var_b: number;
	readonly results: readonly Result[];
	readonly beta_binomial_uniform_prior?: { readonly chance_b_better: number };
	readonly two_proportion_z?: { readonly z: number; readonly p_value: number };
	readonly wilson_95?: { readonly a: Ends; readonly b: Ends };
}
interface Oracle {
	readonly cases: readonly Case[];
	readonly cuped: readonly {
		readonly name: string;
		readonly a: { readonly pre: number[]; readonly post: number[] };
		readonly b: { readonly pre: number[]; readonly post: number[] };
		readonly theta: number;
		readonly results: readonly ShortResult[];
		readonly adjusted_mean_not_recentred: Ends;
		readonly adjusted_mean_recentred_on_pooled_pre_mean: Ends;
		readonly adjusted_variance: Ends;
		readonly unadjusted_variance: Ends;
	}[];
	readonly ratio: readonly {
		readonly name: string;
		readonly a: {
			readonly numerator: number[];
			readonly denominator: number[];
		};
		readonly b: {
			readonly numerator: number[];
			readonly denominator: number[];
		};
		readonly mean: Ends;
		readonly variance: Ends;
		readonly results: readonly ShortResult[];
	}[];
}

const oracle = readJson<Oracle>("ab-tests.json.gz");

function expectEnds(
	got: { readonly low: number; readonly high: number } | null,
	[low, high]: Ends,
	what: string,
): void {
	expectClose(got?.low, low, `${what}, low`);
	expectClose(got?.high, high, `${what}, high`);
}

const effect = (
	{ difference }: { readonly difference: "absolute" | "relative" },
	a: SampleMean,
	b: SampleMean,
): Effect =>
	difference === "absolute"
		? absoluteEffect(a, b)
		: (relativeEffect(a, b) as Effect);

describe.each(oracle.cases)("A/B test “$name”", (golden) => {
	const { kind, a, b } = golden;
	const summarise = ({ n, sum, sum_squares }: Stat) =>
		(kind === "proportion"
			? sampleShare(n, sum)
			: sampleMean(n, sum, sum_squares as number)) as SampleMean;
	const [meanA, meanB] = [summarise(a), summarise(b)];

	test("has the means and variances", () => {
		expectClose(meanA.mean, golden.mean_a, "mean of a");
		expectClose(meanB.mean, golden.mean_b, "mean of b");
		expectClose(meanA.variance * a.n, golden.var_a, "variance of a");
		expectClose(meanB.variance * b.n, golden.var_b, "variance of b");
	});

	test.each(golden.results)(
		"$difference at α = $alpha: Welch, sequential and Bayesian",
		(result) => {
			const { alpha } = result;
			const difference = effect(result, meanA, meanB);
			expectClose(difference.estimate, result.estimate, "estimate");
			expectClose(difference.standardError, result.standard_error, "SE");
			expectClose(difference.dof, result.dof, "degrees of freedom");
			const welch = welchTest(difference, alpha);
			expectEnds(welch, result.ci, "Welch");
			expectP(welch?.pValue, result.p_value, "Welch's p");
			for (const tuning of [500, 5000] as const) {
				const sequential = sequentialTest(difference, tuning, alpha);
				const { ci, p_value } = result[`sequential_tuning=${tuning}`];
				expectEnds(sequential, ci, `sequential, tuning ${tuning}`);
				expectP(sequential?.pValue, p_value, `sequential p, tuning ${tuning}`);
				expectClose(
					sequentialLowerEnd(difference, tuning, alpha),
					result[`sequential_one_sided_lower_tuning=${tuning}`],
					`sequential lower end, tuning ${tuning}`,
				);
			}
			for (const [prior, want] of [
				[null, result.bayes_flat],
				[{ mean: 0, sd: 0.3 }, result["bayes_normal(0,0.3^2) on the effect"]],
			] as const) {
				const posterior = posteriorEffect(difference, prior, alpha);
				expectClose(posterior?.mean, want.posterior_mean, "posterior mean");
				expectClose(posterior?.sd, want.posterior_sd, "posterior sd");
				expectClose(posterior?.chanceAbove0, want.chance_b_better, "chance");
				expectEnds(posterior, want.ci, "posterior");
				expectClose(
					posterior?.lossOfB,
					want.expected_loss_choosing_b,
					"loss of b",
				);
				expectClose(
					posterior?.lossOfA,
					want.expected_loss_choosing_a,
					"loss of a",
				);
			}
		},
	);

	if (kind === "proportion")
		test("as shares: beta-binomial, pooled z, Wilson", () => {
			const [trialsA, trialsB] = [a, b].map(({ n, sum }) => ({
				n,
				successes: sum,
			})) as [
				{ n: number; successes: number },
				{ n: number; successes: number },
			];
			expectClose(
				chanceOfHigherShare(trialsA, trialsB),
				golden.beta_binomial_uniform_prior?.chance_b_better as number,
				"chance",
			);
			const pooled = pooledShareTest(trialsA, trialsB);
			expectClose(pooled?.z, golden.two_proportion_z?.z as number, "z");
			expectP(
				pooled?.pValue,
				golden.two_proportion_z?.p_value as number,
				"p of z",
			);
			expectEnds(
				wilsonInterval(trialsA, 0.05),
				golden.wilson_95?.a as Ends,
				"Wilson of a",
			);
			expectEnds(
				wilsonInterval(trialsB, 0.05),
				golden.wilson_95?.b as Ends,
				"Wilson of b",
			);
		});
});

const dot = (x: readonly number[], y: readonly number[]) =>
	x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
const total = (x: readonly number[]) =>
	x.reduce((sum, value) => sum + value, 0);

function expectResult(got: Effect | null | undefined, want: ShortResult): void {
	expectClose(got?.estimate, want.estimate, "estimate");
	expectClose(got?.standardError, want.standard_error, "SE");
	const welch = welchTest(got as Effect, 0.05);
	expectEnds(welch, want.ci_95, "Welch");
	expectP(welch?.pValue, want.p_value, "p");
	if (want.sequential_ci_95_tuning_5000)
		expectEnds(
			sequentialTest(got as Effect, 5_000, 0.05),
			want.sequential_ci_95_tuning_5000,
			"sequential",
		);
}

test.each(oracle.cuped)("CUPED of “$name”", (golden) => {
	const moments = ({
		pre,
		post,
	}: {
		pre: number[];
		post: number[];
	}): CovariateMoments => ({
		units: post.length,
		n: post.length,
		c: total(post),
		nn: post.length,
		nc: total(post),
		cc: dot(post, post),
		x: total(pre),
		xx: dot(pre, pre),
		xn: total(pre),
		xc: dot(pre, post),
	});
	const [a, b] = [moments(golden.a), moments(golden.b)];
	const adjusted = adjustByCovariate(a, b);
	expectClose(adjusted?.theta, golden.theta, "θ");
	[a, b].forEach((group, i) => {
		const mean = adjusted?.means[i] as SampleMean;
		expectClose(
			mean.mean,
			golden.adjusted_mean_recentred_on_pooled_pre_mean[i] as number,
			"mean",
		);
		expectClose(
			mean.mean - golden.theta * ((a.x + b.x) / (a.units + b.units)),
			golden.adjusted_mean_not_recentred[i] as number,
			"mean, not recentred",
		);
		expectClose(
			mean.variance * group.units,
			golden.adjusted_variance[i] as number,
			"variance",
		);
		expectClose(
			ratioOfSums(group).variance * group.units,
			golden.unadjusted_variance[i] as number,
			"variance before",
		);
	});
	for (const want of golden.results)
		expectResult(adjusted?.[want.difference], want);
	expect(golden.results).toHaveLength(2);
});

test.each(oracle.ratio)("the ratio metric “$name”", (golden) => {
	const [a, b] = [golden.a, golden.b].map(({ numerator, denominator }, i) => {
		const { units, ratio, variance } = ratioOfSums({
			units: numerator.length,
			n: total(denominator),
			c: total(numerator),
			nn: dot(denominator, denominator),
			nc: dot(denominator, numerator),
			cc: dot(numerator, numerator),
		});
		expectClose(ratio, golden.mean[i] as number, "ratio");
		expectClose(variance * units, golden.variance[i] as number, "variance");
		return { n: units, mean: ratio, variance };
	}) as [SampleMean, SampleMean];
	for (const want of golden.results) expectResult(effect(want, a, b), want);
	expect(golden.results).toHaveLength(2);
});
