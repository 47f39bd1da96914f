import {
	type Experiment,
	isClosing,
	type Judged,
	judge,
	MOST_VALUE,
	type OwnMetric,
	RETRACT,
} from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { BUILT_IN, columnOf, type Metric, type Per, STEPS } from "./metric.js";
import { visitHours } from "./visit-hours.js";

/** What of a decision its contributions are made of. */
export type Measured = Pick<DecisionRow, "unit" | "group" | "decidedAt">;

export interface Contribution {
	/** An event that stands proves that it was shown. */
	readonly shown: boolean;
	/** E and R, as learned. */
	readonly exposed: 0 | 1;
	readonly reward: number;
	/** The last moment that the decision or an event of it that stands tells of, milliseconds. */
	readonly until: number;
	/** n and C of each metric one after the other; see Metric. Metrics of sessions and of coming back get theirs elsewhere. */
	readonly columns: readonly number[];
	/** Hours since 1970 in which its unit was back while it stood; null where it does not stand, and the next decision tells of it. */
	readonly visits: readonly number[] | null;
}

const SKIP_WITHIN_MS = 30_000;
const REWARD = columnOf("reward");
const IMPRESSION_RATE = columnOf("impression_rate");
const CLICK_RATE = columnOf("click_rate");
const PLAY_RATE = columnOf("play_rate");
const PLAY_THROUGH_RATE = columnOf("play_through_rate");
const TIME_TO_FIRST_PLAY = columnOf("time_to_first_play");
const SAVE_RATE = columnOf("save_rate");
const SKIP_RATE = columnOf("skip_rate");
const PREMIUM_RATE = columnOf("premium_rate");
const REVENUE = columnOf("revenue");

/** The metrics of an experiment, in the order of their columns: those built in, then its own. */
export function metricsOf({ metrics }: Experiment): readonly Metric[] {
	const own = metrics?.define ?? [];
	return own.length === 0 ? BUILT_IN : [...BUILT_IN, ...own.map(toMetric)];
}

/**
 * What a decision adds to each metric: a function of the set of its outcomes alone. An event counts where it stands as the reward judges
 * it: of the decision's own unit, neither early nor late, not retracted, and proving exposure.
 */
export function contributionOf(
	{ reward, metrics, sticky }: Experiment,
	decision: Measured,
	outcomes: readonly Event[],
): Contribution {
	const teaches = decision.group !== "outside";
	// Events of decisions outside are not judged one by one, since none is learned.
	const judged = judge(
		reward,
		{ ...decision, group: teaches ? decision.group : "policy" },
		outcomes,
	);
	const standing = outcomes.filter((event) => stands(judged, event));
	const shown = standing.length > 0;
	const own = metrics?.define ?? [];
	const columns = new Array<number>(2 * (BUILT_IN.length + own.length)).fill(0);
	columns[IMPRESSION_RATE] = 1;
	if (shown) countShown(columns, decision.decidedAt, standing);
	const exposed = teaches ? judged.exposed : 0;
	if (exposed === 1) {
		columns[REWARD] = 1;
		columns[REWARD + 1] = steps(judged.reward);
	}
	own.forEach((metric, i) => {
		const place = 2 * (BUILT_IN.length + i);
		columns[place] = denominatorOf(metric, standing, { shown, exposed });
		if (columns[place] === 1 || metric.per === "unit")
			columns[place + 1] = numeratorOf(metric, decision.decidedAt, standing);
	});
	return {
		shown,
		exposed,
		reward: exposed * judged.reward,
		until: standing.reduce(
			(latest, event) => Math.max(latest, event.at),
			decision.decidedAt,
		),
		columns,
		visits: visitHours(sticky, decision, outcomes),
	};
}

function stands({ verdicts }: Judged, event: Event): boolean {
	if (event.type === RETRACT || isClosing(event)) return false;
	const judgement = verdicts.get(event.id);
	switch (judgement?.verdict) {
		case "applied":
		case "out of range":
		case "not exposed":
			return true;
		case "no value":
			return (
				judgement.detail === "unlisted" ||
				judgement.detail === "outside within" ||
				judgement.detail === "superseded"
			);
		default:
			return false;
	}
}

function countShown(
	columns: number[],
	decidedAt: number,
	standing: readonly Event[],
): void {
	const of = (type: string) => standing.filter((event) => event.type === type);
	const share = (place: number, had: boolean) => {
		columns[place] = 1;
		columns[place + 1] = had ? STEPS : 0;
	};
	columns[IMPRESSION_RATE + 1] = STEPS;
	const plays = of("play");
	share(CLICK_RATE, of("click").length > 0);
	share(PLAY_RATE, plays.length > 0);
	share(SAVE_RATE, of("save").length > 0);
	share(
		SKIP_RATE,
		of("skip").some((skip) => skip.at - decidedAt <= SKIP_WITHIN_MS),
	);
	if (plays.length > 0) {
		share(PLAY_THROUGH_RATE, of("complete").length > 0);
		const first = plays.reduce(
			(least, { at }) => Math.min(least, at),
			Infinity,
		);
		columns[TIME_TO_FIRST_PLAY] = 1;
		columns[TIME_TO_FIRST_PLAY + 1] = steps(
			Math.max(0, first - decidedAt) / 1_000,
		);
	}
	columns[PREMIUM_RATE + 1] = STEPS * of("premium").length;
	columns[REVENUE + 1] = totalOf(of("purchase"));
}

const OWN_PER: Readonly<Record<string, Per>> = {
	decision: "learned",
	impression: "impression",
	unit: "unit",
};
const MEASURES = { once: "share", each: "count", value: "value" } as const;

function toMetric({ name, per, count, cap }: OwnMetric): Metric {
	// A unit had one or not, in however many of its decisions.
	const most = per === "unit" && count === "once" ? 1 : Infinity;
	const least = Math.min(most, cap ?? Infinity);
	return {
		name,
		per: Object.hasOwn(OWN_PER, per) ? (OWN_PER[per] as Per) : "event",
		measure: MEASURES[count],
		cap: least === Infinity ? null : steps(least),
	};
}

/** n of an own metric; that of a unit is not any decision's. */
function denominatorOf(
	{ per }: OwnMetric,
	standing: readonly Event[],
	{ shown, exposed }: Pick<Contribution, "shown" | "exposed">,
): 0 | 1 {
	switch (per) {
		case "decision":
			return exposed;
		case "impression":
			return shown ? 1 : 0;
		case "unit":
			return 0;
		default:
			return standing.some(({ type }) => type === per) ? 1 : 0;
	}
}

function numeratorOf(
	{ event, count, withinMs = Number.POSITIVE_INFINITY }: OwnMetric,
	decidedAt: number,
	standing: readonly Event[],
): number {
	const counted = standing.filter(
		({ type, at }) => type === event && at - decidedAt <= withinMs,
	);
	switch (count) {
		case "once":
			return counted.length > 0 ? STEPS : 0;
		case "each":
			return STEPS * counted.length;
		case "value":
			return totalOf(counted);
	}
}

/** Σ of the events' values, those left out that are missing or beyond what a reward may be. */
function totalOf(events: readonly Event[]): number {
	return events.reduce(
		(sum, { value = 0 }) =>
			Math.abs(value) <= MOST_VALUE ? sum + steps(value) : sum,
		0,
	);
}

/** Steps of the grid, halves toward +∞; 0 is never −0. */
const steps = (value: number): number => Math.round(STEPS * value) + 0;
