import { closingGraceMs, type Definition } from "#core/experiment";

/** What was sent in time may be on its way for so long. */
export const LEAST_DELAY_MS = 5 * 60_000;

/**
 * How long after its decision all that counts for it should have been learned, milliseconds: what comes later still is counted, but no
 * score is made of it. Every metric's window ends with the reward's.
 */
export function ripeAfterMs({
	experiment: { reward },
}: Pick<Definition, "experiment">): number {
	const closing =
		reward.learn === "windowClose" ? closingGraceMs(reward.windowMs) : 0;
	return reward.windowMs + closing + LEAST_DELAY_MS;
}
