import { TIE } from "./exploration.js";

/**
 * Below max(μ − 7σ) the best sampled score does not lie: Φ(−7) = 1.3e-12. So wherever it may lie, no arm is seen further than 7σ below
 * its mean, no Φ is tiny, and Φ may be divided by.
 */
const BELOW = 7;
/** Above μ + 8σ an arm's sampled score does not lie: 1 − Φ(8) = 6e-16, of which a thousand arms may add up. */
const ABOVE = 8;
/** A smaller σ counts as this, so that 1/σ is finite. */
const LEAST_SD = 2 ** -1000;

/** The arms that may win. Their order depends on their numbers alone, so that sums over them do not change with the caller's order. */
export interface Contest {
	/** How many arms compete. */
	readonly size: number;
	/** Each competitor's index in the caller's order. The last to drop out comes first. */
	readonly arms: readonly number[];
	/** μ, as distances from one arm that matters, so that narrow arms far from 0 keep their digits. */
	readonly means: Float64Array;
	/** 1/σ. */
	readonly precisions: Float64Array;
	/** μ + 8σ, descending: above t only the first few are still in the race. */
	readonly dropOuts: Float64Array;
	/** The least σ of competitors 0…i. */
	readonly narrowest: Float64Array;
	/** Where the best sampled score may begin to lie. */
	readonly start: number;
	/** Arms with σ = 0, tied at `start` for the best mean among such; none where a competitor is surely above them. */
	readonly points: readonly number[];
}

/** Scales, culls and orders K arms. Throws RangeError where a mean is not finite, or a σ not finite or below 0. */
export function contestOf(means: Float64Array, sds: Float64Array): Contest {
	const scale = scaleOf(means, sds);
	const origin = originOf(means, sds, scale);
	const top = topPoint(means, sds);
	const point = top * scale - origin;
	const centred = new Float64Array(means.length);
	const spread = new Float64Array(means.length);
	let start = point;
	for (let a = 0; a < means.length; a++) {
		if (sds[a] === 0) continue;
		const mean = (means[a] as number) * scale - origin;
		const sd = Math.max((sds[a] as number) * scale, LEAST_SD);
		centred[a] = mean;
		spread[a] = sd;
		start = Math.max(start, mean - BELOW * sd);
	}
	return {
		...lineUp(centred, spread, start),
		start,
		points: point === start ? pointsAt(top, means, sds) : [],
	};
}

/** Sorted by when they drop out; equal there, by mean. Arms equal in both are equal, and their order is of no account. */
function lineUp(means: Float64Array, sds: Float64Array, start: number) {
	const dropOut = new Float64Array(means.length);
	const arms: number[] = [];
	for (let a = 0; a < means.length; a++) {
		const sd = sds[a] as number;
		dropOut[a] = (means[a] as number) + ABOVE * sd;
		if (sd > 0 && (dropOut[a] as number) > start) arms.push(a);
	}
	arms.sort(
		(a, b) =>
			(dropOut[b] as number) - (dropOut[a] as number) ||
			(means[b] as number) - (means[a] as number),
	);
	const size = arms.length;
	const narrowest = new Float64Array(size);
	const precisions = new Float64Array(size);
	let least = Number.POSITIVE_INFINITY;
	for (let i = 0; i < size; i++) {
		const sd = sds[arms[i] as number] as number;
		least = Math.min(least, sd);
		narrowest[i] = least;
		precisions[i] = 1 / sd;
	}
	return {
		size,
		arms,
		means: Float64Array.from(arms, (a) => means[a] as number),
		precisions,
		dropOuts: Float64Array.from(arms, (a) => dropOut[a] as number),
		narrowest,
	};
}

/** The power of two that brings extreme numbers to where sums and 1/σ neither overflow nor lose digits; 1 for all others. */
function scaleOf(means: Float64Array, sds: Float64Array): number {
	let largest = 0;
	for (let a = 0; a < means.length; a++) {
		const mean = means[a] as number;
		const sd = sds[a] as number;
		if (!Number.isFinite(mean) || !Number.isFinite(sd) || sd < 0)
			throw new RangeError(
				`The sampled score of arm ${a} has mean ${mean} and standard deviation ${sd}; x or α is too large for float64.`,
			);
		largest = Math.max(largest, Math.abs(mean), sd);
	}
	if (largest > 2 ** 500) return 2 ** -560;
	return largest < 2 ** -500 ? 2 ** 560 : 1;
}

/** The best mean among arms with σ = 0; −∞ without such. */
function topPoint(means: Float64Array, sds: Float64Array): number {
	let top = Number.NEGATIVE_INFINITY;
	for (let a = 0; a < means.length; a++)
		if (sds[a] === 0) top = Math.max(top, means[a] as number);
	return top;
}

function pointsAt(
	top: number,
	means: Float64Array,
	sds: Float64Array,
): number[] {
	const points: number[] = [];
	for (let a = 0; a < means.length; a++)
		if (sds[a] === 0 && (means[a] as number) >= top - TIE) points.push(a);
	return points;
}

/** The mean of an arm that reaches as high as any from below: distances from it are small where it matters. */
function originOf(
	means: Float64Array,
	sds: Float64Array,
	scale: number,
): number {
	let highest = Number.NEGATIVE_INFINITY;
	let origin = 0;
	for (let a = 0; a < means.length; a++) {
		const mean = (means[a] as number) * scale;
		const bottom = mean - BELOW * scale * (sds[a] as number);
		// The order of equal bottoms must not show: the higher mean is the same arm in every order.
		if (bottom > highest || (bottom === highest && mean > origin)) {
			highest = bottom;
			origin = mean;
		}
	}
	return origin;
}
