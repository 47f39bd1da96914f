import {
	isPreciseLocation,
	type Layout,
	layOut,
	PRECISE_LOCATION,
} from "#core/context";
import { alarmProblems } from "./check-alarm.js";
import { liveProblems } from "./check-live.js";
import { meanProblems } from "./check-missing.js";
import { requestProblems } from "./check-request.js";
import type { Problem } from "./experiment.js";
import {
	type FeatureDocument,
	productName,
	type ValueDocument,
} from "./feature-document.js";
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
		const name = nameOf(feature);
		const known = first.get(name);
		if (known === undefined) first.set(name, index);
		else
			problems.push({
				path: `${path}.name`,
				message: `features[${known}] is called ${name} too; names must differ.`,
			});
		if (name === INTERCEPT)
			problems.push({
				path: `${path}.name`,
				message: `A feature cannot be called ${INTERCEPT}: that is the first coordinate, which is 1. Use another name.`,
			});
		if (isPreciseLocation(name))
			problems.push({
				path: `${path}.name`,
				message: `${name} ${PRECISE_LOCATION}.`,
			});
		if (feature.kind !== "product")
			problems.push(
				...liveProblems(feature, path, features),
				...listProblems(feature, path),
				...meanProblems(feature, path),
				...alarmProblems(feature, path),
				...requestProblems(feature, path, features),
			);
	}
	return problems;
}

export function nameOf(feature: FeatureDocument): string {
	return feature.kind === "product" ? productName(feature) : feature.name;
}

/** The number of coordinates, which only a complete context has. */
export function dimensionProblem(
	intercept: boolean | undefined,
	features: readonly FeatureDocument[],
): Problem | null {
	const layout = layOut(toContext(intercept, features));
	const { d } = layout;
	if (d === 0)
		return {
			path: "context",
			message:
				"Encodes nothing: declare a feature that is encoded, or leave the intercept on.",
		};
	if (d <= MOST_COORDINATES) return null;
	const message = `Encodes to ${d} coordinates${shareOfProducts(layout)}; at most ${MOST_COORDINATES} are possible. Use fewer levels or shorter vectors.`;
	return { path: "context.features", message };
}

/** The largest product and what all of them take, as a part of a sentence; empty where there is none. */
function shareOfProducts({ spans }: Layout): string {
	const products = spans.filter(({ feature }) => feature.kind === "product");
	const [largest] = products.sort((a, b) => b.length - a.length);
	if (largest === undefined) return "";
	const all = products.reduce((sum, { length }) => sum + length, 0);
	const { name } = largest.feature;
	return products.length === 1
		? `, ${all} of them of the product ${name}`
		: `, ${all} of them of products (${name} has ${largest.length})`;
}

function listProblems(feature: ValueDocument, path: string): Problem[] {
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
