import {
	type ArgumentsHost,
	Catch,
	type ExceptionFilter,
	Inject,
} from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { fail, type SegueError } from "#usecases/errors";
import { allowedMethods } from "./allowed-methods.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";
import { answerProblem } from "./problem-answer.js";
import { tokens } from "./tokens.js";

/** The one place where an error becomes an answer: a catalogued one as its problem, any other as `internal`, told to the log only. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
	constructor(
		@Inject(tokens.isDatabaseAway)
		private readonly isDatabaseAway: ApiParts["isDatabaseAway"],
		@Inject(tokens.onUnexpected)
		private readonly onUnexpected: ApiParts["onUnexpected"],
	) {}

	catch(error: unknown, host: ArgumentsHost): void {
		const http = host.switchToHttp();
		const request = http.getRequest<FastifyRequest>();
		const reply = http.getResponse<FastifyReply>();
		const where = `${request.method} ${request.url.split("?")[0]?.slice(0, 200)}`;
		const known = knownError(error, this.isDatabaseAway);
		if (known === null) this.onUnexpected(error, where);
		answerProblem(
			reply,
			known?.code === "not-found" ? missing(request, reply, where) : known,
		);
	}
}

/** Nothing here, or nothing for this method. */
function missing(
	request: FastifyRequest,
	reply: FastifyReply,
	where: string,
): SegueError {
	const methods = allowedMethods(
		request.server,
		request.url.split("?")[0] ?? "",
	);
	if (methods.length === 0)
		return fail(
			"not-found",
			`There is nothing at ${where}. /docs lists every path.`,
		);
	reply.header("allow", methods.join(", "));
	return fail(
		"method-not-allowed",
		`${where} is not answered: this path answers ${methods.join(", ")}.`,
	);
}
