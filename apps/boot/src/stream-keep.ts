import { type Definition, liveFeatures } from "#core/experiment";
import { historyMs } from "#core/live";

const MINUTE = 60_000;
const LEAST_MS = 15 * MINUTE;
/** Beyond the windows: events that were ahead of their time by 5 minutes, and the time to read it all. */
const SPARE_MS = 10 * MINUTE;

/** How long the stream keeps what learners have acknowledged: deciders fill their live windows from it when they start. */
export function streamKeepMs(definitions: readonly Definition[]): number {
	const features = definitions.flatMap(({ experiment }) =>
		liveFeatures(experiment.context),
	);
	return Math.max(LEAST_MS, historyMs(features) + SPARE_MS);
}

/** The longest that can be: a live window is an hour at most, and decisions are read as far back again. */
export const MOST_STREAM_KEEP_MS = 2 * 66 * MINUTE + SPARE_MS;
