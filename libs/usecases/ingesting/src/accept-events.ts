import { isFuture, type Problem } from "#core/experiment";
import { type Event, parseEvent } from "#core/log";
import { fail, type ProblemDetails, toProblem } from "#usecases/errors";
import type { Place } from "./group-commit.js";
import { type Clock, SpoolFull } from "./ports.js";

export interface EventsAnswer {
	readonly accepted: number;
	/** In order of index; the others are accepted. */
	readonly rejected: readonly {
		readonly index: number;
		readonly problem: ProblemDetails;
	}[];
}

export interface EventLog {
	/** Resolves when the events survive a kill -9. Rejects with SpoolFull. */
	events(events: readonly Event[], timeoutMs: number): Promise<Place>;
}

export const MOST_EVENTS = 1_000;
const PUBLISH_MS = 500;

/** Events at the door: each judged on its own; those accepted are durable before the answer and reach a verdict. */
export class AcceptEvents {
	constructor(
		private readonly log: EventLog,
		private readonly clock: Clock,
		private readonly onAnswer: (
			accepted: number,
			rejected: number,
		) => void = () => {},
		/** What the unit of an accepted event is called from here on. */
		private readonly nameOf: ((event: Event) => string) | null = null,
	) {}

	/** Throws invalid for a bad envelope, too-large for more than 1,000 events, overloaded. */
	async execute(body: unknown): Promise<EventsAnswer> {
		const accepted: Event[] = [];
		const rejected: { index: number; problem: ProblemDetails }[] = [];
		for (const [index, raw] of envelope(body).entries()) {
			const problems = this.#judge(raw, accepted);
			if (problems.length > 0)
				rejected.push({
					index,
					problem: toProblem(fail("invalid", said(problems), problems)),
				});
		}
		if (accepted.length > 0) await this.#keep(accepted);
		this.onAnswer(accepted.length, rejected.length);
		return { accepted: accepted.length, rejected };
	}

	/** Adds the event to `accepted`, or says what is wrong with it. */
	#judge(raw: unknown, accepted: Event[]): readonly Problem[] {
		const parsed = parseEvent(raw);
		if (!parsed.ok) return parsed.problems;
		if (isFuture(parsed.value.at, this.clock.now()))
			return [
				{
					path: "at",
					message:
						"Is more than 5 minutes ahead of Segue's clock. Check the client's clock.",
				},
			];
		const event = parsed.value;
		accepted.push(
			this.nameOf === null ? event : { ...event, unit: this.nameOf(event) },
		);
		return [];
	}

	async #keep(events: readonly Event[]): Promise<void> {
		try {
			await this.log.events(events, PUBLISH_MS);
		} catch (error) {
			if (!(error instanceof SpoolFull)) throw error;
			throw fail(
				"overloaded",
				"The events cannot be kept safe now: the stream is away and the spool is full. Send them again, with the same ids.",
			);
		}
	}
}

function envelope(body: unknown): readonly unknown[] {
	const wrong = (path: string, message: string) =>
		fail("invalid", `${path === "" ? "The body" : path}: ${message}`, [
			{ path, message },
		]);
	if (typeof body !== "object" || body === null || Array.isArray(body))
		throw wrong("", "Must be an object with `events`.");
	for (const key of Object.keys(body))
		if (key !== "events")
			throw wrong(
				key.slice(0, 64),
				"Is not known here; did you mean `events`?",
			);
	const { events } = body as { events?: unknown };
	if (!Array.isArray(events))
		throw wrong("events", "Must be a list of events.");
	if (events.length > MOST_EVENTS)
		throw fail(
			"too-large",
			`${events.length} events in one request; send at most ${MOST_EVENTS}.`,
		);
	return events;
}

function said(problems: readonly Problem[]): string {
	return problems
		.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
		.join(" ");
}
