import type { ReplayVerdict } from "./command-line.js";
import type { FullInformation } from "./full-information.js";
import { quantile } from "./quantiles.js";
import type { ReplayResult } from "./replay-traffic.js";
import type { ReportView } from "./report-view.js";

export interface ExperimentResult {
	readonly key: string;
	readonly name: string;
	readonly report: ReportView;
	readonly truth: FullInformation;
	readonly replayed: ReplayResult;
}

/** The one JSON object of `--json`. Means are rewards per decision; null where the report has none (a very short run). */
export interface DemoResult {
	readonly decisions: number;
	readonly events: number;
	readonly experiments: readonly {
		readonly key: string;
		readonly decisions: number;
		/** The machine was too slow to replay everything within three minutes. */
		readonly cutShort: boolean;
		readonly policyMean: number | null;
		readonly controlMean: number | null;
		readonly uniformExpected: number | null;
		/** Its mean. */
		readonly bestSingleArm: number | null;
		readonly bestSingleArmKey: string | null;
		readonly lift: number | null;
		/** Valid at all looks at once, the unit as the observation. */
		readonly liftInterval: readonly [number | null, number | null];
		readonly fullInformation: {
			readonly bestArm: string;
			readonly bestConstant: number;
			readonly uniform: number;
		};
	}[];
	readonly decisionsPerSecond: number;
	readonly latencyMs: {
		readonly p50: number;
		readonly p95: number;
		readonly p99: number;
	};
	readonly learnedWithinMs: { readonly p50: number; readonly p95: number };
	/** Decisions whose answer named something degraded, and how many named what. */
	readonly degraded: number;
	readonly degradedBy: Readonly<Record<string, number>>;
	readonly replay: { readonly equal: boolean };
	readonly stream: string;
	readonly seconds: number;
}

export function demoResult(
	experiments: readonly ExperimentResult[],
	verdict: ReplayVerdict,
	stream: string,
	seconds: number,
): DemoResult {
	const runs = experiments.map(({ replayed }) => replayed);
	const total = (of: (run: ReplayResult) => number) =>
		runs.reduce((sum, run) => sum + of(run), 0);
	const latencies = runs.flatMap((run) => run.latencies);
	const learned = runs.flatMap((run) => run.learnedWithin);
	const decisions = total((run) => run.decisions);
	return {
		decisions,
		events: total((run) => run.events),
		experiments: experiments.map(summarise),
		decisionsPerSecond: round(decisions / total((run) => run.seconds)),
		latencyMs: {
			p50: ms(latencies, 0.5),
			p95: ms(latencies, 0.95),
			p99: ms(latencies, 0.99),
		},
		learnedWithinMs: { p50: ms(learned, 0.5), p95: ms(learned, 0.95) },
		degraded: total((run) => run.degraded.length),
		degradedBy: countEach(runs.flatMap((run) => run.degraded.flat())),
		replay: { equal: verdict.equal },
		stream,
		seconds: round(seconds),
	};
}

function summarise({
	key,
	report,
	truth,
	replayed,
}: ExperimentResult): DemoResult["experiments"][number] {
	const { policy, control, lift, bestSingleArm, uniformExpected } = report;
	const { bestArm, bestConstant, uniform } = truth;
	return {
		key,
		decisions: replayed.decisions,
		cutShort: replayed.cutShort,
		policyMean: policy.mean,
		controlMean: control.mean,
		uniformExpected,
		bestSingleArm: bestSingleArm.mean,
		bestSingleArmKey: bestSingleArm.arm,
		lift: lift.estimate,
		liftInterval: [lift.low, lift.high],
		fullInformation: { bestArm, bestConstant, uniform },
	};
}

function countEach(names: readonly string[]): Record<string, number> {
	const counts = new Map<string, number>();
	for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
	return Object.fromEntries(counts);
}

function ms(values: readonly number[], q: number): number {
	return Math.round(quantile(values, q) * 100) / 100;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
