import type { BookedCounts } from "#core/booking";
import type { Look } from "./metric-summary.js";

/** An entry of the audit, or what a guardrail did. */
export interface Mark {
	/** Milliseconds since the epoch. */
	readonly at: number;
	readonly action: string;
	readonly actor: string;
	/** Why, and what changed; may be empty. */
	readonly sentence: string;
}

export interface GuardrailSummary {
	readonly metric: string;
	/** Such as "at most 0.35", or "no more than 0.01 below control". */
	readonly limit: string;
	readonly action: "alert" | "pause" | "control";
	readonly status: "kept" | "broken" | "not enough evidence";
	readonly estimate: number | null;
	/** One-sided: it is at least so far beyond the limit; below 0 while it may be kept. */
	readonly bound: number | null;
	readonly sentence: string;
}

/** The policy's decisions of one span of time, by arm. */
export interface TrafficSpan {
	/** Begin of the span, milliseconds since the epoch. */
	readonly at: number;
	readonly decisions: { readonly [arm: string]: number };
}

export interface Timeline {
	/** The lift of the primary metric with its sequence. */
	readonly looks: readonly Look[];
	readonly traffic: readonly TrafficSpan[];
	readonly marks: readonly Mark[];
}

const HOUR_MS = 3_600_000;
const MOST_SPANS = 200;
const MOST_LOOKS = 200;

export function timelineOf(
	looks: readonly Look[],
	booked: BookedCounts,
	marks: readonly Mark[],
): Timeline {
	return {
		looks: thinned(looks, MOST_LOOKS),
		traffic: trafficOf(booked),
		marks: [...marks].sort((a, b) => a.at - b.at),
	};
}

/** Hours, or as many of them together as keep the spans few. */
function trafficOf({ hours }: BookedCounts): readonly TrafficSpan[] {
	const own = hours.filter(({ group }) => group === "policy");
	const [first, last] = [own[0], own.at(-1)];
	if (first === undefined || last === undefined) return [];
	const count = (last.hour - first.hour) / HOUR_MS + 1;
	const spanMs = HOUR_MS * Math.ceil(count / MOST_SPANS);
	const spans = new Map<number, { [arm: string]: number }>();
	for (const { hour, arm, decisions } of own) {
		const at = first.hour + Math.floor((hour - first.hour) / spanMs) * spanMs;
		const span = spans.get(at) ?? {};
		span[arm] = (span[arm] ?? 0) + decisions;
		spans.set(at, span);
	}
	return [...spans].map(([at, decisions]) => ({ at, decisions }));
}

/** Evenly, the last always among them. */
function thinned<T>(list: readonly T[], most: number): readonly T[] {
	if (list.length <= most) return list;
	return Array.from(
		{ length: most },
		// In whole numbers: a rounded step can reach beyond the end.
		(_, i) => list[Math.ceil(((i + 1) * list.length) / most) - 1] as T,
	);
}
