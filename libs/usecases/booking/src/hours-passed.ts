import { hourOf } from "#core/booking";
import { timeOfId, uuidAtTime } from "#core/log";
import type { BookedNext, BookingState } from "./ports.js";

const HOUR_MS = 3_600_000;
/** From its last decision on, as long as a cohort can be open and some days more. */
const LAST_MS = 40 * 24 * HOUR_MS;

/** Where no decision is in sight, time passes all the same: cohorts close. */
export function passHours(
	state: BookingState,
	watermark: string,
): BookedNext | null {
	const hour = hourOf(watermark);
	if (
		hour <= hourOf(state.cursor) ||
		timeOfId(state.cursor) > timeOfId(state.newestId) + LAST_MS
	)
		return null;
	const cursor = uuidAtTime(hour * HOUR_MS);
	return { ...state, cursor, look: null };
}

/** The last full hour that the cursor went past, if it went past one. */
export function lookAt(from: string, to: string): number | null {
	const hour = hourOf(to) * HOUR_MS;
	return hour > timeOfId(from) ? hour : null;
}
