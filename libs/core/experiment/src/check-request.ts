import type { Placed } from "./check-context.js";
import { HINT_VALUES } from "./client-hint.js";
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
	const problems = hintProblems(feature, path);
	if (feature.kind === "timeOfDay")
		problems.push(...timeProblems(feature, path));
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

function hintProblems(feature: ValueDocument, path: string): Problem[] {
	const { hint, from } = feature;
	if (hint === undefined) return [];
	const at = `${path}.hint`;
	if (from !== "request")
		return [
			{
				path: at,
				message: `A hint comes with the request, so it goes with from: request, not ${from}.`,
			},
		];
	const value = HINT_VALUES[hint];
	if (valueOfKind(feature) === value) return [];
	return [
		{
			path: at,
			message: `${hint} is ${FITTING[value]}, and this feature is not.`,
		},
	];
}

const FITTING = {
	text: "text, for kind: category, or attribute",
	number: "a number, for kind: number, or attribute with type: number",
	boolean: "true or false, for kind: boolean",
} as const;

/** What a hint must be for the feature to take it; null for kinds that none fits. */
function valueOfKind(feature: ValueDocument): string | null {
	switch (feature.kind) {
		case "number":
		case "boolean":
			return feature.kind;
		case "category":
			return "text";
		case "attribute":
			return feature.type ?? "text";
		default:
			return null;
	}
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
