import type { FastifyReply } from "fastify";
import { type SegueError, toProblem } from "#usecases/errors";

export const PROBLEM_JSON = "application/problem+json; charset=utf-8";

/** An error as RFC 9457 problem details: all of the answer, as text, so that no serialiser or error handler of a framework touches it. */
export function problemAnswer(error: SegueError | null): {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly text: string;
} {
	const problem = toProblem(error);
	const { status, retryAfterSeconds } = problem;
	return {
		status,
		headers: {
			"content-type": PROBLEM_JSON,
			"cache-control": "no-store",
			...(retryAfterSeconds !== undefined && {
				"retry-after": String(Math.ceil(retryAfterSeconds)),
			}),
		},
		text: JSON.stringify(problem),
	};
}

/** Answers an error as RFC 9457 problem details. */
export function answerProblem(
	reply: FastifyReply,
	error: SegueError | null,
): void {
	if (reply.sent) return;
	const { status, headers, text } = problemAnswer(error);
	reply.code(status).headers(headers).send(text);
}
