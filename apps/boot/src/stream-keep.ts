/** How long the stream keeps what learners have acknowledged: live windows reach back 5 minutes by event time and an event may be early by 5; deciders rebuild from this much. */
export const STREAM_KEEP_MS = 15 * 60_000;
