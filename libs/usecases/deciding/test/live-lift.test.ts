import { describe, expect, it } from "vitest";
import { earned, withoutSignals, withSignals } from "./earned.js";
import { Moments } from "./moments.js";

/**
 * What live features are worth, and what they cost where they say nothing: the decider's own parts over a stream in memory, and listeners
 * of `Moments`, of whom the best policies are known exactly. Every decision counts with what it earns in expectation, exploration
 * included. The long form (npm run test:long) is the promise; the short one has fewer seeds, and must close the gap sooner.
 */
const long = process.env.SEGUE_LONG === "1";
const SEED = Number(process.env.SEED ?? 20_261_126);
const WORLDS = long ? 20 : 1;
const DECISIONS = long ? 50_000 : 20_000;
const PAIRS = long ? 40 : 2;

/** Of one pair, in the long form: how much its loss differs from that of the next. */
const SPREAD = 0.0125;
/** 97.5 % quantile of Student's t with 39 degrees of freedom. */
const T39 = 2.0227;

const seeds = (count: number) =>
	Array.from({ length: count }, (_, i) => SEED + i);
const sum = (values: Iterable<number>) => {
	let total = 0;
	for (const value of values) total += value;
	return total;
};
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

describe("live features", { timeout: 1_800_000 }, () => {
	it(`close seven tenths of the gap between the best policies with and without them, by ${DECISIONS} decisions, in ${WORLDS} ${long ? "worlds" : "world"} (SEED=${SEED})`, async () => {
		const last = 5_000;
		let [gap, atEnd, overAll] = [0, 0, 0];
		for (const seed of seeds(WORLDS)) {
			const moments = new Moments(seed, true);
			const best = moments.best();
			const values = await earned(moments, withSignals, DECISIONS);
			gap += best.withSignals - best.without;
			atEnd += sum(values.subarray(-last)) / last - best.without;
			overAll += sum(values) / DECISIONS - best.without;
		}
		console.info(
			`The gap is ${(gap / WORLDS).toFixed(4)} plays a decision; the last ${last} decisions close ${percent(atEnd / gap)} of it, all ${DECISIONS} from the first on ${percent(overAll / gap)}`,
		);
		expect(atEnd / gap).toBeGreaterThanOrEqual(0.7);
	});

	it(`that are noise, in six dimensions, cost at most 1.5 % of what is earned in 20,000 decisions: ${PAIRS} pairs (SEED=${SEED})`, async () => {
		const losses: number[] = [];
		for (const seed of seeds(PAIRS)) {
			const earn = async (definition: typeof withSignals) =>
				sum(await earned(new Moments(seed, false), definition, 20_000));
			const without = await earn(withoutSignals);
			losses.push(1 - (await earn(withSignals)) / without);
		}
		const mean = sum(losses) / PAIRS;
		const spread = Math.sqrt(
			sum(losses.map((loss) => (loss - mean) ** 2)) / (PAIRS - 1),
		);
		const error = T39 * (spread / Math.sqrt(PAIRS));
		console.info(
			`They cost ${percent(mean)}, at most ${percent(mean + error)} (95 %); pairs differ by ${percent(spread)}`,
		);
		if (long) expect(mean + error).toBeLessThanOrEqual(0.015);
		// Two pairs have no limit of their own; they are given what chance does to two.
		else
			expect(mean).toBeLessThanOrEqual(
				0.015 + (T39 * SPREAD) / Math.sqrt(PAIRS),
			);
	});
});
