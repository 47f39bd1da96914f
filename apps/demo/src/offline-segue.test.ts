import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ContextValues, compileEncoder } from "#core/context";
import {
	assign,
	compileEligibility,
	type Experiment,
	type Group,
	liveFeatures,
	parseExperimentYaml,
	settle,
} from "#core/experiment";
import { LiveWindows } from "#core/live";
import type { Event } from "#core/log";
import {
	type ArmModel,
	addObservation,
	baselineDistribution,
	distribution,
	draw,
	emptySums,
	prepareArm,
	uniformFrom,
} from "#core/policy";
import { ROOT, readCatalogue, readGenrePass } from "./catalogue.js";
import { moodTruth } from "./full-information.js";
import { GenreTraffic } from "./genre-traffic.js";
import { makeListener } from "./listeners.js";
import { MoodTraffic, PLAYLISTS } from "./mood-traffic.js";
import type { Traffic } from "./traffic.js";

/** Decisions between an outcome and the posterior that holds it. */
const DELAY = 100;
/** Between two decisions: milliseconds of simulated time. */
const PACE = 10;
const catalogue = readCatalogue();

interface Row {
	readonly group: Group;
	readonly arm: string;
	readonly reward: number;
}

interface Learning {
	readonly arm: number;
	readonly x: Float64Array;
	readonly reward: number;
}

/** Segue without its parts: the pure core decides and learns on the demo's own traffic, DELAY decisions late. */
function replayOffline(
	experiment: Experiment,
	traffic: Traffic,
	salt: string,
	clock: { now: number },
): Row[] {
	const { arms, policy, reward } = experiment;
	const encoder = compileEncoder(experiment.context);
	const eligibility = compileEligibility(arms);
	const sums = arms.map(() => emptySums(encoder.d));
	const models: ArmModel[] = sums.map((armSums) =>
		prepareArm(armSums, encoder.d, policy.ridge),
	);
	const windows = new LiveWindows(liveFeatures(experiment.context), {
		hashKey: Int32Array.of(1, 2, 3, 4),
		mostKeys: 10_000,
	});
	const waiting: Learning[] = [];
	const rows: Row[] = [];
	for (;;) {
		const turn = traffic.next(clock.now, Number.POSITIVE_INFINITY);
		if (turn === "over") return rows;
		clock.now += PACE;
		if (turn === "nobody") continue;
		if (turn.kind === "signals") {
			for (const event of turn.events) windows.hear(event, clock.now);
			turn.sent();
			continue;
		}
		const { unit, context } = turn.request;
		const values: ContextValues = {
			...context,
			...liveValues(experiment, windows, unit, clock.now),
		};
		const { x } = encoder.encode(values);
		const { eligible } = eligibility.judge(values);
		const keys = eligible.map((arm) => arms[arm]!.key);
		const group = assign(experiment.traffic, salt, unit, "running");
		const eligibleModels = eligible.map((arm) => models[arm]!);
		const propensities =
			group === "control"
				? baselineDistribution(experiment.traffic.baseline, keys)
				: distribution(policy, keys, eligibleModels, x).propensities;
		const decisionId = `decision-${rows.length}`;
		const arm =
			eligible[draw(propensities, uniformFrom(salt, "draw", decisionId))]!;
		const { key, payload } = arms[arm]!;
		const decision = {
			decisionId,
			arm: key,
			payload,
			propensity: 1,
			group,
			degraded: [],
		};
		const outcomes: Event[] = turn.outcomes(decision, clock.now);
		for (const event of outcomes) windows.hear(event, clock.now);
		const settled = settle(reward, clock.now, outcomes);
		expect(settled.exposed).toBe(1);
		rows.push({ group, arm: key, reward: settled.reward });
		waiting.push({ arm, x, reward: settled.reward });
		if (waiting.length > DELAY) {
			const learned = waiting.shift()!;
			addObservation(
				sums[learned.arm]!,
				encoder.d,
				learned.x,
				1,
				learned.reward,
			);
			models[learned.arm] = prepareArm(
				sums[learned.arm]!,
				encoder.d,
				policy.ridge,
			);
		}
		turn.sent(rows.length - 1);
	}
}

function liveValues(
	{ key, context }: Experiment,
	windows: LiveWindows,
	unit: string,
	now: number,
): Record<string, number> {
	const values: Record<string, number> = {};
	for (const feature of context.features) {
		if (feature.kind !== "number" || feature.live === undefined) continue;
		const value = windows.read(feature.live, { unit, experiment: key }, now);
		if (typeof value === "number") values[feature.name] = value;
	}
	return values;
}

function experimentOf(key: string): Experiment {
	const parsed = parseExperimentYaml(
		readFileSync(join(ROOT, `experiments/${key}.yaml`), "utf8"),
	);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

function saltOf(run: number): string {
	return run.toString(16).padStart(64, "5a");
}

function mean(rows: readonly Row[]): number {
	return rows.reduce((sum, { reward }) => sum + reward, 0) / rows.length;
}

function of(group: Group, rows: readonly Row[]): Row[] {
	return rows.filter((row) => row.group === group);
}

describe("genre-prompt over the real tracks, learning 100 decisions late", () => {
	const experiment = experimentOf("genre-prompt");
	const pass = readGenrePass(catalogue);

	it.each([1, 2, 3])(
		"earns at least 0.70 over the pass and 0.73 over its last fifth (salt %i)",
		(run) => {
			const rows = replayOffline(
				experiment,
				new GenreTraffic(pass),
				saltOf(run),
				{ now: 1_700_000_000_000 },
			);
			const policy = of("policy", rows);
			const last = of("policy", rows.slice(-Math.floor(rows.length / 5)));
			console.info(
				`genre-prompt, salt ${run}: policy ${mean(policy).toFixed(4)}, last fifth ${mean(last).toFixed(4)}`,
			);
			expect(mean(policy)).toBeGreaterThanOrEqual(0.7);
			expect(mean(last)).toBeGreaterThanOrEqual(0.73);
		},
	);
});

describe("mood-playlist over simulated listeners, learning 100 decisions late", () => {
	const experiment = experimentOf("mood-playlist");
	const live = experiment.context.features
		.filter(({ from }) => from === "live")
		.map(({ name }) => name);
	const blind: Experiment = {
		...experiment,
		context: {
			...experiment.context,
			features: experiment.context.features.filter(
				({ from }) => from !== "live",
			),
		},
	};
	const seeds = ["1", "2", "3", "4"];
	const run = (of: Experiment, seed: string) => {
		const clock = { now: 1_700_000_000_000 };
		const traffic = new MoodTraffic(seed, catalogue, 1000, () => clock.now);
		return replayOffline(of, traffic, saltOf(Number(seed)), clock);
	};
	const seeing = seeds.map((seed) => run(experiment, seed));

	it.each(seeds)(
		"earns clearly more than control and than the best single arm, and less than knowing the mood (seed %s)",
		(seed) => {
			const rows = seeing[seeds.indexOf(seed)]!;
			const crowd = Array.from({ length: 1000 }, (_, i) =>
				makeListener(seed, i, PLAYLISTS),
			);
			const truth = moodTruth(experiment, crowd, catalogue);
			const [policy, control] = [
				mean(of("policy", rows)),
				mean(of("control", rows)),
			];
			console.info(
				`mood-playlist, seed ${seed}: policy ${policy.toFixed(3)}, control ${control.toFixed(3)}, truth`,
				truth,
			);
			expect(policy).toBeGreaterThan(control + 0.1);
			expect(policy).toBeGreaterThan(truth.bestConstant + 0.1);
			expect(policy).toBeLessThan(truth.everythingKnown);
			expect(Math.abs(control - truth.uniform)).toBeLessThan(0.1);
		},
	);

	it("earns more with the live counts of skips and plays than without them", () => {
		expect(live).toEqual(["skips30s", "skips5m", "plays5m"]);
		const gains = seeds.map(
			(seed, i) =>
				mean(of("policy", seeing[i]!)) - mean(of("policy", run(blind, seed))),
		);
		console.info(
			`gain by live counts: ${gains.map((gain) => gain.toFixed(3)).join(", ")}`,
		);
		expect(
			gains.reduce((sum, gain) => sum + gain, 0) / gains.length,
		).toBeGreaterThan(0.01);
	});
});
