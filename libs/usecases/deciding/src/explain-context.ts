import type { Encoder } from "#core/context";
import type { Feature, FeatureSource, JsonValue } from "#core/experiment";
import type { Withholding } from "#core/privacy";
import type { Considered } from "./considered.js";
import { reasonOf, type WhyMissing } from "./why-missing.js";

/** A feature as a decision knew it. */
export interface ExplainedFeature {
	readonly name: string;
	/** Of a product: the two features it is made of. */
	readonly of?: readonly [string, string];
	/** After consent; of a product, its coordinates that are not 0, by their names. Null where it is missing. */
	readonly value: JsonValue;
	readonly source: FeatureSource;
	/** Why it is missing, where it is. */
	readonly reason?: WhyMissing;
	/** Why privacy rules withheld it, where they did. */
	readonly withheld?: Withholding;
}

/** What a feature (or `intercept`) adds to the mean: θᵢ·xᵢ over its coordinates. All of an arm's sum to its mean, within rounding. */
export interface Contribution {
	readonly name: string;
	/** Of a product: the two features it is made of. */
	readonly of?: readonly [string, string];
	readonly value: number;
}

type Known = Pick<
	Considered,
	"definition" | "compiled" | "context" | "x" | "missing" | "reasons" | "ruling"
>;

/** Every declared feature, in order. */
export function explainFeatures(known: Known): ExplainedFeature[] {
	const { features } = known.definition.experiment.context;
	return features.map((feature) => {
		const { name, from } = feature;
		const isMissing = known.missing.includes(name);
		const withheld = known.ruling?.withheld[name];
		return {
			name,
			...factorsOf(feature),
			value: isMissing ? null : shownValue(feature, known),
			source: from,
			...(isMissing && { reason: reasonOf(name, known.reasons) }),
			...(withheld !== undefined && { withheld }),
		};
	});
}

/** What `intercept` and each feature that has coordinates add. */
export function contributionsOf(
	{ definition, compiled, x }: Pick<Known, "definition" | "compiled" | "x">,
	theta: Float64Array,
): Contribution[] {
	const values = new Map<string, number>();
	compiled.encoder.featureNames.forEach((name, i) => {
		values.set(name, (values.get(name) ?? 0) + theta[i]! * x[i]!);
	});
	const { features } = definition.experiment.context;
	return [...values].map(([name, value]) => ({
		name,
		...factorsOf(features.find((feature) => feature.name === name)),
		value: value + 0,
	}));
}

function factorsOf(
	feature: Feature | undefined,
): Pick<ExplainedFeature, "of"> | undefined {
	return feature?.kind === "product" ? { of: feature.of } : undefined;
}

function shownValue({ kind, name }: Feature, known: Known): JsonValue {
	const { values } = known.context;
	if (kind === "product")
		return coordinatesOf(name, known.compiled.encoder, known.x);
	return Object.hasOwn(values, name) ? (values[name] ?? null) : null;
}

function coordinatesOf(
	feature: string,
	{ names, featureNames }: Encoder,
	x: Float64Array,
): { [coordinate: string]: number } {
	return Object.fromEntries(
		names.flatMap((name, i) =>
			featureNames[i] === feature && x[i] !== 0 ? [[name, x[i]!]] : [],
		),
	);
}
