import { describe, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import { packedIndex } from "#core/linalg";
import {
	addObservation,
	distribution,
	emptySums,
	prepareArm,
	scoreArm,
	viewSums,
} from "#core/policy";
import { readJson } from "./read-golden.js";

/** Expected numbers come from reference implementations, each checked against an independent computation. */
interface Oracle {
	readonly arms: readonly string[];
	readonly d: number;
	readonly contexts: readonly number[][];
	readonly decisions: readonly string[];
	readonly rewards: readonly number[];
	readonly test_contexts: readonly number[][];
	readonly cases: readonly {
		readonly l2_lambda: number;
		readonly n: readonly number[];
		readonly theta: { readonly [arm: string]: readonly number[] };
		readonly b: { readonly [arm: string]: readonly number[] };
		/** With the ridge; null where it would be too large to print. */
		readonly A: { readonly [arm: string]: readonly number[][] } | null;
		readonly mean: readonly number[][];
		readonly width: readonly number[][];
		readonly by_alpha: readonly {
			readonly alpha: number;
			readonly ucb: readonly number[][];
			readonly choice: readonly string[];
		}[];
		/** Sampled scores are normal, with v = 0.5. */
		readonly "lints_v=0.5": {
			readonly mean: readonly number[][];
			readonly sd: readonly number[][];
		};
	}[];
	readonly online: {
		readonly alpha: number;
		readonly l2_lambda: number;
		readonly reward_table: readonly number[][];
		readonly steps: readonly {
			readonly arm: string;
			readonly score: number;
			readonly reward: number;
		}[];
		readonly total_reward: number;
		readonly final_theta: readonly number[][];
		readonly final_n: readonly number[];
	};
}

const close = (got: number, want: number) =>
	Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want));
function expectClose(
	got: ArrayLike<number>,
	want: ArrayLike<number>,
	what: string,
): void {
	expect(got.length, what).toBe(want.length);
	for (let i = 0; i < want.length; i++)
		expect(
			close(got[i] as number, want[i] as number),
			`${what}[${i}]: ${got[i]} is not ${want[i]}`,
		).toBe(true);
}

const linucb = (alpha: number, ridge: number): Policy => ({
	kind: "linucb",
	alpha,
	ridge,
	explore: 0,
});

describe.each(["a", "b", "c"])("disjoint LinUCB on oracle %s", (name) => {
	const oracle = readJson<Oracle>(`disjoint-${name}.json.gz`);
	const { d, arms } = oracle;
	const contexts = oracle.contexts.map((x) => Float64Array.from(x));

	test("fits A, θ and b, and gives mean, width, score and choice, for every ridge and α", () => {
		const sums = arms.map(() => emptySums(d));
		oracle.decisions.forEach((arm, t) => {
			addObservation(
				sums[arms.indexOf(arm)] as Float64Array,
				d,
				contexts[t] as Float64Array,
				1,
				oracle.rewards[t] as number,
			);
		});
		for (const fit of oracle.cases) {
			const models = sums.map((armSums) =>
				prepareArm(armSums, d, fit.l2_lambda),
			);
			arms.forEach((arm, a) => {
				expect(models[a]?.n).toBe(fit.n[a]);
				expectClose(
					models[a]?.theta as Float64Array,
					fit.theta[arm] as number[],
					`θ of ${arm}`,
				);
				const { A, b } = viewSums(sums[a] as Float64Array, d);
				expectClose(b, fit.b[arm] as number[], `b of ${arm}`);
				fit.A?.[arm]?.forEach((row, i) => {
					const ours = row.map(
						(_, j) =>
							(A[packedIndex(Math.max(i, j), Math.min(i, j))] as number) +
							(i === j ? fit.l2_lambda : 0),
					);
					expectClose(ours, row, `A of ${arm}, row ${i}`);
				});
			});
			oracle.test_contexts.forEach((values, t) => {
				const x = Float64Array.from(values);
				const scores = models.map((model) => scoreArm(model, x, 1));
				expectClose(
					scores.map((s) => s.mean),
					fit.mean[t] as number[],
					`mean at ${t}`,
				);
				expectClose(
					scores.map((s) => s.width),
					fit.width[t] as number[],
					`width at ${t}`,
				);
				const { mean, sd } = fit["lints_v=0.5"];
				expectClose(
					scores.flatMap((s) => [s.mean, 0.5 * s.width]),
					scores.flatMap((_, a) => [
						mean[t]?.[a] as number,
						sd[t]?.[a] as number,
					]),
					`sampled scores at ${t}`,
				);
				for (const { alpha, ucb, choice } of fit.by_alpha) {
					const scored = distribution(
						linucb(alpha, fit.l2_lambda),
						arms,
						models,
						x,
						{ tieRule: "first" },
					);
					expectClose(
						scored.scores,
						ucb[t] as number[],
						`score at ${t}, α ${alpha}`,
					);
					expect(
						arms[scored.best[0] as number],
						`choice at ${t}, α ${alpha}`,
					).toBe(choice[t]);
				}
			});
		}
	});

	test("makes the same choices when it learns from them one by one", () => {
		const { online } = oracle;
		const sums = arms.map(() => emptySums(d));
		const models = sums.map((armSums) =>
			prepareArm(armSums, d, online.l2_lambda),
		);
		let total = 0;
		online.steps.forEach((step, t) => {
			const x = contexts[t] as Float64Array;
			const scored = distribution(
				linucb(online.alpha, online.l2_lambda),
				arms,
				models,
				x,
				{ tieRule: "first" },
			);
			const chosen = scored.best[0] as number;
			expect(arms[chosen], `step ${t}`).toBe(step.arm);
			expectClose(
				[scored.scores[chosen] as number],
				[step.score],
				`score at step ${t}`,
			);
			const reward = (online.reward_table[t] as number[])[chosen] as number;
			total += reward;
			addObservation(sums[chosen] as Float64Array, d, x, 1, reward);
			models[chosen] = prepareArm(
				sums[chosen] as Float64Array,
				d,
				online.l2_lambda,
			);
		});
		expectClose([total], [online.total_reward], "total reward");
		arms.forEach((arm, a) => {
			expectClose(
				models[a]?.theta as Float64Array,
				online.final_theta[a] as number[],
				`final θ of ${arm}`,
			);
			expect(models[a]?.n).toBe(online.final_n[a]);
		});
	});
});
