import type { FastifyReply } from "fastify";
import { type SegueError, toProblem } from "#usecases/errors";

export const PROBLEM_JSON = "application/problem+json; charset=utf-8";

/** Answers an error as RFC 9457 problem details. */
export function answerProblem(
	reply: FastifyReply,
	error: SegueError | null,
): void {
	if (reply.sent) return;
	const problem = toProblem(error);
	if (problem.retryAfterSeconds !== undefined)
		reply.header("retry-after", String(Math.ceil(problem.retryAfterSeconds)));
	// As text, so that no serialiser or error handler of a framework touches it.
	reply
		.code(problem.status)
		.header("content-type", PROBLEM_JSON)
		.header("cache-control", "no-store")
		.send(JSON.stringify(problem));
}
