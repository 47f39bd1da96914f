import { createServer, type RequestListener, type Server } from "node:http";
import {
	goStraight,
	type StraightRoute,
	type WholeRequest,
} from "./straight-route.js";
import { Together } from "./together.js";

export interface HttpAnswer {
	readonly method: string;
	/** The route's pattern, such as `/v1/decisions/:id`; `unknown` where none matched. */
	readonly route: string;
	readonly status: number;
	readonly seconds: number;
}

/** What stands in front of Fastify. */
export interface Door {
	straight: StraightRoute | null;
}

/** The HTTP server with its bounds of time and headers: what does not go straight goes to `handler`, which is Fastify's. */
export function openServer(
	door: Door,
	handler: RequestListener,
	onAnswer?: (answer: HttpAnswer) => void,
): Server {
	const bounds = {
		headersTimeout: 10_000,
		maxHeaderSize: 16_384,
		requestTimeout: 30_000,
		keepAliveTimeout: 72_000,
	};
	const arrived = new Together<WholeRequest>(({ request, body, response }) =>
		door.straight?.answer(request, body, response),
	);
	const server = createServer(bounds, (request, response) => {
		const { straight } = door;
		if (
			straight === null ||
			!goStraight(straight.path, request, response, arrived)
		) {
			handler(request, response);
			return;
		}
		// Once it listens no more, no connection may linger.
		if (!server.listening) response.shouldKeepAlive = false;
		if (onAnswer === undefined) return;
		const begunAt = performance.now();
		response.once("finish", () =>
			onAnswer({
				method: "POST",
				route: straight.path,
				status: response.statusCode,
				seconds: (performance.now() - begunAt) / 1_000,
			}),
		);
	});
	return server;
}
