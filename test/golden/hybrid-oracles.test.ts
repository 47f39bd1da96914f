import { describe, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import { unpack } from "#core/linalg";
import {
	type ArmModel,
	addObservation,
	distribution,
	emptySums,
	factorise,
	hybridModels,
	sharedPart,
} from "#core/policy";
import { readJson } from "./read-golden.js";

/** Li et al. 2010, Alg. 2, by the equivalent joint ridge regression over (β, θ₁ … θ_K) and by the literal algorithm. */
interface Oracle {
	readonly arms: readonly string[];
	readonly d: number;
	readonly l2_lambda: number;
	readonly arm_features: readonly (readonly number[])[];
	readonly contexts: readonly number[][];
	readonly decisions: readonly string[];
	readonly rewards: readonly number[];
	readonly A0: readonly number[][];
	readonly b0: readonly number[];
	readonly beta: readonly number[];
	readonly theta: { readonly [arm: string]: readonly number[] };
	readonly test_contexts: readonly number[][];
	readonly test: readonly {
		readonly mean: readonly number[];
		readonly width: readonly number[];
		readonly by_alpha: readonly {
			readonly alpha: number;
			readonly ucb: readonly number[];
			readonly choice: string;
		}[];
	}[];
	readonly online: {
		readonly alpha: number;
		readonly l2_lambda: number;
		readonly reward_table: readonly number[][];
		readonly steps: readonly { readonly arm: string; readonly score: number }[];
		readonly final_A0: readonly number[][];
		readonly final_b0: readonly number[];
	};
}

const TOLERANCE = 1e-8;

function expectClose(
	got: Iterable<number>,
	want: readonly number[],
	what: string,
): void {
	const values = [...got];
	expect(values.length, what).toBe(want.length);
	for (const [i, value] of values.entries())
		expect(
			Math.abs(value - (want[i] as number)),
			`${what}[${i}]: ${value} is not ${want[i]}`,
		).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(want[i] as number)));
}

const policy = (alpha: number, ridge: number): Policy => ({
	kind: "hybrid-linucb",
	alpha,
	ridge,
	explore: 0,
});

function drained<T>(steps: Generator<void, T>): T {
	let step = steps.next();
	while (!step.done) step = steps.next();
	return step.value;
}

describe.each(["a", "b"])("hybrid LinUCB on oracle %s", (name) => {
	const oracle = readJson<Oracle>(`hybrid-${name}.json.gz`);
	const { arms, d, arm_features: features, online } = oracle;
	const contexts = oracle.contexts.map((x) => Float64Array.from(x));
	const factors = (sums: readonly Float64Array[], ridge: number) =>
		sums.map((one) => factorise(one, d, ridge));

	test("derives A₀, b₀, β, mean, width, score and choice from the disjoint sums alone", () => {
		const sums = arms.map(() => emptySums(d));
		for (const [t, arm] of oracle.decisions.entries())
			addObservation(
				sums[arms.indexOf(arm)] as Float64Array,
				d,
				contexts[t] as Float64Array,
				1,
				oracle.rewards[t] as number,
			);
		const ridge = oracle.l2_lambda;
		const learned = factors(sums, ridge);
		const shared = drained(sharedPart(features, learned, d, ridge));
		const k = oracle.b0.length;
		for (const [i, row] of unpack(shared.A0, k).entries())
			expectClose(row, oracle.A0[i] as number[], `A0[${i}]`);
		expectClose(shared.b0, oracle.b0, "b0");
		expectClose(shared.beta, oracle.beta, "β");

		const models = drained(hybridModels(features, learned, d, ridge));
		for (const [a, arm] of arms.entries()) {
			const f = features[a] as readonly number[];
			// The model's θ is the arm's own and what it has of the shared part, Σ_j f_j β_j, in one.
			const own = (models[a] as ArmModel).theta.map((value, i) =>
				f.reduce(
					(left, fj, j) => left - fj * (shared.beta[j * d + i] as number),
					value,
				),
			);
			expectClose(own, oracle.theta[arm] as number[], `θ of ${arm}`);
		}
		for (const [t, want] of oracle.test.entries())
			for (const { alpha, ucb, choice } of want.by_alpha) {
				const x = Float64Array.from(oracle.test_contexts[t] as number[]);
				const scored = distribution(policy(alpha, ridge), arms, models, x, {
					tieRule: "first",
				});
				expectClose(scored.means, want.mean, `mean at ${t}`);
				expectClose(scored.widths, want.width, `width at ${t}`);
				expectClose(scored.scores, ucb, `score at ${t}, α ${alpha}`);
				expect(arms[scored.best[0] as number]).toBe(choice);
			}
	});

	test("makes the same choices when it learns from them one by one", () => {
		const ridge = online.l2_lambda;
		const sums = arms.map(() => emptySums(d));
		for (const [t, step] of online.steps.entries()) {
			const models = drained(
				hybridModels(features, factors(sums, ridge), d, ridge),
			);
			const x = contexts[t] as Float64Array;
			const scored = distribution(
				policy(online.alpha, ridge),
				arms,
				models,
				x,
				{ tieRule: "first" },
			);
			const chosen = scored.best[0] as number;
			expect(arms[chosen], `step ${t}`).toBe(step.arm);
			expectClose([scored.scores[chosen] as number], [step.score], `step ${t}`);
			const reward = (online.reward_table[t] as number[])[chosen] as number;
			addObservation(sums[chosen] as Float64Array, d, x, 1, reward);
		}
		const shared = drained(
			sharedPart(features, factors(sums, ridge), d, ridge),
		);
		for (const [i, row] of unpack(shared.A0, online.final_b0.length).entries())
			expectClose(row, online.final_A0[i] as number[], `final A0[${i}]`);
		expectClose(shared.b0, online.final_b0, "final b0");
	});
});
