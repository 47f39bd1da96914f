import { atMost, type Goal } from "../support/goals.js";
import type { RatioRow } from "../support/ratio-row.js";
import type { RampFindings } from "./epochs.js";
import type { ListenerKind } from "./listeners.js";
import type { PauseFindings } from "./pauses.js";
import type { RunFindings } from "./simulate.js";
import type { StandardErrors } from "./standard-errors.js";
import { ALPHA } from "./watch-lift.js";
import type { Widths } from "./width.js";
import type { Scenario } from "./world.js";

const MOST_WIDTH = { planned: 1.58, around: 1.75 };
const MOST_STANDARD_ERROR = 1.15;
/** Matured decisions in which 95 % of breaches of five points are to be found. */
const MOST_DELAY = 1_700;

/** What a share of wrong runs is held against. */
export const WITHIN = "α + 2 SE";

/** What a size is held against. */
const MOST = "most that is allowed";

export function goalsOf(rows: readonly RatioRow[]): readonly Goal[] {
	return rows
		.filter(({ against }) => against === WITHIN || against === MOST)
		.map(({ name, ours, baseline, unit }) =>
			atMost(name, ours, baseline, unit),
		);
}

/** α and twice the standard error of a share of so many runs. */
export function mostWrong(runs: number): number {
	return ALPHA + 2 * Math.sqrt((ALPHA * (1 - ALPHA)) / runs);
}

/** How often each reading was wrong in one case: ours against α + 2 SE, and against what others would have claimed. */
export function caseRows(
	{ arms, listeners, K }: Scenario,
	runs: readonly RunFindings[],
): RatioRow[] {
	const name = (what: string) => `${what}/${arms}/${listeners}`;
	const share = (is: (run: RunFindings) => boolean) =>
		runs.filter(is).length / runs.length;
	const mean = (of: (run: RunFindings) => number) =>
		runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
	const bound = mostWrong(runs.length);
	const lift = arms === "equal" ? "lift-false-alarms" : "lift-misses";
	const wrong = share((run) => run.lift.missed);
	const ofRuns = { unit: "share of runs", K };
	return [
		row(name(lift), wrong, bound, WITHIN, ofRuns),
		row(
			name(lift),
			wrong,
			share((run) => run.lift.missedOverDecisions),
			"the sequence over decisions",
			ofRuns,
		),
		row(
			name(lift),
			wrong,
			share((run) => run.lift.missedOverDays),
			"days summed as if nobody returned",
			ofRuns,
		),
		row(
			name(lift),
			wrong,
			share((run) => run.lift.missedAtFixedHorizon),
			"fixed-horizon t-tests at every look",
			ofRuns,
		),
		row(
			name("arm-misses"),
			share((run) => run.arms.missed > 0),
			bound,
			WITHIN,
			ofRuns,
		),
		row(
			name("arm-misses"),
			mean((run) => run.arms.missed) / K,
			mean((run) => run.arms.naiveMissed) / K,
			"95 % intervals of raw means, at the end",
			{ unit: "share of arms", K },
		),
		row(
			name("arm-error"),
			mean((run) => Math.abs(run.arms.error)),
			mean((run) => Math.abs(run.arms.naiveError)),
			"raw means, at the end",
			{ unit: "reward, of the arm furthest off", K },
		),
		row(
			name("guardrail-false-pauses"),
			share((run) => run.wasPaused),
			bound,
			WITHIN,
			ofRuns,
		),
	];
}

/** The lift over two epochs against α + 2 SE, and beside sums that are pooled over both. */
export function rampRows(runs: readonly RampFindings[]): RatioRow[] {
	const share = (is: (run: RampFindings) => boolean) =>
		runs.filter(is).length / runs.length;
	const mean = (of: (run: RampFindings) => number) =>
		Math.abs(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
	const name = "lift-over-epochs";
	const ofRuns = { unit: "share of runs" };
	const missed = share((run) => run.missed);
	const pooled = "sums pooled over epochs";
	return [
		row(`${name}/misses`, missed, mostWrong(runs.length), WITHIN, ofRuns),
		row(
			`${name}/misses`,
			missed,
			share((run) => run.missedPooled),
			pooled,
			ofRuns,
		),
		row(
			`${name}/bias`,
			mean((run) => run.error),
			mean((run) => run.pooledError),
			pooled,
			{ unit: "reward" },
		),
	];
}

/** The lift of an experiment that was paused, against α + 2 SE, and its width beside that of its runs taken apart. */
export function pauseRows(
	listeners: ListenerKind,
	runs: readonly PauseFindings[],
): RatioRow[] {
	const name = `lift-over-pauses/${listeners}`;
	const share = (is: (run: PauseFindings) => boolean) =>
		runs.filter(is).length / runs.length;
	const missed = share((run) => run.missed);
	const apart = "runs as strata, their SEs added";
	const ofRuns = { unit: "share of runs" };
	const widths = runs
		.map(({ widthApart }) => widthApart)
		.filter(Number.isFinite)
		.sort((a, b) => a - b);
	return [
		row(`${name}/misses`, missed, mostWrong(runs.length), WITHIN, ofRuns),
		row(
			`${name}/misses`,
			missed,
			share((run) => run.missedApart),
			apart,
			ofRuns,
		),
		row(`${name}/width at the end, median`, 1, quantile(widths, 0.5), apart, {
			unit: "widths of ours",
		}),
	];
}

export function widthRows(widths: readonly Widths[]): RatioRow[] {
	const unit = "fixed-horizon widths";
	return (["planned", "around"] as const).map((at) =>
		row(
			at === "planned"
				? "lift-width/planned size"
				: "lift-width/quarter to 25 times the planned information",
			Math.max(...widths.map((width) => width[at])),
			MOST_WIDTH[at],
			MOST,
			{ unit },
		),
	);
}

export function standardErrorRows(
	errors: readonly StandardErrors[],
	K: number,
): RatioRow[] {
	const kinds = {
		overControlMean: "plain means of control's rows",
		overControlScores: "scores of control's rows",
	} as const;
	return Object.entries(kinds).flatMap(([kind, against]) => {
		const ratios = errors
			.flatMap((error) => error[kind as keyof StandardErrors])
			.sort((a, b) => a - b);
		return ([0.5, 0.95, 1] as const).map((share) =>
			row(
				`arm-standard-error/${quantileName(share)} of arms and runs`,
				quantile(ratios, share),
				MOST_STANDARD_ERROR,
				MOST,
				{ unit: `SE of ${against}`, K },
			),
		);
	});
}

/** The delay of a breach beside that of a test at one time, planned for that very breach: one-sided at α, found in 95 % of runs. */
export function delayRows(
	excess: number,
	limit: number,
	delays: readonly number[],
): RatioRow[] {
	const sorted = delays.toSorted((a, b) => a - b);
	const name = `guardrail-delay/+${Math.round(100 * excess)} points`;
	const unit = "matured decisions";
	const sd = (p: number) => Math.sqrt(p * (1 - p));
	const fixed = ((1.645 * (sd(limit) + sd(limit + excess))) / excess) ** 2;
	const rows = ([0.5, 0.95] as const).map((share) =>
		row(
			`${name}/${quantileName(share)}`,
			quantile(sorted, share),
			Math.ceil(fixed),
			"a test at one time, planned for it",
			{ unit },
		),
	);
	if (excess === 0.05)
		rows.push(
			row(`${name}/95 %`, quantile(sorted, 0.95), MOST_DELAY, MOST, { unit }),
		);
	return rows;
}

function quantileName(share: number): string {
	if (share === 0.5) return "median";
	return share === 1 ? "largest" : `${100 * share} %`;
}

/** Of ascending values: the smallest that at least the share of them does not exceed. */
function quantile(ascending: readonly number[], share: number): number {
	const at = Math.max(0, Math.ceil(share * ascending.length) - 1);
	return ascending[at] as number;
}

function row(
	name: string,
	ours: number,
	baseline: number,
	against: string,
	more: Pick<RatioRow, "unit" | "K">,
): RatioRow {
	return { name, ours, baseline, ratio: ours / baseline, against, ...more };
}
