import { printJson } from "../support/command.js";
import { atLeast, atMost, type Goal, printGoals } from "../support/goals.js";
import type { RatioRow } from "../support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "../support/table.js";
import type { OpenLoop } from "./load.js";
import type { Pauses } from "./watch.js";

export interface Findings {
	readonly rows: readonly RatioRow[];
	readonly half: { ours: OpenLoop; baseline: OpenLoop; perSecond: number };
	/** µs a decision. */
	readonly stages: readonly (readonly [string, number])[];
	readonly pauses: Pauses;
	readonly barePauses: Pauses;
	/** Decisions a message. */
	readonly grouped: number;
	readonly processorUs: { ours: number; baseline: number };
}

const LEAST_RATIO = 0.5;
const MOST_P99 = 5;
const MOST_PAUSE_MS = 20;

function goalsOf({ rows, pauses }: Findings): readonly Goal[] {
	const ratioOf = (name: string) =>
		rows.find((row) => row.name === name)?.ratio ?? Number.NaN;
	return [
		atLeast("decide", ratioOf("decide"), LEAST_RATIO, "× fastify's requests/s"),
		atMost("decide p99", ratioOf("decide p99"), MOST_P99, "× fastify's"),
		atMost("longest stall", pauses.stallMs, MOST_PAUSE_MS, "ms"),
		atMost("longest garbage collection", pauses.gcMs, MOST_PAUSE_MS, "ms"),
	];
}

/** For people. */
export function print(found: Findings): void {
	printTable(
		["", "ours", "baseline", "ratio", "unit"],
		found.rows.map((row) => [
			row.name,
			threeDigits(row.ours),
			threeDigits(row.baseline),
			row.ratio.toFixed(3),
			row.unit,
		]),
	);
	const { half, pauses } = found;
	console.log(
		`\nHalf load (${Math.round(half.perSecond)} requests/s, latency from when each was due): p50 ${half.ours.p50Ms.toFixed(2)} ms, p99 ${half.ours.p99Ms.toFixed(2)} ms, max ${half.ours.maxMs.toFixed(2)} ms; fastify p50 ${half.baseline.p50Ms.toFixed(2)} ms, p99 ${half.baseline.p99Ms.toFixed(2)} ms.`,
	);
	console.log(
		`Decisions a message: ${found.grouped.toFixed(1)}. Longest stall of the decider's event loop ${pauses.stallMs.toFixed(1)} ms, longest garbage collection ${pauses.gcMs.toFixed(1)} ms.`,
	);
	console.log(
		`Processor time a request: decider ${found.processorUs.ours.toFixed(0)} µs, fastify ${found.processorUs.baseline.toFixed(0)} µs.`,
	);
	console.log(
		"\nWhere the decider's time goes, from a CPU profile of its own round (µs a decision, a stage with what it calls):",
	);
	printTable(
		["stage", "µs"],
		found.stages.map(([stage, us]) => [stage, us.toFixed(1)]),
	);
	printGoals(goalsOf(found));
	printMachine();
}

/** For tools: what has no baseline stands beside the rows. */
export function printAsJson(found: Findings): void {
	const { rows, stages, pauses, barePauses, grouped, processorUs } = found;
	printJson(rows, goalsOf(found), {
		decider: {
			stagesUs: Object.fromEntries(stages),
			longestStallMs: pauses.stallMs,
			longestCollectionMs: pauses.gcMs,
			processorUs: processorUs.ours,
			decisionsAMessage: grouped,
		},
		fastify: {
			longestStallMs: barePauses.stallMs,
			longestCollectionMs: barePauses.gcMs,
			processorUs: processorUs.baseline,
		},
	});
}
