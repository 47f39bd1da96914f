import { expect, it } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { sampleRatioP } from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const RUNS = process.env.SEGUE_LONG ? 4_000 : 200;
const UNITS = 5_000_000;
/** Units from one look to the next. */
const LOOK = 1_000;
const ALPHA_0 = 1e5;
const ALARM = 0.001;
const [CONTROL, TREATMENT] = [0.1, 0.9];

/** Draws of Binomial(n, p) by inversion. */
function binomial(n: number, p: number, random: () => number): () => number {
	const cdf = new Float64Array(n + 1);
	let log = n * Math.log1p(-p);
	let sum = 0;
	for (let k = 0; k <= n; k++) {
		sum += Math.exp(log);
		cdf[k] = sum;
		log += Math.log(((n - k) * p) / ((k + 1) * (1 - p)));
	}
	return () => {
		const u = random() * sum;
		let [low, high] = [0, n];
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((cdf[middle] as number) > u) high = middle;
			else low = middle + 1;
		}
		return low;
	};
}

/** For each run how many units were counted when the alarm was given, null where it never was; of treatment's units `lost` never are. */
function alarms(lost: number): (number | null)[] {
	const random = seededRandom(seed);
	const counted = 1 - TREATMENT * lost;
	const draw = binomial(LOOK, CONTROL / counted, random);
	return Array.from({ length: RUNS }, () => {
		let p = 1;
		let control = 0;
		for (let n = LOOK; n <= UNITS * counted; n += LOOK) {
			control += draw();
			p = sampleRatioP(
				p,
				[control, n - control],
				[CONTROL, TREATMENT],
				ALPHA_0,
			);
			if (p < ALARM) return n;
		}
		return null;
	});
}

it(`of five million units, 90 to 10, a loss of 1 % of treatment is found in 95 % of ${RUNS} runs, and none where there is none (SEED=${seed})`, {
	timeout: 300_000,
}, () => {
	const found = alarms(0.01)
		.filter((at) => at !== null)
		.sort((a, b) => a - b);
	const falsely = alarms(0).filter((at) => at !== null).length;
	console.log(
		`1 % lost: found in ${found.length} of ${RUNS} runs, in half of them by ${found[RUNS / 2]} units; nothing lost: alarms in ${falsely} (looks every ${LOOK} units, SEED=${seed})`,
	);
	expect(found.length).toBeGreaterThanOrEqual(0.95 * RUNS);
	const expected = ALARM * RUNS;
	expect(falsely).toBeLessThanOrEqual(expected + 2 * Math.sqrt(expected));
});
