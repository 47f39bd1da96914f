import { closingOf } from "#core/experiment";
import { eventHash } from "./event-hash.js";
import { foldBatch } from "./fold.js";
import type {
	Committed,
	LearningLedger,
	LoggedEvent,
	OpenWindow,
	OpenWindows,
} from "./ports.js";

const AT_ONCE = 1_000;
/** So that upkeep does not keep the learner from what is delivered. */
const MOST_BATCHES = 20;

/**
 * Writes the closings of windows that are over: from then on the decisions teach. Any number of learners may do it at once; the first
 * that stores a closing moves the sums.
 */
export class CloseWindows {
	constructor(
		private readonly windows: OpenWindows,
		private readonly ledger: LearningLedger,
	) {}

	/** @param now the stream's clock, milliseconds: what was stored up to then is learned, but for what is on its way */
	async execute(now: number): Promise<readonly Committed[]> {
		const commits: Committed[] = [];
		while (commits.length < MOST_BATCHES) {
			const due = await this.windows.due(now, AT_ONCE);
			if (due.length === 0) break;
			const closings = due.map((window) => toClosing(window, now));
			commits.push(
				await this.ledger.commit(
					{ decisions: [], events: [], deadLetters: [], closings },
					foldBatch,
				),
			);
			if (due.length < AT_ONCE) break;
		}
		return commits;
	}
}

function toClosing({ id, unit, endsAt }: OpenWindow, now: number): LoggedEvent {
	const event = closingOf({ id, unit: unit ?? "" }, endsAt);
	return {
		event,
		bodyHash: eventHash(event),
		publisher: null,
		source: { position: -1, index: 0, subject: "", storedAt: now },
	};
}
