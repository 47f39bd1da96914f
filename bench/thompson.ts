import { thompsonPropensities, thompsonSlices } from "#core/policy";
import { randomNumbers } from "./decide/experiment.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
} from "./support/command.js";
import { atMost, printGoals } from "./support/goals.js";
import { medianRow, type RatioRow } from "./support/ratio-row.js";
import { alternate } from "./support/rounds.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/** Exact propensities of Thompson sampling, against estimating them by draws: with 1,000 draws a p is off by up to 0.016 (one sd). */

interface Options extends BenchmarkOptions {
	readonly rounds: string;
}
interface Arms {
	readonly means: Float64Array;
	readonly sds: Float64Array;
}

const SIZES = [2, 20, 100, 1_000];
const DRAWS = 1_000;
const AGAINST = `${DRAWS} draws`;
/** Of a whole decision, by K. */
const MOST_MICROSECONDS: ReadonlyMap<number, number> = new Map([
	[20, 150],
	[1_000, 6_000],
]);
/** Different decisions a round, so that no figure rests on one lucky input. */
const DECISIONS = 32;
/** Of one side and one round, so that the clock's own grain is nothing. */
const ROUND_MS = 40;

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:thompson",
		"Microseconds for the exact propensities of K arms, and the longest slice.",
	).option("--rounds <n>", "rounds of each", "9"),
);
const random = randomNumbers(1);

/** Cold arms are all alike; others have learned more or less: σ from 1/30 of a cold arm's. */
const kinds: Record<string, (arms: number) => Arms> = {
	cold: (arms) => ({
		means: new Float64Array(arms),
		sds: new Float64Array(arms).fill(0.5),
	}),
	learned: (arms) => ({
		means: new Float64Array(arms).map(() => 0.2 * normal()),
		sds: new Float64Array(arms).map(() => 0.5 * 30 ** -random()),
	}),
};

/** Box and Muller. */
function normal(): number {
	return (
		Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
	);
}

/** The way not taken: count which arm has the highest of K sampled scores. */
function estimate({ means, sds }: Arms): Float64Array {
	const counts = new Float64Array(means.length);
	for (let i = 0; i < DRAWS; i++) {
		let best = 0;
		let top = Number.NEGATIVE_INFINITY;
		for (let a = 0; a < means.length; a++) {
			const score = (means[a] as number) + (sds[a] as number) * normal();
			if (score <= top) continue;
			top = score;
			best = a;
		}
		counts[best] = (counts[best] as number) + 1 / DRAWS;
	}
	return counts;
}

/** Microseconds of one decision, over as many as fill a round. */
function microseconds(
	decisions: readonly Arms[],
	work: (arms: Arms) => Float64Array,
): number {
	const start = performance.now();
	let done = 0;
	while (performance.now() - start < ROUND_MS) {
		work(decisions[done % decisions.length] as Arms);
		done++;
	}
	return ((performance.now() - start) / done) * 1_000;
}

/** Microseconds of the longest slice, the median over decisions: the longest of all says only when something else ran. */
function longestSlice(decisions: readonly Arms[]): number {
	const longest = decisions.map(({ means, sds }) => {
		const slices = thompsonSlices(means, sds);
		let worst = 0;
		for (let done: boolean | undefined = false; !done; ) {
			const start = performance.now();
			done = slices.next().done;
			worst = Math.max(worst, performance.now() - start);
		}
		return worst * 1_000;
	});
	longest.sort((a, b) => a - b);
	return longest[longest.length >> 1] as number;
}

async function measure(kind: string, arms: number): Promise<RatioRow[]> {
	const make = kinds[kind] as (arms: number) => Arms;
	const decisions = Array.from({ length: DECISIONS }, () => make(arms));
	const measured = await alternate(
		[
			{
				name: "exact",
				round: () =>
					microseconds(decisions, ({ means, sds }) =>
						thompsonPropensities(means, sds),
					),
			},
			{ name: "draws", round: () => microseconds(decisions, estimate) },
			{ name: "slice", round: () => longestSlice(decisions) },
		],
		Number(options.rounds),
	);
	const of = (name: string) => measured.get(name) ?? [];
	const label = { unit: "µs", K: arms };
	return [
		medianRow(
			{ ...label, name: `thompson-${kind}`, against: AGAINST },
			of("exact"),
			of("draws"),
		),
		medianRow(
			{ ...label, name: `thompson-${kind}-longest-slice`, against: "whole" },
			of("slice"),
			of("exact"),
		),
	];
}

const rows: RatioRow[] = [];
for (const kind of Object.keys(kinds))
	for (const arms of SIZES) rows.push(...(await measure(kind, arms)));

const goals = rows.flatMap(({ name, K = 0, ours, unit, against }) => {
	const bound = against === AGAINST ? MOST_MICROSECONDS.get(K) : undefined;
	return bound === undefined
		? []
		: [atMost(`${name}, K = ${K}`, ours, bound, unit)];
});
if (options.json) printJson(rows, goals);
else {
	printTable(
		["", "K", "µs", "against", "µs", "ratio"],
		rows.map(({ name, K, ours, against, baseline, ratio }) => [
			name,
			String(K),
			threeDigits(ours),
			against,
			threeDigits(baseline),
			threeDigits(ratio),
		]),
	);
	printGoals(goals);
	printMachine();
}
