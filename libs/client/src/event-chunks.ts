import type { OutcomeEvent, SentEvent } from "./contract.js";

export const MOST_EVENTS = 1_000;
/** Below the server's 1 MiB, for the envelope's sake. */
const MOST_BYTES = 1_000_000;

/** Gives each event its id and time once, before the first try, so that every repeat is the same event. */
export function identified(
	events: readonly OutcomeEvent[],
	now: () => number,
	newId: () => string,
): SentEvent[] {
	return events.map((event) => ({
		...event,
		id: event.id ?? newId(),
		at: event.at ?? new Date(now()).toISOString(),
	}));
}

export interface Chunk {
	/** Place of the first event among all. */
	readonly from: number;
	readonly events: readonly SentEvent[];
}

/** Cuts into requests of at most 1,000 events and 1 MB; an event too large by itself goes alone, to be refused by the server. */
export function chunked(events: readonly SentEvent[]): Chunk[] {
	const chunks: { from: number; events: SentEvent[] }[] = [];
	let bytes = 0;
	for (const [index, event] of events.entries()) {
		const size = new TextEncoder().encode(JSON.stringify(event)).length + 1;
		const last = chunks.at(-1);
		if (
			last === undefined ||
			last.events.length === MOST_EVENTS ||
			bytes + size > MOST_BYTES
		) {
			chunks.push({ from: index, events: [event] });
			bytes = size;
		} else {
			last.events.push(event);
			bytes += size;
		}
	}
	return chunks;
}
