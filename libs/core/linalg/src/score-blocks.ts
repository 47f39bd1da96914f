import { paddedLength } from "./arm-block.js";
import type { HasBlock } from "./block-arena.js";
import { scoreTwin } from "./score-twin.js";
import { sharedEngine } from "./shared-engine.js";

/**
 * means[a] = θᵀx and widths[a] = ‖Mx‖ of every arm's block, in their order. Blocks and x have the same d, x is finite, both results have
 * room for all arms; nothing of this is checked here, where every microsecond counts.
 */
export function scoreBlocks(
	arms: readonly HasBlock[],
	x: Float64Array,
	means: Float64Array,
	widths: Float64Array,
): void {
	const done = sharedEngine()?.score(arms, x, means, widths) ?? 0;
	if (done < arms.length) scoreBlocksByTwin(arms, x, means, widths, done);
}

/** The same, to the last bit, in plain JavaScript, from arm `from` on. */
export function scoreBlocksByTwin(
	arms: readonly HasBlock[],
	x: Float64Array,
	means: Float64Array,
	widths: Float64Array,
	from = 0,
): void {
	const padded = paddedLength(x.length);
	const filledUp = new Float64Array(padded);
	filledUp.set(x);
	for (let a = from; a < arms.length; a++) {
		const { values } = (arms[a] as HasBlock).block;
		const { mean, width } = scoreTwin(values, filledUp, padded);
		means[a] = mean;
		widths[a] = width;
	}
}
