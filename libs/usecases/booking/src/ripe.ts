import { closingGraceMs, type Definition } from "#core/experiment";

/** What was sent in time may be on its way for so long, and where windows are shorter for as long as these. */
export const MOST_DELAY_MS = 5 * 60_000;
export const LEAST_DELAY_MS = 5_000;

/**
 * How long after its decision all that counts for it should have been learned, milliseconds: what comes later still is counted, but no
 * score is made of it. Every metric's window ends with the reward's.
 */
export function ripeAfterMs({
	experiment: { reward },
}: Pick<Definition, "experiment">): number {
	const closing =
		reward.learn === "windowClose" ? closingGraceMs(reward.windowMs) : 0;
	const delay = Math.min(
		MOST_DELAY_MS,
		Math.max(LEAST_DELAY_MS, reward.windowMs),
	);
	return reward.windowMs + closing + delay;
}
