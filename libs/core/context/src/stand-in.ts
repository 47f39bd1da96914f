import type { ValueFeature } from "#core/experiment";
import { vector } from "#core/linalg";
import { coordinateCount, writeCoordinates } from "./feature.js";

/** What a feature writes in place of a value that is missing, over all its coordinates; null where all of them are 0. */
export function standInFor(feature: ValueFeature): Float64Array | null {
	switch (feature.missing) {
		case undefined:
			return null;
		case "indicator": {
			const told = vector(coordinateCount(feature) + 1);
			told[told.length - 1] = 1;
			return told;
		}
		case "mean":
			return meanOf(feature);
	}
}

/** Coordinates of the declared mean. A number is encoded by its distance from the mean, which so is 0 itself. */
function meanOf(feature: ValueFeature): Float64Array | null {
	const mean = vector(coordinateCount(feature));
	switch (feature.kind) {
		case "boolean":
			mean[0] = feature.mean ?? 0;
			return mean;
		case "category": {
			const shares = new Map(Object.entries(feature.mean ?? {}));
			feature.levels.forEach((level, i) => {
				mean[i] = shares.get(level) ?? 0;
			});
			return mean;
		}
		case "cyclic":
		case "timeOfDay":
		case "vector":
			if (feature.mean !== undefined)
				writeCoordinates(feature, feature.mean, mean, 0);
			return mean;
		case "number":
		case "attribute":
			return null;
	}
}
