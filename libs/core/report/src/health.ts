import type { BookedCounts } from "#core/booking";
import type { Definition } from "#core/experiment";
import { LEAST_DRAWS } from "#core/statistics";
import type { ArmValueSummary } from "./arm-values.js";

export interface Health {
	/** The least share of the policy's last day of booked decisions that any active arm was given, in [0, 1]; null without decisions. */
	readonly exploration: number | null;
	/** (Σw)²/Σw² of the active arm that has fewest; null without a booked decision of any. */
	readonly effectiveSampleSize: number | null;
	/** Share of decisions without a value, by feature, in [0, 1]; null where none was looked at yet. */
	readonly missing: { readonly [feature: string]: number } | null;
	/** Of the booked decisions of policy and control, those that were served degraded. */
	readonly degraded: DegradedHealth;
	readonly lateEvents: number;
	/** Booked decisions that came or changed too late for the arms' values. */
	readonly unbooked: number;
	/** Of the whole installation. */
	readonly deadLetters: number;
	readonly waitingEvents: number;
	/** What of it a reader must know, in words. */
	readonly sentences: readonly HealthSentence[];
}

export interface DegradedHealth {
	/** In [0, 1]; null without decisions. */
	readonly share: number | null;
	/** By what was degraded, as decisions name it; a decision may name several. */
	readonly parts: { readonly [part: string]: number };
}

export interface HealthSentence {
	readonly of:
		| "exploration"
		| "effective sample size"
		| "missing features"
		| "degraded"
		| "late events";
	readonly sentence: string;
}

/** What is told of, beside arms. */
interface HealthInput
	extends Pick<
		Health,
		"missing" | "lateEvents" | "deadLetters" | "waitingEvents"
	> {
	readonly definition: Definition;
	readonly booked: BookedCounts;
}

/** How well the data behind the report are: of active arms, decisions and events. */
export function healthOf(
	{ definition, booked, ...input }: HealthInput,
	values: readonly ArmValueSummary[],
): Health {
	const active = definition.experiment.arms
		.filter(({ state }) => state === undefined)
		.map(({ key }) => key);
	const rarest = rarestOf(booked, active);
	const weakest = least(
		values.filter(({ arm }) => booked.scores.size > 0 && active.includes(arm)),
		({ effectiveSampleSize }) => effectiveSampleSize,
	);
	const degraded = degradedOf(booked);
	const { missing, lateEvents } = input;
	return {
		exploration: rarest?.share ?? null,
		effectiveSampleSize: weakest?.effectiveSampleSize ?? null,
		missing,
		degraded,
		lateEvents,
		unbooked: booked.freshness.unbooked,
		deadLetters: input.deadLetters,
		waitingEvents: input.waitingEvents,
		sentences: [
			{ of: "exploration", sentence: saidOfExploration(rarest) },
			{ of: "effective sample size", sentence: saidOfDraws(weakest) },
			{
				of: "missing features",
				sentence: saidOfMissing(
					missing,
					definition.experiment.context.features.length,
				),
			},
			{ of: "degraded", sentence: saidOfDegraded(degraded) },
			{ of: "late events", sentence: saidOfLate(lateEvents) },
		],
	};
}

function least<T>(all: readonly T[], value: (one: T) => number): T | undefined {
	return all.reduce<T | undefined>(
		(found, one) =>
			found === undefined || value(one) < value(found) ? one : found,
		undefined,
	);
}

/** An arm with its share of decisions. */
interface Shown {
	readonly arm: string;
	readonly share: number;
}

const DAY_MS = 86_400_000;

/** Of the last day: what a policy tried at its beginning says nothing of what it still tries. */
function rarestOf(
	{ hours }: BookedCounts,
	active: readonly string[],
): Shown | undefined {
	const own = hours.filter(({ group }) => group === "policy");
	const from = (own.at(-1)?.hour ?? 0) - DAY_MS;
	const counts = new Map(active.map((arm) => [arm, 0]));
	let all = 0;
	for (const { hour, arm, decisions } of own)
		if (hour > from) {
			all += decisions;
			const before = counts.get(arm);
			if (before !== undefined) counts.set(arm, before + decisions);
		}
	return all === 0
		? undefined
		: least(
				[...counts].map(([arm, count]) => ({ arm, share: count / all })),
				({ share }) => share,
			);
}

function degradedOf({ hours, degraded }: BookedCounts): DegradedHealth {
	const all = hours.reduce(
		(sum, { group, decisions }) =>
			group === "outside" ? sum : sum + decisions,
		0,
	);
	if (all === 0) return { share: null, parts: {} };
	return {
		share: degraded.decisions / all,
		parts: Object.fromEntries(
			Object.entries(degraded.parts).map(([part, count]) => [
				part,
				count / all,
			]),
		),
	};
}

function saidOfExploration(rarest: Shown | undefined): string {
	if (rarest === undefined) return "The policy has decided nothing yet.";
	const { arm, share } = rarest;
	return share === 0
		? `In the last day the policy gave ${arm} to nobody, so nothing more is learned of it but from control: raise policy.explore, or pause the arm.`
		: `Every active arm is still tried: ${arm}, the rarest, in ${percent(share)} of the policy's decisions of the last day.`;
}

function saidOfDraws(weakest: ArmValueSummary | undefined): string {
	if (weakest === undefined)
		return "No decision is booked yet, so no arm has a value.";
	const { arm, effectiveSampleSize } = weakest;
	const draws = Math.floor(effectiveSampleSize).toLocaleString("en-US");
	return effectiveSampleSize < LEAST_DRAWS
		? `${arm} rests on ${draws} effective draws, the fewest of the active arms: from ${LEAST_DRAWS} on an arm's value is shown.`
		: `Every active arm rests on at least ${draws} effective draws (${arm} has the fewest), and ${LEAST_DRAWS} are enough for its value to be shown.`;
}

function saidOfMissing(missing: Health["missing"], features: number): string {
	if (features === 0) return "No feature is declared.";
	if (missing === null)
		return "Whether features had their values cannot be told yet: contexts are looked at once the first thousand decisions of a run are in.";
	const parts = listed(missing);
	return parts === ""
		? "Every feature had its value in all decisions of this run that were looked at (the last eight days)."
		: `Without their values the policy decides as if the features were not there; of this run's decisions (the last eight days) were without: ${parts}.`;
}

function saidOfDegraded({ share, parts }: DegradedHealth): string {
	if (share === null) return "No decision is booked yet.";
	return share === 0
		? "No decision was served degraded."
		: `${percent(share)} of the decisions were served degraded (${listed(parts)}). They were logged with the chances that they were drawn with, so they count like the others; those that a guardrail served count in no lift.`;
}

function saidOfLate(events: number): string {
	return events === 0
		? "No event came too late to count."
		: `${events.toLocaleString("en-US")} events came after the window of their decision (since the experiment exists) and count nowhere; where they are many, make reward.window longer.`;
}

function listed(shares: { readonly [name: string]: number }): string {
	return Object.entries(shares)
		.sort((a, b) => b[1] - a[1])
		.map(([name, share]) => `${name} ${percent(share)}`)
		.join(", ");
}

function percent(share: number): string {
	return `${Number((100 * share).toPrecision(2))} %`;
}
