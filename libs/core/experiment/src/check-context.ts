import { compileEncoder } from "#core/context";
import { liveProblems } from "./check-live.js";
import type { Problem } from "./experiment.js";
import type { FeatureDocument } from "./feature-document.js";
import { toContext } from "./from-document.js";

/** Most coordinates an experiment's x may have: the sums of an arm grow with its square. */
export const MOST_COORDINATES = 256;
/** The name of the coordinate that is 1, in explanations. */
const INTERCEPT = "intercept";

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
			...liveProblems(feature, path, features),
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
