import type { Server } from "node:http";
import type { Socket } from "node:net";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import type { FastifyReply, FastifyServerOptions } from "fastify";
import { fail, type SegueError, toProblem } from "#usecases/errors";
import { rememberRoutes } from "./allowed-methods.js";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import { type Door, type HttpAnswer, openServer } from "./open-server.js";
import { answerProblem, PROBLEM_JSON } from "./problem-answer.js";
import type { StraightRoute } from "./straight-route.js";

const MOST_BODY_BYTES = 1_048_576;

export interface HttpAdapterOptions {
	/** Told of every answer, for metrics. */
	readonly onAnswer?: (answer: HttpAnswer) => void;
}

/** Bodies are read by the parser below, never by those that Nest would add. */
export class SegueHttpAdapter extends FastifyAdapter {
	constructor(
		options: FastifyServerOptions<Server>,
		private readonly door: Door,
	) {
		super(options);
	}

	override registerParserMiddleware(): void {}

	/** From now on such requests are answered past Fastify and Nest. */
	bindStraight(route: StraightRoute): void {
		this.door.straight = route;
	}
}

/** Fastify under Nest with every bound set: body, nesting, time, parameters; no proxy is trusted. Errors are problems from the first byte. */
export function createHttpAdapter({
	onAnswer,
}: HttpAdapterOptions = {}): FastifyAdapter {
	const door: Door = { straight: null };
	const settings: FastifyServerOptions<Server> = {
		bodyLimit: MOST_BODY_BYTES,
		serverFactory: (handler) => openServer(door, handler, onAnswer),
		trustProxy: false,
		logger: false,
		routerOptions: { maxParamLength: 4_096 },
		frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) =>
			answerProblem(
				reply,
				knownError(error, () => false),
			),
		clientErrorHandler: answerBrokenRequest,
	};
	const adapter = new SegueHttpAdapter(settings, door);
	const server = adapter.getInstance();
	rememberRoutes(server);
	server.removeAllContentTypeParsers();
	server.addContentTypeParser(
		"application/json",
		{ parseAs: "buffer" },
		async (_request: unknown, body: Buffer) =>
			body.length === 0 ? undefined : parseJsonBody(body),
	);
	if (onAnswer !== undefined)
		server.addHook("onResponse", async ({ method, routeOptions }, reply) =>
			onAnswer({
				method,
				route: routeOptions.url ?? "unknown",
				status: reply.statusCode,
				seconds: reply.elapsedTime / 1000,
			}),
		);
	return adapter;
}

/** A request that never became one (broken HTTP, headers too large, too slow): answered on the bare socket, which then closes. */
function answerBrokenRequest(
	error: Error & { readonly code?: string },
	socket: Socket,
): void {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	const problem = toProblem(brokenRequest(error.code));
	const body = JSON.stringify(problem);
	const reason = problem.status === 408 ? "Request Timeout" : "Bad Request";
	const head = `HTTP/1.1 ${problem.status} ${reason}\r\ncontent-type: ${PROBLEM_JSON}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
	socket.end(head + body);
}

function brokenRequest(code: string | undefined): SegueError {
	if (code === "ERR_HTTP_REQUEST_TIMEOUT")
		return fail(
			"request-timeout",
			"The request did not arrive whole in time. Send it without long pauses.",
		);
	if (code === "HPE_HEADER_OVERFLOW")
		return fail(
			"bad-request",
			"The headers are larger than 16 KiB. Send fewer or shorter ones.",
		);
	return fail("bad-request", "The request is not well-formed HTTP/1.1.");
}
