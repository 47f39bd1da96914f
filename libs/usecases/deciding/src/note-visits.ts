import { type VisitedDecision, visitOf } from "#core/experiment";
import { timeOfId } from "#core/log";
import { LONGEST_HOURS } from "#core/metrics";
import type { EventLog } from "#usecases/ingesting";

const HOUR_MS = 3_600_000;
/** From the ask on, for the stream; then the spool keeps it. */
const PUBLISH_MS = 500;
const MOST_REMEMBERED = 100_000;

/**
 * Tells the log that a unit asked again while a decision stood for it, once for each hour of the clock: by it reports know who came back.
 * Nobody waits for it. Where a process dies before it is safe, the visit is lost unless the unit asks once more within the hour.
 */
export class NoteVisits {
	/** By decision, the hour of its latest visit; the one noted first is forgotten first, which costs a message that adds nothing. */
	readonly #noted = new Map<string, number>();

	/** Hours after a decision in which visits are told: as far as anyone asks, and while the log surely has the decision. */
	readonly #hours: number;

	/** @param logDays that the log keeps, today's included */
	constructor(
		private readonly log: EventLog,
		logDays: number,
	) {
		this.#hours = Math.min(LONGEST_HOURS, 24 * (logDays - 1));
	}

	/** @param at of the ask, milliseconds since the epoch */
	execute(decision: VisitedDecision, at: number): void {
		const { id } = decision;
		const hour = Math.floor(at / HOUR_MS);
		const since = hour - Math.floor(timeOfId(id) / HOUR_MS);
		if (since <= 0 || since >= this.#hours) return;
		if (this.#noted.get(id) === hour) return;
		this.#remember(id, hour);
		this.log.events([visitOf(decision, at)], PUBLISH_MS).catch(() => {
			// Neither stream nor spool took it, which whoever publishes tells of: its next ask tries again.
			this.#noted.delete(id);
		});
	}

	#remember(id: string, hour: number): void {
		this.#noted.delete(id);
		this.#noted.set(id, hour);
		for (const oldest of this.#noted.keys()) {
			if (this.#noted.size <= MOST_REMEMBERED) break;
			this.#noted.delete(oldest);
		}
	}
}
