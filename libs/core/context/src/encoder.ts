import type { ContextSchema } from "#core/experiment";
import { toGrid, vector } from "#core/linalg";
import {
	type CompiledFeature,
	type ContextValues,
	compileFeature,
	coordinateNames,
	givenValue,
	typeProblem,
	writeCoordinates,
} from "./feature.js";

/** Context + schema → x: the only place that fixes d and the order of coordinates (intercept first, then features as declared). */
export interface Encoder {
	/** Number of coordinates. */
	readonly d: number;
	/** Per coordinate: `intercept`, `hour.sin`, `device=phone`, `taste[0]`. */
	readonly names: readonly string[];
	/**
	 * x with each coordinate clipped to ±8 and rounded to the 2⁻¹² grid. A feature without a value of its type encodes to 0 and
	 * is named in `missing` (attributes too, though they have no coordinate). Never throws.
	 */
	encode(values: ContextValues): { x: Float64Array; missing: string[] };
}

interface Place {
	readonly feature: CompiledFeature;
	readonly offset: number;
}

export function compileEncoder(schema: ContextSchema): Encoder {
	const names: string[] = schema.intercept ? ["intercept"] : [];
	const places: Place[] = [];
	for (const feature of schema.features) {
		places.push({ feature: compileFeature(feature), offset: names.length });
		names.push(...coordinateNames(feature));
	}
	const d = names.length;
	return {
		d,
		names: Object.freeze(names),
		encode(values) {
			const x = vector(d);
			const missing: string[] = [];
			if (schema.intercept) x[0] = 1;
			for (let i = 0; i < places.length; i++) {
				const { feature, offset } = places[i] as Place;
				const value = givenValue(values, feature) ?? null;
				if (value === null || typeProblem(feature, value) !== null)
					missing.push(feature.name);
				else writeCoordinates(feature, value, x, offset);
			}
			// + 0 turns −0 into 0: it is the same coordinate and must have the same bits after a trip through the log.
			for (let i = 0; i < d; i++) x[i] = toGrid(x[i] as number) + 0;
			return { x, missing };
		},
	};
}
