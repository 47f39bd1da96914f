import { describe, test } from "vitest";
import {
	asymptoticP,
	asymptoticSequence,
	mixtureBoundary,
	mixtureRho,
	oneSidedMixtureBoundary,
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
