/**
 * What became of a delivery: each has exactly one, and which one depends on the set of what came, not on its order (but for which of
 * several bodies under one id is stored first). Later deliveries may change the verdict of a stored event.
 * - `applied`: its value is in the reward; for a retract: it took an event back
 * - `out of range`: its value is in the reward, which was clipped to `range`
 * - `no value`: it earns nothing; `detail` says why, and whether it still proves exposure
 * - `not exposed`: it would earn, but its decision teaches only from the close of its window on
 * - `retracted`: taken back; proves nothing
 * - `early`, `late`: more than 5 minutes before the decision, or past the window; proves nothing
 * - `wrong unit`: its unit is not the decision's; proves nothing
 * - `visit`: its unit asked again while the decision stood; told by Segue itself, proves nothing, and is counted as coming back
 * - `experiment stopped`: its decision was made outside the experiment, which learns nothing from it
 * - `unknown decision (waiting)`, `unknown decision (expired)`: its decision has not come yet; or its day is gone, and it cannot come any more
 * - `signal`: names no decision; feeds live windows
 * - `duplicate`: stored before with the same content; for a refused delivery: it came again
 * - `conflict`: stored before with other content, which stands
 * - `future`: more than 5 minutes ahead of the stream's clock
 * - `before horizon`: what it is about lies in partitions that are gone
 * - `erased`: of a unit that was erased
 * - `malformed`: could not be understood
 * - `logged`: a decision that was stored
 */
export const VERDICTS = [
	"applied",
	"out of range",
	"no value",
	"not exposed",
	"retracted",
	"early",
	"late",
	"wrong unit",
	"visit",
	"experiment stopped",
	"unknown decision (waiting)",
	"unknown decision (expired)",
	"signal",
	"duplicate",
	"conflict",
	"future",
	"before horizon",
	"erased",
	"malformed",
	"logged",
] as const;

export type Verdict = (typeof VERDICTS)[number];

/**
 * Why a verdict is `no value`. The first three prove exposure, the others nothing.
 * - `unlisted`: a type that earns nothing
 * - `outside within`: after its rule's `within`
 * - `superseded`: `combine` chose another event's value
 * - `missing`, `too large`: its own value is needed and missing, or beyond ±2²⁰
 * - `nothing to retract`: the event it names has not come (yet); `not retractable`: it names a retract
 */
export type NoValue =
	| "unlisted"
	| "outside within"
	| "superseded"
	| "missing"
	| "too large"
	| "nothing to retract"
	| "not retractable";

export interface Judgement {
	readonly verdict: Verdict;
	readonly detail?: NoValue;
}

/** The part of a refusal's reason before its colon names its verdict; what names none could not be understood. */
export function verdictOfRefusal(reason: string): Verdict {
	const name = reason.split(":", 1)[0];
	return name === "future" || name === "before horizon" || name === "conflict"
		? name
		: "malformed";
}
