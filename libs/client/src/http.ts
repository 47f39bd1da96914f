import type { Problem } from "./contract.js";
import { SegueProblem, SegueUnreachable } from "./errors.js";

export interface HttpOptions {
	/** Where Segue answers, such as `http://127.0.0.1:8080`. */
	readonly url: string;
	readonly fetch: typeof fetch;
	readonly timeoutMs: number;
}

/** One call. Throws SegueProblem for an answer that is no success, SegueUnreachable where none came. */
export async function call(
	options: HttpOptions,
	method: string,
	path: string,
	body?: unknown,
): Promise<Response> {
	const response = await answered(options, method, path, body);
	if (response.ok) return response;
	throw new SegueProblem(await problemOf(response));
}

async function answered(
	{ url, fetch, timeoutMs }: HttpOptions,
	method: string,
	path: string,
	body: unknown,
): Promise<Response> {
	try {
		return await fetch(new URL(path, url), {
			method,
			signal: AbortSignal.timeout(timeoutMs),
			...(body !== undefined && {
				headers: { "content-type": "application/json" },
				body: JSON.stringify(body),
			}),
		});
	} catch (cause) {
		throw new SegueUnreachable(`${method} ${path} had no answer from ${url}.`, {
			cause,
		});
	}
}

/** The problem of an answer; made up from its status where something other than Segue answered. */
async function problemOf(response: Response): Promise<Problem> {
	const text = await response.text().catch(() => "");
	const retryAfterSeconds = secondsOf(response.headers.get("retry-after"));
	const waits = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
	try {
		const problem: unknown = JSON.parse(text);
		if (
			typeof problem === "object" &&
			problem !== null &&
			"type" in problem &&
			"detail" in problem
		)
			return { ...(problem as Problem), ...waits };
	} catch {
		// Not Segue's: said below.
	}
	const detail = `Answered with ${response.status}: ${text.slice(0, 200)}`;
	return {
		type: "about:blank",
		title: response.statusText,
		status: response.status,
		detail,
		errors: [],
		...waits,
	};
}

/** Retry-After is seconds or a date (RFC 9110 §10.2.3). */
function secondsOf(header: string | null): number | undefined {
	if (header === null) return undefined;
	const seconds = /^\d+$/.test(header)
		? Number(header)
		: (Date.parse(header) - Date.now()) / 1_000;
	return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
