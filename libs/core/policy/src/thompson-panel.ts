import {
	CELL,
	CELLS_PER_UNIT,
	LAST_CELL,
	LOWEST,
	NORMAL_CDF_TABLE,
	normalCdf,
} from "./normal-cdf.js";
import type { Contest } from "./thompson-contest.js";
import { NODES, WEIGHTS } from "./thompson-rule.js";

/** What one integration carries along; its own, since several may be under way at once. */
export interface Tally {
	/** ∫ so far, for each competitor. */
	readonly won: Float64Array;
	/** φ_a(t)/Φ_a(t) at one node, for each competitor. */
	readonly ratios: Float64Array;
}

/** F(t) = Π Φ_b(t) over the first `racing` competitors: the probability that no sampled score is above t. */
export function allBelow(
	{ means, precisions }: Contest,
	racing: number,
	t: number,
): number {
	let product = 1;
	for (let i = 0; i < racing; i++)
		product *= normalCdf(
			(t - (means[i] as number)) * (precisions[i] as number),
		);
	return product;
}

/** Adds ∫ φ_a Π_{b≠a} Φ_b over one panel to the first `racing` competitors, by 16 nodes of Gauss–Legendre. */
export function addPanel(
	contest: Contest,
	racing: number,
	from: number,
	to: number,
	tally: Tally,
): void {
	const half = (to - from) / 2;
	const middle = from + half;
	for (let k = 0; k < NODES.length; k++)
		addNode(
			contest,
			racing,
			middle + half * (NODES[k] as number),
			half * (WEIGHTS[k] as number),
			tally,
		);
}

/**
 * Adds weight · F(t) · φ_a(t)/Φ_a(t). One product for all arms instead of one an arm; Φ_a ≥ Φ(−7) here, and its error cancels, since F
 * has the very same factor. The cell is read here, not by a call for Φ and one for φ: this loop is all the time there is.
 */
function addNode(
	{ means, precisions }: Contest,
	racing: number,
	t: number,
	weight: number,
	{ won, ratios }: Tally,
): void {
	const table = NORMAL_CDF_TABLE;
	let product = weight;
	for (let i = 0; i < racing; i++) {
		const precision = precisions[i] as number;
		const place =
			((t - (means[i] as number)) * precision - LOWEST) * CELLS_PER_UNIT;
		const within = Math.min(Math.max(place, 0), LAST_CELL);
		const cell = within | 0;
		const u = within - cell;
		const c = cell * CELL;
		const c1 = table[c + 1] as number;
		const c2 = table[c + 2] as number;
		const c3 = table[c + 3] as number;
		const c4 = table[c + 4] as number;
		const c5 = table[c + 5] as number;
		const cdf =
			(table[c] as number) + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))));
		const rise = c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5)));
		product *= cdf;
		ratios[i] = (rise / cdf) * (CELLS_PER_UNIT * precision);
	}
	for (let i = 0; i < racing; i++)
		won[i] = (won[i] as number) + product * (ratios[i] as number);
}
