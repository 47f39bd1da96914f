import type { ContextSchema } from "#core/experiment";
import { toGrid } from "#core/linalg";
import { coordinateCount, coordinateNames, hasValue } from "./feature.js";
import type { Layout } from "./layout.js";

/** A product, and where in x it and its two factors lie, without what says that they are missing. */
export interface CompiledProduct {
	readonly name: string;
	readonly of: readonly [string, string];
	readonly left: Stretch;
	readonly right: Stretch;
	/** The first of its coordinates. */
	readonly offset: number;
}

interface Stretch {
	readonly from: number;
	/** Exclusive. */
	readonly to: number;
}

const NOWHERE: Stretch = { from: 0, to: 0 };

export function compileProducts({ spans }: Layout): CompiledProduct[] {
	const stretches = new Map<string, Stretch>();
	for (const { feature, offset: from } of spans)
		if (hasValue(feature))
			stretches.set(feature.name, {
				from,
				to: from + coordinateCount(feature),
			});
	const stretchOf = (name: string) => stretches.get(name) ?? NOWHERE;
	return spans.flatMap(({ feature, offset }) => {
		if (feature.kind !== "product") return [];
		const { name, of } = feature;
		const [left, right] = of;
		return [
			{ name, of, offset, left: stretchOf(left), right: stretchOf(right) },
		];
	});
}

/** `hour.sin×device=phone`: each coordinate of the first with each of the second. */
export function productNames(
	{ features }: ContextSchema,
	[left, right]: readonly [string, string],
): string[] {
	const namesOf = (name: string) => {
		const factor = features.find((feature) => feature.name === name);
		return factor && hasValue(factor) ? coordinateNames(factor) : [];
	};
	const rightNames = namesOf(right);
	return namesOf(left).flatMap((one) =>
		rightNames.map((other) => `${one}×${other}`),
	);
}

/**
 * Writes the products' coordinates. Of rounded coordinates, and rounded themselves, so that x is the same whether it is made now or of
 * what the log kept.
 */
export function multiply(
	products: readonly CompiledProduct[],
	x: Float64Array,
): void {
	for (let p = 0; p < products.length; p++) {
		const { left, right, offset } = products[p] as CompiledProduct;
		let at = offset;
		for (let i = left.from; i < left.to; i++) {
			const factor = x[i] as number;
			for (let j = right.from; j < right.to; j++)
				x[at++] = toGrid(factor * (x[j] as number)) + 0;
		}
	}
}
