import type { Placed } from "./check-context.js";
import type { Problem } from "./experiment.js";
import type { FeatureDocument, ValueDocument } from "./feature-document.js";

/** What of a request's context says where the unit is, for features of the kind timeOfDay. */
export const TIME_ZONE = "timeZone";

/** What is wrong with features that only a request can give. */
export function requestProblems(
	feature: ValueDocument,
	path: string,
	all: readonly Placed<FeatureDocument>[],
): Problem[] {
	if (feature.kind === "timeOfDay") return timeProblems(feature, path);
	const problems: Problem[] = [];
	if (feature.name === TIME_ZONE && feature.from === "request")
		problems.push(...zoneProblems(feature, path, all));
	if (feature.kind === "attribute" && feature.type === "number")
		if ((feature.values ?? []).length > 0)
			problems.push({
				path: `${path}.values`,
				message: "values lists texts; leave it out with type: number.",
			});
	return problems;
}

function timeProblems({ from }: ValueDocument, path: string): Problem[] {
	if (from === "request") return [];
	return [
		{
			path: `${path}.from`,
			message: `The time of day is made of the time of the request and its zone, so it is from: request, not ${from}.`,
		},
	];
}

/** A zone that is declared is a feature beside what is made of it. */
function zoneProblems(
	{ kind }: ValueDocument,
	path: string,
	all: readonly Placed<FeatureDocument>[],
): Problem[] {
	if (kind === "attribute" || kind === "category") return [];
	if (!all.some(({ value }) => value.kind === "timeOfDay")) return [];
	return [
		{
			path: `${path}.kind`,
			message: `${TIME_ZONE} says where the unit is, for the time of day, so its kind must be attribute or category, not ${kind}. Or use another name.`,
		},
	];
}
