import { describe, expect, it } from "vitest";
import type { Policy } from "#core/experiment";
import { MINUTE } from "./definitions.js";
import { gains } from "./drifting-world.js";

/**
 * One decision a simulated minute; at the flip another arm is the best one everywhere. Gain: expected reward above a uniform choice.
 * The long form (npm run test:long) is the promise; the short one would show that forgetting does nothing, or forgets the wrong way.
 */
const long = process.env.SEGUE_LONG === "1";
const seed = Number(process.env.SEED ?? 20261124);
const world = long
	? {
			runs: 60,
			flipAt: 20_000,
			after: 20_000,
			halfLives: [1_000, 2_000, 4_000],
		}
	: { runs: 10, flipAt: 8_000, after: 3_500, halfLives: [1_000] };
/** Where the promise is about the mean of 60 runs, 10 shorter ones are given room. */
const room = long ? 0 : 0.04;

const plain: Policy = { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.05 };

/** Mean gain per decision over the runs. */
function meanGains(policy: Policy): Float64Array {
	const mean = new Float64Array(world.flipAt + world.after);
	for (let run = 0; run < world.runs; run++)
		for (const [t, gain] of gains(
			policy,
			seed + run,
			world.flipAt,
			mean.length,
		).entries())
			mean[t]! += gain / world.runs;
	return mean;
}

function over(gain: Float64Array, from: number, to: number): number {
	return (
		gain.subarray(from, to).reduce((sum, one) => sum + one, 0) / (to - from)
	);
}

describe(`gain before and after the best arm flips, ${world.runs} runs (SEED=${seed})`, {
	timeout: 1_800_000,
}, () => {
	const { flipAt } = world;
	const plainGains = meanGains(plain);
	const before = over(plainGains, 0, flipAt);

	it.each(world.halfLives)(
		"with a half-life of %i decisions is back to nine tenths of its own within three half-lives, and costs at most 4 percent before",
		(h) => {
			const forgetting = meanGains({ ...plain, halfLifeMs: h * MINUTE });
			const own = over(forgetting, flipAt / 2, flipAt);
			// The quarter of a half-life that ends 3h after the flip.
			const recovered =
				over(forgetting, flipAt + 2.75 * h, flipAt + 3 * h) / own;
			const cost = 1 - over(forgetting, 0, flipAt) / before;
			console.info(
				`h = ${h}: ${(100 * recovered).toFixed(1)} % of its gain is back after 3h; it costs ${(100 * cost).toFixed(2)} % before`,
			);
			expect(recovered).toBeGreaterThanOrEqual(0.9 - room);
			expect(cost).toBeLessThanOrEqual(0.04 + room);
		},
	);

	it("without forgetting is below 60 % at the end", () => {
		const end = plainGains.length;
		const left =
			over(plainGains, end - world.after / 10, end) /
			over(plainGains, flipAt / 2, flipAt);
		console.info(`plain: ${(100 * left).toFixed(1)} % at the end`);
		expect(left).toBeLessThan(0.6);
	});
});
