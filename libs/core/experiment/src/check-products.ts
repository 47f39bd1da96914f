import type { Placed } from "./check-context.js";
import type { Problem } from "./experiment.js";
import {
	type FeatureDocument,
	isProductName,
	type ProductDocument,
	productName,
	TIMES,
} from "./feature-document.js";
import { unknownKeyMessage } from "./nearest-key.js";

/**
 * What is wrong with products.
 * @param features all that the context declares, well formed every one: else a factor could be called unknown that is only misspelt
 */
export function productProblems(
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	const problems: Problem[] = [];
	const byPair = new Map<string, number>();
	for (const { index, value } of features) {
		if (value.kind !== "product") continue;
		const path = `context.features[${index}]`;
		problems.push(...nameProblems(value, path));
		const factors = factorProblems(value, path, features);
		problems.push(...factors);
		if (factors.length > 0) continue;
		problems.push(...sourceProblems(value, path, features));
		const pair = [...value.of].sort().join(TIMES);
		const known = byPair.get(pair);
		if (known === undefined) byPair.set(pair, index);
		else
			problems.push({
				path: `${path}.of`,
				message: `features[${known}] is the product of ${value.of.join(" and ")} already; one is enough.`,
			});
	}
	return problems;
}

function nameProblems(product: ProductDocument, path: string): Problem[] {
	const name = productName(product);
	if (isProductName(name, product.of)) return [];
	return [
		{
			path: `${path}.name`,
			message: `Must be 1 to 64 letters, digits or underscores, starting with a letter; or leave it out, for ${product.of.join(TIMES)}.`,
		},
	];
}

function factorProblems(
	{ of }: ProductDocument,
	path: string,
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	if (of[0] === of[1])
		return [
			{
				path: `${path}.of[1]`,
				message: `A product is made of two different features, and both are ${of[0]}. For a square, send it as a number of its own.`,
			},
		];
	return of.flatMap((name, place) => {
		const message = factorProblem(name, features);
		return message === null ? [] : [{ path: `${path}.of[${place}]`, message }];
	});
}

/** Null where the name is of a feature that has coordinates of its own. */
function factorProblem(
	name: string,
	features: readonly Placed<FeatureDocument>[],
): string | null {
	const factor = features.find(({ value }) => value.name === name)?.value;
	switch (factor?.kind) {
		case undefined: {
			const known = features.flatMap(({ value }) =>
				value.kind === "product" || value.kind === "attribute"
					? []
					: [value.name],
			);
			return unknownKeyMessage(name, known).replace(
				"Unknown key",
				"No feature is called",
			);
		}
		case "product":
			return `${name} is a product itself. Name two features that have a value.`;
		case "attribute":
			return `${name} is an attribute, which has no coordinates that could be multiplied. Declare it as a category with its levels, or a number.`;
		default:
			return null;
	}
}

function sourceProblems(
	{ from, of }: ProductDocument,
	path: string,
	features: readonly Placed<FeatureDocument>[],
): Problem[] {
	const sources = features.flatMap(({ value }) =>
		of.some((name) => name === value.name) ? (value.from ?? []) : [],
	);
	if (from === undefined || sources.includes(from)) return [];
	return [
		{
			path: `${path}.from`,
			message: `Neither ${of[0]} nor ${of[1]} is from: ${from}. A product comes from its two features; leave from out.`,
		},
	];
}
