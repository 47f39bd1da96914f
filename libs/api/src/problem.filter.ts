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
		const known = knownError(error, this.isDatabaseAway);
		if (known === null) this.onUnexpected(error, routeOf(request));
		answerProblem(
			reply,
			known?.code === "not-found" ? missing(request, reply) : known,
		);
	}
}

/** The method and the pattern of the route, for the log: the path itself may name a unit. */
function routeOf({ method, routeOptions }: FastifyRequest): string {
	return `${method} ${routeOptions.url ?? "unknown"}`;
}

/** Nothing here, or nothing for this method: told to the client only, so with the path as it came. */
function missing(request: FastifyRequest, reply: FastifyReply): SegueError {
	const path = request.url.split("?")[0] ?? "";
	const where = `${request.method} ${path.slice(0, 200)}`;
	const methods = allowedMethods(request.server, path);
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
