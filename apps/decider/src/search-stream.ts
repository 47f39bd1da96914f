import { type DecisionRow, timeOfId } from "#core/log";
import { fail } from "#usecases/errors";
import { findRow, type Stream } from "#usecases/ingesting";

/** A decision may be published this long before its id's time, by clocks that differ. */
const SLACK_MS = 5_000;
const MOST_AT_ONCE = 2;
const MOST_WAITING = 64;

export interface SearchBounds {
	/** A search that takes longer is given up. */
	readonly searchMs: number;
	/** One whose turn comes later than this after it was asked for is not begun. */
	readonly waitMs: number;
}

/**
 * Finds a decision that is in the stream but not yet in the database: reads `segue.log.>` from the id's own time on. Rare: the learner
 * is usually milliseconds behind. Two searches run at once, more wait for their turn, and those who ask for one id share one search.
 * Null only after all of the stream was read; throws overloaded where that could not be done.
 */
export function searchStream(
	stream: Pick<Stream, "connected" | "tail">,
	bounds: SearchBounds = { searchMs: 2_000, waitMs: 4_000 },
): (id: string) => Promise<DecisionRow | null> {
	const shared = new Map<string, Promise<DecisionRow | null>>();
	const turns = new Turns();
	const begin = async (id: string) => {
		const askedAt = performance.now();
		await turns.take();
		try {
			if (performance.now() - askedAt > bounds.waitMs)
				throw cannotTell(id, "too many searches of the stream wait");
			return await search(stream, id, bounds.searchMs);
		} finally {
			turns.end();
			shared.delete(id);
		}
	};
	return async (id) => {
		if (!stream.connected) throw cannotTell(id, "the stream is out of reach");
		const known = shared.get(id);
		if (known) return known;
		if (shared.size >= MOST_AT_ONCE + MOST_WAITING)
			throw cannotTell(id, "too many searches of the stream wait");
		const searching = begin(id);
		shared.set(id, searching);
		return searching;
	};
}

/** First come, first served. */
class Turns {
	#taken = 0;
	readonly #waiting: (() => void)[] = [];

	take(): Promise<void> {
		if (this.#taken < MOST_AT_ONCE) {
			this.#taken += 1;
			return Promise.resolve();
		}
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	/** Hands the turn to whoever waits longest. */
	end(): void {
		const next = this.#waiting.shift();
		if (next) next();
		else this.#taken -= 1;
	}
}

async function search(
	stream: Pick<Stream, "tail">,
	id: string,
	searchMs: number,
): Promise<DecisionRow | null> {
	let found: (row: DecisionRow) => void = () => {};
	const hit = new Promise<DecisionRow>((resolve) => {
		found = resolve;
	});
	let timer: NodeJS.Timeout | undefined;
	const over = new Promise<never>((_, reject) => {
		const late = () => reject(cannotTell(id, "the stream is too long to read"));
		timer = setTimeout(late, searchMs);
	});
	const tailing = stream.tail(
		"segue.log.>",
		timeOfId(id) - SLACK_MS,
		({ subject, body }) => {
			const row = findRow(subject, body, id);
			if (row !== null) found(row);
		},
	);
	const through = tailing.then(async (tail) => {
		await tail.caughtUp;
		return null;
	});
	try {
		// A hit comes before the end: what was delivered last and the end may be told in one go.
		return await Promise.race([hit, through, over]);
	} catch (error) {
		if (error instanceof Error && error.name === "SegueError") throw error;
		throw cannotTell(id, "the stream could not be read", error);
	} finally {
		clearTimeout(timer);
		// Neither is waited for: a stream that has stopped answering would hold up everyone's turn.
		tailing.then((tail) => tail.close()).catch(() => {});
	}
}

function cannotTell(id: string, why: string, cause?: unknown): Error {
	return fail(
		"overloaded",
		`Whether there is a decision "${id}" that has not reached the database yet cannot be told now: ${why}. Ask again soon.`,
		[],
		{ cause },
	);
}
