import { setTimeout as sleep } from "node:timers/promises";
import type {
	Decision,
	DecisionRequest,
	OutcomeEvent,
	Posterior,
} from "./contract.js";
import { type Answer, call } from "./http.js";
import type { ReportView } from "./report-view.js";

const ATTEMPTS = 20;

/** Segue's REST interface, as the demo uses it. Every method throws a sentence where the answer is no success. */
export class SegueApi {
	constructor(private readonly url: string) {}

	decide(decision: DecisionRequest): Promise<Decision> {
		return this.ask<Decision>("POST", "/v1/decisions", decision);
	}

	async send(events: readonly OutcomeEvent[]): Promise<void> {
		const { rejected } = await this.ask<{ rejected: readonly unknown[] }>(
			"POST",
			"/v1/events",
			{ events },
		);
		if (rejected.length > 0)
			throw new Error(
				`Segue rejected events of the demo: ${JSON.stringify(rejected[0])}`,
			);
	}

	posterior(experiment: string): Promise<Posterior> {
		return this.ask<Posterior>(
			"GET",
			`/v1/experiments/${experiment}/posterior`,
		);
	}

	report(experiment: string): Promise<ReportView> {
		return this.ask<ReportView>("GET", `/v1/experiments/${experiment}/report`);
	}

	private async ask<T>(
		method: "GET" | "POST",
		path: string,
		body?: unknown,
	): Promise<T> {
		for (let attempt = 1; ; attempt += 1) {
			const answer = await call(method, this.url + path, body);
			if (answer.status >= 200 && answer.status < 300) return answer.body as T;
			// 503 says that nothing was kept: ask again when it is told to be worth it.
			if (answer.status !== 503 || attempt === ATTEMPTS)
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
