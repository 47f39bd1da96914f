import { AUDIO_FEATURES, type AudioFeature, type Track } from "./catalogue.js";

/** A playlist as ranges: a track belongs to it when each named feature lies within [low, high]. */
export type Recipe = Readonly<
	Partial<Record<AudioFeature, readonly [number, number]>>
>;

/** The recipe of an arm's payload, as the client gets it with the decision. Throws a sentence where it is none. */
export function parseRecipe(payload: unknown): Recipe {
	const recipe = (payload as { recipe?: unknown } | null)?.recipe;
	if (typeof recipe !== "object" || recipe === null) {
		throw new Error(
			`The payload ${JSON.stringify(payload)} has no recipe: give it ranges such as {"energy": [0.8, 1]}.`,
		);
	}
	for (const [name, range] of Object.entries(recipe)) {
		const known = AUDIO_FEATURES.some((feature) => feature === name);
		const isRange =
			Array.isArray(range) &&
			range.length === 2 &&
			range.every((edge) => Number.isFinite(edge));
		if (!known || !isRange) {
			throw new Error(
				`recipe.${name}: ${JSON.stringify(range)} is no range of an audio feature; write [low, high] for one of ${AUDIO_FEATURES.join(", ")}.`,
			);
		}
	}
	return recipe as Recipe;
}

/** The tracks that a playlist of this recipe is filled from, in catalogue order. */
export function tracksOf(
	recipe: Recipe,
	catalogue: ReadonlyMap<number, Track>,
): Track[] {
	const ranges = Object.entries(recipe) as [
		AudioFeature,
		readonly [number, number],
	][];
	return [...catalogue.values()].filter(({ features }) =>
		ranges.every(
			([name, [low, high]]) => features[name] >= low && features[name] <= high,
		),
	);
}
