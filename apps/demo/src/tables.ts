import Table from "cli-table3";
import type { DemoResult, ExperimentResult } from "./result.js";

/** One experiment as its product manager reads it: what the policy earned against what it could have been. */
export function experimentTable({
	key,
	name,
	report,
	truth,
}: ExperimentResult): string {
	const { policy, control, lift, bestSingleArm, uniformExpected, arms } =
		report;
	const earned = new Table({
		head: [key, "mean reward", "95 % interval", "read from"],
		colAligns: ["left", "right", "right", "left"],
		style: { head: [], border: [] },
	});
	earned.push(
		[
			"Segue's policy",
			number(policy.mean),
			"",
			`report: ${count(policy.decisions)} decisions`,
		],
		[
			"control: an arm at random",
			number(control.mean),
			"",
			`report: ${count(control.decisions)} decisions`,
		],
		[
			"lift: policy − control",
			signed(lift.estimate),
			interval(lift),
			"report (fixed horizon, unit as observation)",
		],
		[
			`best single arm: ${bestSingleArm.arm}`,
			number(bestSingleArm.mean),
			interval(bestSingleArm),
			"report: its control rows",
		],
		["uniform", number(uniformExpected), "", "report: control's mean"],
		[
			`full information, always ${truth.bestArm}`,
			number(truth.bestConstant),
			"",
			truth.from,
		],
		["full information, uniform", number(truth.uniform), "", truth.from],
		[
			"full information, truth known",
			number(truth.everythingKnown),
			"",
			truth.from,
		],
	);
	const chosen = new Table({
		head: ["arm", "share of policy's decisions", "", "mean reward"],
		colAligns: ["left", "right", "left", "right"],
		style: { head: [], border: [] },
	});
	for (const arm of arms) {
		chosen.push([
			arm.arm,
			percent(arm.share),
			"█".repeat(Math.round(arm.share * 30)),
			arm.mean === null ? "–" : number(arm.mean),
		]);
	}
	return `${name}\n${earned.toString()}\n${chosen.toString()}`;
}

/** How it ran: speed, learning and the proof. */
export function runTable(result: DemoResult): string {
	const { latencyMs, learnedWithinMs } = result;
	const table = new Table({
		colAligns: ["left", "left"],
		style: { border: [] },
	});
	table.push(
		[
			"decisions",
			`${count(result.decisions)}, ${Math.round(result.decisionsPerSecond)} a second`,
		],
		["events", `${count(result.events)}, through the ${result.stream} stream`],
		[
			"decision answered within",
			`p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms (seen by the client)`,
		],
		[
			"outcome decided with after",
			`p50 ${learnedWithinMs.p50} ms, p95 ${learnedWithinMs.p95} ms (from sending it)`,
		],
		["degraded answers", count(result.degraded)],
		[
			"segue replay",
			result.replay.equal
				? "equal: the log folded anew gives the stored sums, bit for bit"
				: "DIFFERENT from the stored sums",
		],
		["in all", `${result.seconds} s`],
	);
	return table.toString();
}

function number(value: number): string {
	return value.toFixed(4);
}

function signed(value: number): string {
	return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
}

function interval({ low, high }: { low: number; high: number }): string {
	return `${low.toFixed(3)} … ${high.toFixed(3)}`;
}

function percent(share: number): string {
	return `${(100 * share).toFixed(1)} %`;
}

function count(value: number): string {
	return value.toLocaleString("en-US");
}
