import { describe, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import {
	type ArmModel,
	addObservation,
	distribution,
	emptySums,
	prepareArm,
} from "#core/policy";
import { readCsv, readJson, readPass } from "./read-golden.js";

interface Anchors {
	readonly arms: number;
	readonly "linucb alpha=0.5": {
		readonly mean: number;
		readonly first10pct: number;
		readonly last20pct: number;
	};
}

const policy: Policy = { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0 };
const mean = (values: readonly number[]) =>
	values.reduce((sum, value) => sum + value, 0) / values.length;

/** Progressive reward of LinUCB that learns from each row before the next, against a reference implementation on real data. */
describe.each([
	"fma-genre",
	"pendigits",
	"satimage",
	"mushroom",
	"dna",
	"adult",
])("LinUCB over one pass of %s", (name) => {
	test("meets its anchors to 1e-6, and its first 500 choices with their scores", {
		timeout: 180_000,
	}, () => {
		const rows = readPass(name);
		const anchors = readJson<Anchors>(`${name}.anchors.json`);
		const trace = readCsv(`${name}.linucb-trace.csv.gz`);
		const d = (rows[0] as { x: Float64Array }).x.length;
		const armKeys = Array.from({ length: anchors.arms }, (_, a) => `arm-${a}`);
		const sums = armKeys.map(() => emptySums(d));
		const models: ArmModel[] = sums.map((armSums) =>
			prepareArm(armSums, d, policy.ridge),
		);
		const rewards: number[] = [];
		const choices: number[] = [];
		for (const { x, label } of rows) {
			const { best, scores } = distribution(policy, armKeys, models, x, {
				tieRule: "first",
			});
			const chosen = best[0] as number;
			const [, , score, gap] = trace[choices.length] ?? [];
			if (score !== undefined && gap !== undefined) {
				const [first, second] = scores.toSorted().reverse();
				expect(
					Math.abs((scores[chosen] as number) - score),
				).toBeLessThanOrEqual(1e-6);
				expect(
					Math.abs((first as number) - (second as number) - gap),
				).toBeLessThanOrEqual(1e-6);
			}
			const reward = chosen === label ? 1 : 0;
			choices.push(chosen);
			rewards.push(reward);
			addObservation(sums[chosen] as Float64Array, d, x, 1, reward);
			models[chosen] = prepareArm(
				sums[chosen] as Float64Array,
				d,
				policy.ridge,
			);
		}
		const want = anchors["linucb alpha=0.5"];
		expect(trace).toHaveLength(500);
		expect(choices.slice(0, trace.length)).toEqual(trace.map(([, arm]) => arm));
		expect(Math.abs(mean(rewards) - want.mean)).toBeLessThanOrEqual(1e-6);
		expect(
			Math.abs(
				mean(rewards.slice(0, Math.floor(rows.length * 0.1))) - want.first10pct,
			),
		).toBeLessThanOrEqual(1e-6);
		expect(
			Math.abs(
				mean(rewards.slice(-Math.floor(rows.length * 0.2))) - want.last20pct,
			),
		).toBeLessThanOrEqual(1e-6);
	});
});
