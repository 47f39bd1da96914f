import type { ContextSchema, ValueFeature } from "#core/experiment";
import { toGrid, vector } from "#core/linalg";
import {
	type CompiledFeature,
	type ContextValues,
	compileFeature,
	coordinateNames,
	givenValue,
	hasValue,
	typeProblem,
	writeCoordinates,
} from "./feature.js";
import { layOut } from "./layout.js";
import { compileProducts, multiply, productNames } from "./product.js";
import { standInFor } from "./stand-in.js";

/** Context + schema → x: the only place that fixes d and the order of coordinates (intercept first, then features as declared). */
export interface Encoder {
	/** Number of coordinates. */
	readonly d: number;
	/** Per coordinate: `intercept`, `hour.sin`, `device=phone`, `taste[0]`, `taste?` (1 where taste is missing), `hour.sin×device=phone`. */
	readonly names: readonly string[];
	/** Per coordinate: `intercept`, or the feature that it belongs to. */
	readonly featureNames: readonly string[];
	/**
	 * x with each coordinate clipped to ±8 and rounded to the 2⁻¹² grid. A feature without a value of its type encodes as its
	 * definition says (0 where it says nothing) and is named in `missing`, attributes too, though they have no coordinate; products
	 * come after all others. Never throws.
	 * @param areParsed whether what the request gives is as compileParser let it through: then it is not judged again, for which one
	 * decision took 2.4 of 25 µs
	 */
	encode(
		values: ContextValues,
		areParsed?: boolean,
	): { x: Float64Array; missing: string[] };
}

interface Place {
	readonly feature: CompiledFeature;
	readonly offset: number;
	readonly standIn: Float64Array | null;
}

export function compileEncoder(schema: ContextSchema): Encoder {
	const layout = layOut(schema);
	const { spans, d } = layout;
	const places: Place[] = spans.flatMap(({ feature, offset }) =>
		hasValue(feature)
			? [
					{
						feature: compileFeature(feature),
						offset,
						standIn: standInFor(feature),
					},
				]
			: [],
	);
	const products = compileProducts(layout);
	return {
		d,
		...namesIn(schema),
		encode(values, areParsed = false) {
			const x = vector(d);
			const missing: string[] = [];
			if (schema.intercept) x[0] = 1;
			for (let i = 0; i < places.length; i++) {
				const { feature, offset, standIn } = places[i] as Place;
				const value = givenValue(values, feature) ?? null;
				const isJudged = areParsed && feature.from === "request";
				if (
					value === null ||
					(!isJudged && typeProblem(feature, value) !== null)
				) {
					missing.push(feature.name);
					if (standIn !== null) x.set(standIn, offset);
				} else writeCoordinates(feature, value, x, offset);
			}
			// + 0 turns −0 into 0: it is the same coordinate and must have the same bits after a trip through the log.
			for (let i = 0; i < d; i++) x[i] = toGrid(x[i] as number) + 0;
			if (products.length > 0) {
				multiply(products, x);
				if (missing.length > 0) addMissing(missing);
			}
			return { x, missing };
		},
	};

	function addMissing(missing: string[]): void {
		for (const { name, of } of products)
			if (missing.includes(of[0]) || missing.includes(of[1]))
				missing.push(name);
	}
}

/** `tempo?`, where a coordinate says that tempo is missing. */
function indicatorNames({ name, missing }: ValueFeature): string[] {
	return missing === "indicator" ? [`${name}?`] : [];
}

function namesIn(
	schema: ContextSchema,
): Pick<Encoder, "names" | "featureNames"> {
	const names = schema.intercept ? ["intercept"] : [];
	const featureNames = [...names];
	for (const feature of schema.features) {
		const own = hasValue(feature)
			? [...coordinateNames(feature), ...indicatorNames(feature)]
			: productNames(schema, feature.of);
		names.push(...own);
		for (const _ of own) featureNames.push(feature.name);
	}
	return {
		names: Object.freeze(names),
		featureNames: Object.freeze(featureNames),
	};
}
