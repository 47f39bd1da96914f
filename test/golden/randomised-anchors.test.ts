import { describe, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import {
	type ArmModel,
	addObservation,
	distribution,
	draw,
	emptySums,
	prepareArm,
} from "#core/policy";
import { seededRandom } from "../support/random.js";
import { type LabelledRow, readJson, readPass } from "./read-golden.js";

interface Anchor {
	readonly mean: number;
	/** Of the mean, over the seeds of the reference. */
	readonly sd_of_mean_over_seeds: number;
}
type Anchors = { readonly [learner: string]: Anchor } & {
	readonly arms: number;
};

const seed = Number(process.env.SEED ?? 20261124);
const base = { ridge: 1, explore: 0 } as const;
const learners: readonly (readonly [name: string, policy: Policy])[] = [
	// Greedy with probability 1 − ε is LinUCB without a bonus.
	...[0.02, 0.05, 0.1].map(
		(eps) =>
			[
				`epsilon-greedy eps=${eps}`,
				{ ...base, kind: "linucb", alpha: 0, explore: eps },
			] as const,
	),
	[
		"linucb alpha=0.5 floor eps=0.05",
		{ ...base, kind: "linucb", alpha: 0.5, explore: 0.05 },
	],
	["uniform", { ...base, kind: "uniform" }],
	// The reference has no floor; the core allows what the schema does not.
	...[0.1, 0.25, 0.5].map(
		(v) => [`lints v=${v}`, { ...base, kind: "thompson", alpha: v }] as const,
	),
];
/** What Segue has no policy for. */
const others = ["squarecb gamma=10*sqrt(t)"];
/** The others take 20 seconds: npm run test:long. */
const sets =
	process.env.SEGUE_LONG === "1"
		? ["fma-genre", "pendigits", "satimage", "mushroom", "dna", "adult"]
		: ["fma-genre"];

/** Progressive mean reward of a learner that draws from its exact propensities and learns from each row before the next. */
function meanReward(
	rows: readonly LabelledRow[],
	arms: number,
	policy: Policy,
) {
	const random = seededRandom(seed);
	const d = (rows[0] as LabelledRow).x.length;
	const keys = Array.from({ length: arms }, (_, a) => `arm-${a}`);
	const sums = keys.map(() => emptySums(d));
	const models: ArmModel[] = sums.map((one) => prepareArm(one, d, 1));
	let total = 0;
	for (const { x, label } of rows) {
		const { propensities } = distribution(policy, keys, models, x, {
			tieRule: "first",
		});
		const chosen = draw(propensities, random());
		const reward = chosen === label ? 1 : 0;
		total += reward;
		addObservation(sums[chosen] as Float64Array, d, x, 1, reward);
		models[chosen] = prepareArm(sums[chosen] as Float64Array, d, 1);
	}
	return total / rows.length;
}

describe.each(sets)(
	`randomised learners over one pass of %s (SEED=${seed})`,
	(name) => {
		const rows = readPass(name);
		const anchors = readJson<Anchors>(`${name}.anchors.json`);

		test("are all that the anchors were drawn for", () => {
			const randomised = Object.entries(anchors).filter(([, anchor]) =>
				Object.hasOwn(Object(anchor), "sd_of_mean_over_seeds"),
			);
			expect(randomised.map(([learner]) => learner).toSorted()).toEqual(
				[...learners.map(([learner]) => learner), ...others].toSorted(),
			);
		});

		test.each(learners)(
			"%s is within 4 standard deviations of its anchor",
			{ timeout: 1_200_000 },
			(learner, policy) => {
				const { mean, sd_of_mean_over_seeds: sd } = anchors[learner] as Anchor;
				const got = meanReward(rows, anchors.arms, policy);
				expect(
					Math.abs(got - mean) / sd,
					`${got} where the anchor is ${mean} ± ${sd}`,
				).toBeLessThanOrEqual(4);
			},
		);
	},
);
