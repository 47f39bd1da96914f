import type { Problem } from "./experiment.js";
import type { ValueDocument } from "./feature-document.js";
import { nearestKey } from "./nearest-key.js";

/** What is to be said of a mean, for those kinds that have none by themselves. */
const MEANS = {
	boolean: "the share that is true, such as mean: 0.4",
	cyclic: "the value that stands in, such as mean: 8",
	timeOfDay: "the hour that stands in, such as mean: 8.5",
	category: "each level's share, such as mean: { phone: 0.6, desktop: 0.3 }",
	vector: "a list of numbers, as many as the vector has",
} as const;
const TOLERANCE = 1e-9;

/** What is wrong with the mean by which a feature is encoded where it has no value. */
export function meanProblems(feature: ValueDocument, path: string): Problem[] {
	// A number is encoded as (value − mean) / scale, so it has a mean anyhow.
	if (feature.kind === "number" || feature.kind === "attribute") return [];
	const at = `${path}.mean`;
	const { kind, mean, missing } = feature;
	if (missing !== "mean")
		return mean === undefined
			? []
			: [
					{
						path: at,
						message:
							"mean goes with missing: mean; leave it out, or say missing: mean.",
					},
				];
	if (mean === undefined)
		return [{ path: at, message: `With missing: mean, give ${MEANS[kind]}.` }];
	if (kind === "category") return shareProblems(feature.levels, mean, at);
	if (kind === "vector" && mean.length !== feature.length)
		return [
			{
				path: at,
				message: `Must have ${feature.length} numbers, as the vector, not ${mean.length}.`,
			},
		];
	return [];
}

function shareProblems(
	levels: readonly string[],
	mean: { readonly [level: string]: number },
	path: string,
): Problem[] {
	const problems = Object.keys(mean)
		.filter((level) => !levels.includes(level))
		.map((level) => {
			const near = nearestKey(level, levels);
			const hint = near === null ? "" : ` Did you mean ${near}?`;
			return {
				path: `${path}.${level.slice(0, 64)}`,
				message: `There is no such level.${hint}`,
			};
		});
	const sum = Object.values(mean).reduce((all, one) => all + one, 0);
	if (sum > 1 + TOLERANCE)
		problems.push({
			path,
			message: `The shares add up to ${Number(sum.toFixed(4))}, and cannot be more than 1 together.`,
		});
	return problems;
}
