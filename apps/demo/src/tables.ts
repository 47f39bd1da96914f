import Table from "cli-table3";
import type { Interval } from "./report-view.js";
import type { DemoResult, ExperimentResult } from "./result.js";

/** One experiment as its product manager reads it: what the policy earned against what it could have been. */
export function experimentTable({
	key,
	name,
	report,
	truth,
}: ExperimentResult): string {
	const {
		policy,
		control,
		lift,
		bestSingleArm,
		uniformExpected,
		arms,
		armValues,
	} = report;
	const earned = new Table({
		head: [key, "mean reward", "95 % interval", "read from"],
		colAligns: ["left", "right", "right", "left"],
		style: { head: [], border: [], compact: true },
	});
	earned.push(
		[
			"Segue's policy",
			number(policy.mean),
			interval(policy),
			`report: ${count(policy.decisions)} decisions`,
		],
		[
			"control: an arm at random",
			number(control.mean),
			interval(control),
			`report: ${count(control.decisions)} decisions`,
		],
		[
			"lift: policy − control",
			signed(lift.estimate),
			interval(lift),
			"report: valid at every look, listener as observation",
		],
		[
			`best single arm: ${bestSingleArm.arm ?? "–"}`,
			number(bestSingleArm.mean),
			interval(bestSingleArm),
			`report: the ${count(bestSingleArm.n)} control decisions for it`,
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
		head: [
			"arm",
			"share of policy's decisions",
			"",
			"value had it been shown",
			"95 % interval of all arms",
		],
		colAligns: ["left", "right", "left", "right", "right"],
		style: { head: [], border: [], compact: true },
	});
	for (const arm of arms) {
		const value = armValues.find((one) => one.arm === arm.arm)?.value;
		chosen.push([
			arm.arm,
			percent(arm.share),
			"█".repeat(Math.round(arm.share * 30)),
			number(value?.estimate ?? null),
			value === undefined ? "–" : interval(value),
		]);
	}
	const { verdict, sentence } = report.answer;
	return `${name}\n${verdict[0]?.toUpperCase() ?? ""}${verdict.slice(1)}: ${sentence}\n${earned.toString()}\n${chosen.toString()}`;
}

/** How it ran: speed, learning and the proof. */
export function runTable(result: DemoResult): string {
	const { latencyMs, learnedWithinMs } = result;
	const table = new Table({
		colAligns: ["left", "left"],
		style: { border: [], compact: true },
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
		["degraded answers", degraded(result)],
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

function degraded({ degraded: answers, degradedBy }: DemoResult): string {
	const parts = Object.entries(degradedBy).map(
		([part, times]) => `${part} ${count(times)}`,
	);
	return parts.length === 0 ? "0" : `${count(answers)} (${parts.join(", ")})`;
}

function number(value: number | null): string {
	return value === null ? "–" : value.toFixed(4);
}

function signed(value: number | null): string {
	return value === null
		? "–"
		: `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
}

function interval({ low, high }: Interval): string {
	return low === null || high === null
		? "–"
		: `${low.toFixed(3)} … ${high.toFixed(3)}`;
}

function percent(share: number): string {
	return `${(100 * share).toFixed(1)} %`;
}

function count(value: number): string {
	return value.toLocaleString("en-US");
}
