import { describe, expect, test } from "vitest";
import {
	asymptoticP,
	asymptoticSequence,
	empiricalBernsteinMixture,
	gammaExponentialBoundary,
	hedgedBetting,
	hoeffdingMixture,
	type Interval,
	mixtureBoundary,
	mixtureRho,
	oneSidedMixtureBoundary,
	predictableEmpiricalBernstein,
	predictableHoeffding,
	rateSequence,
	stitchedBoundary,
} from "#core/statistics";
import { expectAllClose, expectClose, expectP } from "./close.js";
import { readJson } from "./read-golden.js";

interface Ends {
	readonly lower: readonly number[];
	readonly upper: readonly number[];
}
interface Series {
	readonly name: string;
	readonly x: readonly number[];
	readonly at: readonly number[];
	readonly mean: readonly number[];
	readonly sd: readonly number[];
	readonly by_alpha: readonly ({ readonly alpha: number } & {
		readonly [construction: string]: Ends & readonly number[];
	})[];
}
interface Oracle {
	readonly boundaries: readonly {
		readonly alpha: number;
		readonly v_opt: number;
		readonly alpha_opt: number;
		readonly v: readonly number[];
		readonly rho: number;
		readonly normal_mixture_two_sided: readonly number[];
		readonly normal_mixture_one_sided: readonly number[];
		readonly gamma_exponential_c1: readonly number[];
		readonly poly_stitching_s1_4_eta2: readonly number[];
	}[];
	readonly series: readonly Series[];
}

const oracle = readJson<Oracle>("confidence-sequences.json.gz");

describe.each(oracle.boundaries)(
	"boundaries at α = $alpha, narrowest near v = $v_opt",
	(table) => {
		const { alpha, v_opt: vOpt, alpha_opt: alphaOpt, v } = table;

		test("the normal mixture, two-sided", () => {
			const rho = mixtureRho(vOpt, alphaOpt);
			expectClose(rho, table.rho, "ρ");
			expectAllClose(
				v.map((at) => mixtureBoundary(at, rho, alpha)),
				table.normal_mixture_two_sided,
				"u",
			);
		});

		test("the normal mixture, one-sided", () => {
			const rho = mixtureRho(vOpt, 2 * alphaOpt);
			expectAllClose(
				v.map((at) => oneSidedMixtureBoundary(at, rho, alpha)),
				table.normal_mixture_one_sided,
				"u",
			);
		});

		test("the gamma-exponential mixture, scale 1", () => {
			const rho = mixtureRho(vOpt, 2 * alphaOpt);
			expectAllClose(
				v.map((at) => gammaExponentialBoundary(at, rho, alpha)),
				table.gamma_exponential_c1,
				"u",
			);
		});

		test("polynomial stitching from v_opt on", () => {
			expectAllClose(
				v.map((at) => stitchedBoundary(at, vOpt, alpha)),
				table.poly_stitching_s1_4_eta2,
				"u",
			);
		});
	},
);

describe.each(oracle.series)("along the series $name", (series) => {
	const runs = series.at.map((t, i) => ({
		t,
		mean: series.mean[i] as number,
		sd: series.sd[i] as number,
	}));

	test.each([100, 500])(
		"the asymptotic sequence narrowest near %i and its always-valid p",
		(tStar) => {
			for (const golden of series.by_alpha) {
				const { alpha } = golden;
				const rho = mixtureRho(tStar, alpha);
				const ends = runs.map((run) => asymptoticSequence(run, rho, alpha));
				const { lower, upper } = golden[
					`asymptotic_cs_t_star=${tStar}`
				] as Ends;
				expectAllClose(
					ends.map((end) => end?.low ?? null),
					lower,
					`lower, α ${alpha}`,
				);
				expectAllClose(
					ends.map((end) => end?.high ?? null),
					upper,
					`upper, α ${alpha}`,
				);
				for (const hypothesis of ["0.5", "0.0"])
					golden[`always_valid_p_mean=${hypothesis}_t_star=${tStar}`]?.forEach(
						(p, i) => {
							const run = runs[i] as (typeof runs)[number];
							expectP(
								asymptoticP(run, rho, Number(hypothesis)),
								p,
								`p at ${run.t}`,
							);
						},
					);
			}
		},
	);
});

type Construction = (x: readonly number[], alpha: number) => Interval | null;

/** Names of the oracle; its empirical Bernstein mixture spends α/4 on each side, half of what it may. */
const bounded: readonly [string, Construction, number?][] = [
	[
		"hoeffding_normal_mixture_t_opt=200",
		(x, alpha) => hoeffdingMixture(x, 200, alpha),
	],
	[
		"empirical_bernstein_mixture_v_opt=50",
		(x, alpha) => empiricalBernsteinMixture(x, 50, alpha / 2),
	],
	["predictable_mixture_empirical_bernstein", predictableEmpiricalBernstein],
	["predictable_mixture_hoeffding", predictableHoeffding],
	[
		"bernoulli_beta_binomial_t_opt=200",
		(x, alpha) =>
			rateSequence(
				x.filter((value) => value === 1).length,
				x.length,
				mixtureRho(200, 0.05) - 1,
				alpha,
			),
	],
	["hedged_betting_grid=1000 (grid resolution 1e-3)", hedgedBetting, 1e-3],
];

describe.each(bounded)(
	"the exact sequence %s",
	(name, construction, tolerance) => {
		const along = oracle.series.filter(
			({ by_alpha }) => by_alpha[0]?.[name] !== undefined,
		);

		test("is recorded", () => {
			expect(along.length).toBeGreaterThan(0);
		});

		test.each(along)(
			"is that of the oracle along the series $name",
			(series) => {
				for (const golden of series.by_alpha) {
					const { lower, upper } = golden[name] as Ends;
					const ends = series.at.map((t) =>
						construction(series.x.slice(0, t), golden.alpha),
					);
					expectAllClose(
						ends.map((end) => end?.low ?? null),
						lower,
						`lower, α ${golden.alpha}`,
						tolerance,
					);
					expectAllClose(
						ends.map((end) => end?.high ?? null),
						upper,
						`upper, α ${golden.alpha}`,
						tolerance,
					);
				}
			},
		);
	},
);

test("every construction of the oracle is looked at", () => {
	const known = [...bounded.map(([name]) => name), "alpha"];
	const recorded = oracle.series.flatMap(({ by_alpha }) =>
		by_alpha.flatMap(Object.keys),
	);
	const others = recorded.filter(
		(name) =>
			!known.includes(name) && !/^(asymptotic_cs|always_valid_p)_/.test(name),
	);
	expect(others).toEqual([]);
});
