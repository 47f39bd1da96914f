import { type DecisionRow, decodeMessage, timeOfId } from "#core/log";
import type { Stream } from "#usecases/ingesting";

/** A decision may be published this long before its id's time, by clocks that differ. */
const SLACK_MS = 5_000;
const LONGEST_SEARCH_MS = 2_000;
const MOST_SEARCHES = 2;

/**
 * Finds a decision that is in the stream but not yet in the database: reads `segue.log.>` from the id's own time on, for two seconds
 * at most. Rare: the learner is usually milliseconds behind.
 */
export function searchStream(
	stream: Stream,
): (id: string) => Promise<DecisionRow | null> {
	let searches = 0;
	return async (id) => {
		if (searches >= MOST_SEARCHES || !stream.connected) return null;
		searches += 1;
		try {
			return await search(stream, id);
		} catch {
			return null;
		} finally {
			searches -= 1;
		}
	};
}

async function search(stream: Stream, id: string): Promise<DecisionRow | null> {
	let found: DecisionRow | null = null;
	let timer: NodeJS.Timeout | undefined;
	const over = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, LONGEST_SEARCH_MS);
	});
	let finish: () => void = () => {};
	const hit = new Promise<void>((resolve) => {
		finish = resolve;
	});
	const tail = await stream.tail(
		"segue.log.>",
		timeOfId(id) - SLACK_MS,
		({ subject, body }) => {
			const decoded = decodeMessage(subject, body);
			if (decoded.kind !== "decisions") return;
			for (const item of decoded.items)
				if (item.ok && item.value.id === id) {
					found = item.value;
					finish();
				}
		},
	);
	await Promise.race([hit, over, tail.caughtUp]);
	clearTimeout(timer);
	await tail.close();
	return found;
}
