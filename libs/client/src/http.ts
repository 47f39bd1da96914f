import type { Problem } from "./contract.js";
import { SegueProblem, SegueUnreachable } from "./errors.js";

export interface HttpOptions {
	/** Where Segue answers, such as `http://127.0.0.1:8080`. */
	readonly url: string;
	readonly fetch: typeof fetch;
	readonly timeoutMs: number;
}

export interface Asked {
	readonly method: "GET" | "POST" | "PUT" | "DELETE";
	readonly path: string;
	readonly body?: unknown;
	readonly headers?: { readonly [name: string]: string };
}

/** The answer's JSON. Throws SegueProblem for an answer that is no success, SegueUnreachable where none came or it broke off. */
export function json<T>(options: HttpOptions, asked: Asked): Promise<T> {
	return read(options, asked, (response) => response.json() as Promise<T>);
}

/** The same of an answer that is text. */
export function text(options: HttpOptions, asked: Asked): Promise<string> {
	return read(options, asked, (response) => response.text());
}

async function read<T>(
	options: HttpOptions,
	asked: Asked,
	bodyOf: (response: Response) => Promise<T>,
): Promise<T> {
	const response = await answered(options, asked);
	if (!response.ok) throw new SegueProblem(await problemOf(response));
	try {
		return await bodyOf(response);
	} catch (cause) {
		const { method, path } = asked;
		throw new SegueUnreachable(`The answer to ${method} ${path} broke off.`, {
			cause,
		});
	}
}

async function answered(
	{ url, fetch, timeoutMs }: HttpOptions,
	{ method, path, body, headers }: Asked,
): Promise<Response> {
	try {
		return await fetch(new URL(path, url), {
			method,
			signal: AbortSignal.timeout(timeoutMs),
			headers: {
				...headers,
				...(body !== undefined && { "content-type": "application/json" }),
			},
			...(body !== undefined && { body: JSON.stringify(body) }),
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
