import type { ContextSchema, Feature } from "#core/experiment";
import { coordinateCount, hasValue } from "./feature.js";

/** Where a feature's coordinates lie in x. */
export interface Span<F extends Feature = Feature> {
	readonly feature: F;
	readonly offset: number;
	readonly length: number;
}

export interface Layout {
	/** One per feature, as declared; the coordinate that says that a feature is missing is its last. */
	readonly spans: readonly Span[];
	/** Number of coordinates. */
	readonly d: number;
}

/** Intercept first, then features as declared. A product may stand before the two features it is made of. */
export function layOut({ intercept, features }: ContextSchema): Layout {
	const counts = new Map(
		features
			.filter(hasValue)
			.map((feature) => [feature.name, coordinateCount(feature)]),
	);
	const countOf = (name: string) => counts.get(name) ?? 0;
	let d = intercept ? 1 : 0;
	const spans = features.map((feature) => {
		const length = hasValue(feature)
			? countOf(feature.name) + (feature.missing === "indicator" ? 1 : 0)
			: countOf(feature.of[0]) * countOf(feature.of[1]);
		const span = { feature, offset: d, length };
		d += length;
		return span;
	});
	return { spans, d };
}
