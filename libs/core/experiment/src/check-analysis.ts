import {
	FIRST_LOOK_UNITS,
	type ScheduleDocument,
	toSchedule,
} from "./analysis-document.js";
import { nameOf, type Placed } from "./check-context.js";
import { say } from "./check-metrics.js";
import type { ExperimentDocument } from "./document.js";
import { parseDuration } from "./duration.js";
import type { Problem } from "./experiment.js";
import type { FeatureDocument } from "./feature-document.js";
import { toTraffic } from "./from-document.js";
import { nearestKey } from "./nearest-key.js";

/** The year 2000 and the year 10,000. */
const EARLIEST_MS = 946_684_800_000;
const LATEST_MS = 253_402_300_800_000;

/** What is wrong with the segments: each is a feature with levels to show apart. */
export function segmentProblems(
	segments: readonly string[],
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	const possible = namesOf(
		features,
		({ kind }) => kind === "category" || kind === "boolean",
	);
	return segments.flatMap((name, index) => {
		const path = `segments[${index}]`;
		const kind = kindOf(features, name);
		return [
			...say(
				kind === null,
				path,
				`The context has no feature "${name}". ${hint(name, possible, "Category or boolean features")}`,
			),
			...say(
				kind !== null && !possible.includes(name),
				path,
				`${name} is a ${kind} feature, which has no levels to show apart. ${hint(name, possible, "Category or boolean features")}`,
			),
			...say(segments.indexOf(name) < index, path, `${name} is listed twice.`),
		];
	});
}

/** What is wrong with the covariate: it must be a number that was known before the experiment could change it. */
export function covariateProblems(
	name: string,
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	const possible = namesOf(
		features,
		({ kind, from }) => kind === "number" && from === "profile",
	);
	if (possible.includes(name)) return [];
	const kind = kindOf(features, name);
	const what =
		kind === null
			? `The context has no feature "${name}".`
			: `${name} is no number of the profile, so it may be what the experiment made of it.`;
	return [
		{
			path: "covariate",
			message: `${what} ${hint(name, possible, "Number features from: profile")}`,
		},
	];
}

export function scheduleProblems(schedule: ScheduleDocument): Problem[] {
	const { startAt, stopAt } = toSchedule(schedule) ?? {};
	const problems = Object.entries({ start: startAt, stop: stopAt }).flatMap(
		([field, at]) =>
			say(
				at !== undefined && !(at >= EARLIEST_MS && at < LATEST_MS),
				`schedule.${field}`,
				"Must be an instant from the year 2000 on, such as 2026-12-01T08:00:00Z.",
			),
	);
	if (startAt !== undefined && stopAt !== undefined)
		problems.push(
			...say(
				stopAt <= startAt,
				"schedule.stop",
				`Must come after the start, ${schedule.start}, not be ${schedule.stop}.`,
			),
		);
	return problems;
}

/** What is likely not meant, though it can be taken. */
export function analysisWarnings(document: ExperimentDocument): Problem[] {
	const { metrics, guardrails = [], reward } = document;
	const { share, control } = toTraffic(document.traffic ?? {});
	const windowMs = parseDuration(reward.window) ?? 0;
	const tooLong = (within: string | undefined, path: string) =>
		say(
			within !== undefined && (parseDuration(within) ?? 0) > windowMs,
			`${path}.within`,
			`${within} is longer than the reward's window of ${reward.window}, after which nothing counts anyway.`,
		);
	const warnings = [
		...(metrics?.define ?? []).flatMap(({ within }, index) =>
			tooLong(within, `metrics.define[${index}]`),
		),
		...guardrails.flatMap(({ within }, index) =>
			tooLong(within, `guardrails[${index}]`),
		),
	];
	const primary = metrics?.primary;
	if (primary !== undefined) {
		const controls = Math.floor(primary.plannedUnits * control);
		const smaller = Math.min(controls, primary.plannedUnits - controls);
		warnings.push(
			...say(
				smaller < FIRST_LOOK_UNITS,
				"metrics.primary.plannedUnits",
				control === 0 || control === 1
					? `traffic.control is ${control}, so policy and control cannot be compared: no lift will be reported.`
					: `Of ${primary.plannedUnits} units ${smaller} would be in the smaller of policy and control; below ${FIRST_LOOK_UNITS} no lift is reported.`,
			),
		);
	}
	warnings.push(
		...say(
			share === 0 &&
				(primary !== undefined || document.schedule?.start !== undefined),
			"traffic.share",
			"Nobody takes part in it: set a share above 0 before it starts.",
		),
	);
	return warnings;
}

function hint(name: string, possible: readonly string[], what: string): string {
	if (possible.length === 0) return `${what} are possible; it declares none.`;
	const near = nearestKey(name, possible);
	return near === null
		? `${what} are possible: ${possible.slice(0, 20).join(", ")}.`
		: `Did you mean "${near}"?`;
}

function namesOf(
	features: readonly Placed<FeatureDocument>[],
	holds: (feature: Exclude<FeatureDocument, { kind: "product" }>) => boolean,
): string[] {
	return features.flatMap(({ value }) =>
		value.kind !== "product" && holds(value) ? [value.name] : [],
	);
}

function kindOf(
	features: readonly Placed<FeatureDocument>[],
	name: string,
): string | null {
	return (
		features.find(({ value }) => nameOf(value) === name)?.value.kind ?? null
	);
}
