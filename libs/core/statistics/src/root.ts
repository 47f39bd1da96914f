/**
 * Where a function that rises from below 0 at `low` to above 0 at `high` is 0, by halving until no number lies between. Off the hot
 * path: about 60 evaluations.
 */
export function risingRoot(
	f: (x: number) => number,
	low: number,
	high: number,
): number {
	let [below, above] = [low, high];
	for (let halvings = 0; halvings < 200; halvings++) {
		const middle = below + (above - below) / 2;
		if (middle <= below || middle >= above) break;
		if (f(middle) < 0) below = middle;
		else above = middle;
	}
	return above;
}
