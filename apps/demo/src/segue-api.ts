import { setTimeout as sleep } from "node:timers/promises";
import type {
	Decision,
	DecisionRequest,
	OutcomeEvent,
	Posterior,
} from "./contract.js";
import { type Answer, call } from "./http.js";
import type { ReportView } from "./report-view.js";

/** Waits of 100 ms at most, where an answer is to be asked for again and does not say when. */
const ATTEMPTS = 100;
/** Nothing was kept; asking again is safe. */
const OVERLOADED = [503];
/** An experiment applied by the command line is obeyed by a decider within 2 s; until then it is unknown or a draft. */
const NOT_YET = [404, 409, ...OVERLOADED];

/** Segue's REST interface, as the demo uses it. Every method throws a sentence where the answer is no success. */
export class SegueApi {
	constructor(private readonly url: string) {}

	decide(decision: DecisionRequest): Promise<Decision> {
		return this.ask<Decision>("POST", "/v1/decisions", NOT_YET, decision);
	}

	async send(events: readonly OutcomeEvent[]): Promise<void> {
		const answer = await this.ask<{ rejected: readonly unknown[] }>(
			"POST",
			"/v1/events",
			OVERLOADED,
			{ events },
		);
		if (answer.rejected.length > 0) {
			throw new Error(
				`Segue rejected events of the demo: ${JSON.stringify(answer.rejected[0])}`,
			);
		}
	}

	/** Resolves once the decider knows the experiment. */
	posterior(experiment: string): Promise<Posterior> {
		return this.ask<Posterior>(
			"GET",
			`/v1/experiments/${experiment}/posterior`,
			NOT_YET,
		);
	}

	report(experiment: string): Promise<ReportView> {
		return this.ask<ReportView>(
			"GET",
			`/v1/experiments/${experiment}/report`,
			OVERLOADED,
		);
	}

	private async ask<T>(
		method: "GET" | "POST",
		path: string,
		again: readonly number[],
		body?: unknown,
	): Promise<T> {
		for (let attempt = 1; ; attempt += 1) {
			const answer = await call(method, this.url + path, body);
			if (answer.status >= 200 && answer.status < 300) return answer.body as T;
			if (!again.includes(answer.status) || attempt === ATTEMPTS)
				throw new Error(describe(method, path, answer));
			await sleep((answer.retryAfter ?? 0.1) * 1000);
		}
	}
}

function describe(
	method: string,
	path: string,
	{ status, body }: Answer,
): string {
	const text = typeof body === "string" ? body : JSON.stringify(body);
	return `${method} ${path} was answered with ${status}: ${text.slice(0, 500)}`;
}
