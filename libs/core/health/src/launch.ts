import type { ContextSchema, Feature } from "#core/experiment";
import {
	type Bins,
	binCount,
	binnedParts,
	binOf,
	makeBins,
	valueReader,
} from "./bins.js";
import type { ObservedDecision } from "./observed-decision.js";

/** Decisions of a run that are its launch. */
export const LAUNCH_DECISIONS = 1_000;

/** What a run's context was at its launch, against which the time since is held; kept as it was first made. */
export interface Launch {
	readonly decisions: number;
	/** Times of the first and last of its decisions, milliseconds since the epoch. */
	readonly from: number;
	readonly to: number;
	/** One a feature, in the order of the definition. */
	readonly features: readonly FeatureLaunch[];
}

export interface FeatureLaunch {
	/** Decisions with a value. */
	readonly values: number;
	/** One a number that the feature has, such as each of a vector; null where launch had too few values. */
	readonly parts: readonly (LaunchPart | null)[];
}

export interface LaunchPart {
	readonly bins: Bins;
	/** Values of launch, by bin. */
	readonly counts: readonly number[];
}

/** Of a run's first decisions, with bins made of them. */
export function makeLaunch(
	{ features }: Pick<ContextSchema, "features">,
	decisions: readonly ObservedDecision[],
	times: { readonly from: number; readonly to: number },
): Launch {
	return {
		decisions: decisions.length,
		...times,
		features: features.map((feature) => launchOf(feature, decisions)),
	};
}

function launchOf(
	feature: Feature,
	decisions: readonly ObservedDecision[],
): FeatureLaunch {
	if (feature.kind === "product") {
		const { name } = feature;
		const having = decisions.filter(
			({ missing }) => !Object.hasOwn(missing, name),
		);
		return { values: having.length, parts: [] };
	}
	const read = valueReader(feature);
	const values = decisions
		.map(({ context }) => read(context))
		.filter((value) => value !== undefined);
	const parts = Array.from({ length: binnedParts(feature) }, (_, part) => {
		const bins = makeBins(feature, values, part);
		if (bins === null) return null;
		const counts = new Array<number>(binCount(bins)).fill(0);
		for (const value of values) {
			const bin = binOf(feature, bins, value, part);
			counts[bin] = (counts[bin] ?? 0) + 1;
		}
		return { bins, counts };
	});
	return { values: values.length, parts };
}
