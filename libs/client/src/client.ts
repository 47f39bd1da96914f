import type {
	Consent,
	Decision,
	DecisionRequest,
	ErasureReceipt,
	EventsAnswer,
	ExplainedDecision,
	LoggedDecision,
	OutcomeEvent,
	Problem,
	Profile,
} from "./contract.js";
import type { Report } from "./contract-experiments.js";
import { EventsNotSent } from "./errors.js";
import { chunked, identified } from "./event-chunks.js";
import { SegueExperiments } from "./experiments.js";
import { type Asked, type HttpOptions, json } from "./http.js";
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
	/** Definitions, what was learned and what it was worth. */
	readonly experiments: SegueExperiments;
	private readonly options: Required<ClientOptions>;

	constructor(options: ClientOptions) {
		this.options = { fetch: globalThis.fetch, ...defaults, ...options };
		this.experiments = new SegueExperiments(this.options);
	}

	/** Not repeated by itself: the page cannot wait, and a repeat would log a second decision. Show a default where this rejects. */
	async decide(request: DecisionRequest): Promise<Decision> {
		return json<Decision>(this.options, {
			method: "POST",
			path: "/v1/decisions",
			body: request,
		});
	}

	/** Up to 500 decisions, answered in order, each on its own. */
	async decideBatch(
		decisions: readonly DecisionRequest[],
	): Promise<readonly (Decision | { readonly problem: Problem })[]> {
		const answer = await json<{
			decisions: (Decision | { problem: Problem })[];
		}>(this.options, {
			method: "POST",
			path: "/v1/decisions/batch",
			body: { decisions },
		});
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
			const answer = await this.repeated<EventsAnswer>({
				method: "POST",
				path: "/v1/events",
				body: { events },
			}).catch((cause) => {
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
		return this.read<LoggedDecision>(decisionPath(id));
	}

	/** The same, made again from the log: why it came out as it did, and whether it is what was served. Takes seconds on a long log. */
	async explainDecision(id: string): Promise<ExplainedDecision> {
		return this.read<ExplainedDecision>(`${decisionPath(id)}?explain=true`);
	}

	/** Replaces the unit's whole profile; answers with what is kept. Deciders decide with it within 2 s. */
	async putProfile(unit: string, profile: Profile): Promise<Profile> {
		return this.repeated<Profile>({
			method: "PUT",
			path: `${unitPath(unit)}/profile`,
			body: profile,
		});
	}

	/** Rejects with SegueProblem, status 404, where the unit has none. */
	async getProfile(unit: string): Promise<Profile> {
		return this.read<Profile>(`${unitPath(unit)}/profile`);
	}

	/** Replaces all that is known of the unit's consent; answers with what is kept. Deciders obey it within 2 s. To withdraw, send false. */
	async putConsent(unit: string, consent: Consent): Promise<Consent> {
		return this.repeated<Consent>({
			method: "PUT",
			path: `${unitPath(unit)}/consent`,
			body: consent,
		});
	}

	/** Empty where the unit was never asked. */
	async getConsent(unit: string): Promise<Consent> {
		return this.read<Consent>(`${unitPath(unit)}/consent`);
	}

	/** Erases the unit exactly. Not repeated by itself, since the receipt of a repeat counts only what was left; to ask again is harmless. */
	async eraseUnit(unit: string): Promise<ErasureReceipt> {
		return json<ErasureReceipt>(this.options, {
			method: "DELETE",
			path: unitPath(unit),
		});
	}

	async report(experiment: string): Promise<Report> {
		return this.experiments.report(experiment);
	}

	private read<T>(path: string): Promise<T> {
		return this.repeated<T>({ method: "GET", path });
	}

	/** What may be asked twice. */
	private repeated<T>(asked: Asked): Promise<T> {
		return retrying(this.options, () => json<T>(this.options, asked));
	}
}

const decisionPath = (id: string): string =>
	`/v1/decisions/${encodeURIComponent(id)}`;

const unitPath = (unit: string): string =>
	`/v1/units/${encodeURIComponent(unit)}`;
