import { distance } from "fastest-levenshtein";

/** `Unknown key "outcome": did you mean "outcomes"?`, or the list of known keys where none is near. */
export function unknownKeyMessage(
	key: string,
	known: readonly string[],
): string {
	const near = nearestKey(key, known);
	const shown = JSON.stringify(key.slice(0, 64));
	return near === null
		? `Unknown key ${shown}. Known here: ${known.join(", ")}.`
		: `Unknown key ${shown}: did you mean ${JSON.stringify(near)}?`;
}

/** The known key that needs the fewest edits, if those are at most half of its letters. */
export function nearestKey(
	key: string,
	known: readonly string[],
): string | null {
	if (key.length > 128) return null;
	let best: string | null = null;
	let fewest = Number.POSITIVE_INFINITY;
	for (const candidate of known) {
		const edits = distance(key.toLowerCase(), candidate.toLowerCase());
		if (edits < fewest && edits <= Math.max(2, candidate.length / 2)) {
			best = candidate;
			fewest = edits;
		}
	}
	return best;
}
