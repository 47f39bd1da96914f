import { compileEncoder } from "#core/context";
import type { FeatureDocument } from "./document.js";
import { parseDuration } from "./duration.js";
import type { Problem } from "./experiment.js";
import { toContext } from "./from-document.js";
import { RETRACT } from "./patterns.js";

/** Most coordinates an experiment's x may have: the sums of an arm grow with its square. */
export const MOST_COORDINATES = 256;
/** The name of the coordinate that is 1, in explanations. */
const INTERCEPT = "intercept";
const LONGEST_LIVE_MS = 3_600_000;

/** A feature that has the schema's structure, and where it stands in the list. */
export interface Placed<T> {
	readonly index: number;
	readonly value: T;
}

/** What spans several fields of the features. */
export function featureProblems(
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	const problems: Problem[] = [];
	const first = new Map<string, number>();
	for (const { index, value: feature } of features) {
		const path = `context.features[${index}]`;
		const known = first.get(feature.name);
		if (known === undefined) first.set(feature.name, index);
		else
			problems.push({
				path: `${path}.name`,
				message: `features[${known}] is called ${feature.name} too; names must differ.`,
			});
		if (feature.name === INTERCEPT)
			problems.push({
				path: `${path}.name`,
				message: `A feature cannot be called ${INTERCEPT}: that is the first coordinate, which is 1. Use another name.`,
			});
		problems.push(
			...sourceProblems(feature, path),
			...listProblems(feature, path),
		);
	}
	return problems;
}

/** The number of coordinates, which only a complete context has. */
export function dimensionProblem(
	intercept: boolean | undefined,
	features: readonly FeatureDocument[],
): Problem | null {
	const { d } = compileEncoder(toContext(intercept, features));
	if (d === 0)
		return {
			path: "context",
			message:
				"Encodes nothing: declare a feature that is encoded, or leave the intercept on.",
		};
	if (d <= MOST_COORDINATES) return null;
	const message = `Encodes to ${d} coordinates; at most ${MOST_COORDINATES} are possible. Use fewer levels or shorter vectors.`;
	return { path: "context.features", message };
}

function sourceProblems(feature: FeatureDocument, path: string): Problem[] {
	if (feature.from !== "live") {
		if (feature.kind !== "number") return [];
		return (["event", "window", "aggregate"] as const)
			.filter((key) => feature[key] !== undefined)
			.map((key) => ({
				path: `${path}.${key}`,
				message: `${key} goes with from: live; this feature is from: ${feature.from}.`,
			}));
	}
	if (feature.kind !== "number")
		return [
			{
				path: `${path}.kind`,
				message: `A live feature counts events, so its kind must be number, not ${feature.kind}.`,
			},
		];
	return liveProblems(feature, path);
}

function liveProblems(
	feature: Extract<FeatureDocument, { kind: "number" }>,
	path: string,
): Problem[] {
	const problems: Problem[] = [];
	if (feature.event === undefined)
		problems.push({
			path: `${path}.event`,
			message:
				"A live feature needs the event type it counts, such as event: skip.",
		});
	else if (feature.event === RETRACT)
		problems.push({
			path: `${path}.event`,
			message: "A retract takes an event back; it cannot be counted.",
		});
	const window =
		feature.window === undefined ? null : parseDuration(feature.window);
	if (feature.window === undefined)
		problems.push({
			path: `${path}.window`,
			message: "A live feature needs a window, such as window: 30s.",
		});
	else if (window !== null && (window < 1000 || window > LONGEST_LIVE_MS))
		problems.push({
			path: `${path}.window`,
			message: `A live window is 1s to 1h, not ${feature.window}.`,
		});
	if (feature.aggregate !== undefined && feature.aggregate !== "count")
		problems.push({
			path: `${path}.aggregate`,
			message: `The aggregate ${feature.aggregate} is not available yet; live features can only count.`,
		});
	return problems;
}

function listProblems(feature: FeatureDocument, path: string): Problem[] {
	const key = feature.kind === "category" ? "levels" : "values";
	const list =
		feature.kind === "category"
			? feature.levels
			: feature.kind === "attribute"
				? (feature.values ?? [])
				: [];
	return list.flatMap((item, index) =>
		list.indexOf(item) === index
			? []
			: [
					{
						path: `${path}.${key}[${index}]`,
						message: `${item} is listed twice.`,
					},
				],
	);
}
