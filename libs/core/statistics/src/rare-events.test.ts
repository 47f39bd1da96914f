import { describe, expect, it } from "vitest";
import { addScore, armValue, emptyScores } from "./arm-value.js";
import {
	DEFAULT_FIRST_LOOK,
	type GuardrailRule,
	lookAtGuardrail,
} from "./guardrail.js";
import { lift, type Range } from "./lift.js";
import { mixtureScale, plannedStandardError, rateSpread } from "./lift-plan.js";
import { ratioOfSums, type UnitRatio } from "./unit-moments.js";

const SEED = 20261126;
const RATE = 0.02;
const CONTROL = 0.1;
const ALPHA = 0.05;
const RUNS = 150;
const DECISIONS = 10_000;
const EVERY = 20;
/** α and twice the standard error of a share of RUNS. */
const MOST = ALPHA + 2 * Math.sqrt((ALPHA * (1 - ALPHA)) / RUNS);
const RANGE: Range = [0, 1];

/** mulberry32. */
function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

interface Sums {
	n: number;
	c: number;
}

/** Of listeners who come once each. */
const ratioOf = ({ n, c }: Sums): UnitRatio =>
	ratioOfSums({ units: n, n, c, nn: n, nc: c, cc: c });

const planned = (units: number) =>
	mixtureScale(
		plannedStandardError({
			spread: rateSpread(RATE),
			units,
			control: CONTROL,
		}),
	);

/** Share of runs, with the same rate in both groups, in which `isWrong` ever is. */
function everWrong(
	isWrong: (policy: UnitRatio, control: UnitRatio) => boolean,
): number {
	const random = randomNumbers(SEED);
	let wrong = 0;
	for (let run = 0; run < RUNS; run++) {
		const [policy, control] = [0, 0].map(() => ({ n: 0, c: 0 })) as [
			Sums,
			Sums,
		];
		let isOff = false;
		for (let t = 1; t <= DECISIONS; t++) {
			const group = random() < CONTROL ? control : policy;
			group.n++;
			group.c += random() < RATE ? 1 : 0;
			if (t % EVERY === 0 && !isOff)
				isOff = isWrong(ratioOf(policy), ratioOf(control));
		}
		wrong += isOff ? 1 : 0;
	}
	return wrong / RUNS;
}

describe(`where events are rare (2 %, a tenth control, SEED=${SEED})`, () => {
	it("the lift's false alarms stay within α once it waits for enough events, which a hundred listeners alone do not bring", () => {
		const alarms =
			(range?: Range) => (policy: UnitRatio, control: UnitRatio) => {
				const level = { alpha: ALPHA, tau: planned(DECISIONS), range };
				const shown = lift([{ policy, control }], level);
				return shown.kind === "shown" && (shown.low > 0 || shown.high < 0);
			};
		expect(everWrong(alarms(RANGE))).toBeLessThanOrEqual(MOST);
		expect(everWrong(alarms())).toBeGreaterThan(MOST);
	});

	const guardrails: [string, GuardrailRule][] = [
		["against control", { kind: "versusControl", margin: 0, worse: "higher" }],
		["against control", { kind: "versusControl", margin: 0, worse: "lower" }],
		["at most its rate", { kind: "max", limit: RATE }],
		["at least its rate", { kind: "min", limit: RATE }],
	];
	/** What a reward can be that a single outcome earns, or several; what is counted. */
	const kinds: [string, boolean, Range][] = [
		["a rate", true, [0, 1]],
		["a reward of one outcome", false, [0, 1]],
		["a reward of several", false, [0, 8]],
		["a reward of both signs", false, [-8, 8]],
		["a count", false, [0, Number.POSITIVE_INFINITY]],
	];
	for (const [name, rule] of guardrails)
		for (const [kind, isRate, range] of kinds)
			it(`a guardrail of ${kind}, ${name} (${"worse" in rule ? rule.worse : rule.kind}), pauses falsely no more often than it may`, () => {
				const paused = (policy: UnitRatio, control: UnitRatio) =>
					lookAtGuardrail(rule, policy, control, {
						alpha: ALPHA,
						tau: planned(1_000),
						range,
						rest: 0,
						isRate,
						firstLook: DEFAULT_FIRST_LOOK,
					}).kind === "breached";
				expect(everWrong(paused)).toBeLessThanOrEqual(MOST);
			});

	it("arm values miss no more often than they may once they wait for enough rewards", () => {
		const K = 4;
		const misses = (range?: Range): number => {
			const random = randomNumbers(SEED);
			let missed = 0;
			for (let run = 0; run < RUNS; run++) {
				const sums = Array.from({ length: K }, emptyScores);
				let isOff = false;
				for (let t = 1; t <= DECISIONS; t++) {
					const arm = Math.floor(K * random());
					const reward = random() < RATE ? 1 : 0;
					sums.forEach((own, a) => {
						const drawn = a === arm ? reward : null;
						addScore(own, { h: 1 / K, p: 1 / K, model: RATE, reward: drawn });
						if (t % EVERY > 0 || isOff) return;
						const value = armValue(own, ALPHA / K, range);
						isOff =
							value.kind === "shown" && (value.low > RATE || value.high < RATE);
					});
				}
				missed += isOff ? 1 : 0;
			}
			return missed / RUNS;
		};
		expect(misses(RANGE)).toBeLessThanOrEqual(MOST);
		expect(misses()).toBeGreaterThan(MOST);
	});
});
