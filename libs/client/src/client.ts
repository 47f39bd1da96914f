import type {
	Consent,
	Decision,
	DecisionRequest,
	EventsAnswer,
	ExplainedDecision,
	LoggedDecision,
	OutcomeEvent,
	Problem,
	Profile,
	Report,
} from "./contract.js";
import { EventsNotSent, SegueUnreachable } from "./errors.js";
import { chunked, identified } from "./event-chunks.js";
import { call, type HttpOptions } from "./http.js";
import { type RetryOptions, retrying } from "./retry.js";

export interface ClientOptions
	extends Partial<HttpOptions>,
		Partial<RetryOptions> {
	readonly url: string;
	/** Milliseconds since the epoch, for events without a time. */
	readonly now?: () => number;
	/** For events without an id. */
	readonly newId?: () => string;
}

const defaults = {
	timeoutMs: 10_000,
	attempts: 6,
	firstWaitMs: 200,
	longestWaitMs: 10_000,
	sleep: (ms: number) =>
		new Promise<void>((resolve) => setTimeout(resolve, ms)),
	random: Math.random,
	now: Date.now,
	newId: () => crypto.randomUUID(),
};

/** Segue's REST interface. Every method rejects with SegueProblem where Segue refuses, SegueUnreachable where it cannot be reached. */
export class SegueClient {
	private readonly options: Required<ClientOptions>;

	constructor(options: ClientOptions) {
		this.options = { fetch: globalThis.fetch, ...defaults, ...options };
	}

	/** Not repeated by itself: the page cannot wait, and a repeat would log a second decision. Show a default where this rejects. */
	async decide(request: DecisionRequest): Promise<Decision> {
		return this.json<Decision>("POST", "/v1/decisions", request);
	}

	/** Up to 500 decisions, answered in order, each on its own. */
	async decideBatch(
		decisions: readonly DecisionRequest[],
	): Promise<readonly (Decision | { readonly problem: Problem })[]> {
		const answer = await this.json<{
			decisions: (Decision | { problem: Problem })[];
		}>("POST", "/v1/decisions/batch", { decisions });
		return answer.decisions;
	}

	/**
	 * Hands events over, any number of them. Repeats with the same ids while Segue is unreachable or overloaded, honouring Retry-After;
	 * rejects with EventsNotSent, which holds the events still to be sent, once the attempts are used up. Read `rejected`: a mistake
	 * in an event is no failure of the others.
	 */
	async sendEvents(events: readonly OutcomeEvent[]): Promise<EventsAnswer> {
		const all = identified(events, this.options.now, this.options.newId);
		let accepted = 0;
		const rejected: EventsAnswer["rejected"][number][] = [];
		for (const { from, events } of chunked(all)) {
			const answer = await retrying(this.options, () =>
				this.json<EventsAnswer>("POST", "/v1/events", { events }),
			).catch((cause) => {
				throw new EventsNotSent(all.slice(from), { cause });
			});
			accepted += answer.accepted;
			rejected.push(
				...answer.rejected.map(({ index, problem }) => ({
					index: from + index,
					problem,
				})),
			);
		}
		return { accepted, rejected };
	}

	/** The decision as it was logged, with its events so far. */
	async getDecision(id: string): Promise<LoggedDecision> {
		return retrying(this.options, () =>
			this.json<LoggedDecision>(
				"GET",
				`/v1/decisions/${encodeURIComponent(id)}`,
			),
		);
	}

	/** The same, made again from the log: why it came out as it did, and whether it is what was served. Takes seconds on a long log. */
	async explainDecision(id: string): Promise<ExplainedDecision> {
		return retrying(this.options, () =>
			this.json<ExplainedDecision>(
				"GET",
				`/v1/decisions/${encodeURIComponent(id)}?explain=true`,
			),
		);
	}

	/** Replaces the unit's whole profile; answers with what is kept. Deciders decide with it within 2 s. */
	async putProfile(unit: string, profile: Profile): Promise<Profile> {
		return retrying(this.options, () =>
			this.json<Profile>("PUT", profilePath(unit), profile),
		);
	}

	/** Rejects with SegueProblem, status 404, where the unit has none. */
	async getProfile(unit: string): Promise<Profile> {
		return retrying(this.options, () =>
			this.json<Profile>("GET", profilePath(unit)),
		);
	}

	/** Replaces all that is known of the unit's consent; answers with what is kept. Deciders obey it within 2 s. To withdraw, send false. */
	async putConsent(unit: string, consent: Consent): Promise<Consent> {
		return retrying(this.options, () =>
			this.json<Consent>("PUT", consentPath(unit), consent),
		);
	}

	/** Empty where the unit was never asked. */
	async getConsent(unit: string): Promise<Consent> {
		return retrying(this.options, () =>
			this.json<Consent>("GET", consentPath(unit)),
		);
	}

	async report(experiment: string): Promise<Report> {
		return retrying(this.options, () =>
			this.json<Report>(
				"GET",
				`/v1/experiments/${encodeURIComponent(experiment)}/report`,
			),
		);
	}

	private async json<T>(
		method: string,
		path: string,
		body?: unknown,
	): Promise<T> {
		const response = await call(this.options, method, path, body);
		try {
			return (await response.json()) as T;
		} catch (cause) {
			throw new SegueUnreachable(`The answer to ${method} ${path} broke off.`, {
				cause,
			});
		}
	}
}

const profilePath = (unit: string): string =>
	`/v1/units/${encodeURIComponent(unit)}/profile`;

const consentPath = (unit: string): string =>
	`/v1/units/${encodeURIComponent(unit)}/consent`;
