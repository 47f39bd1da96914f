import {
	createServer,
	type RequestListener,
	type Server,
	ServerResponse,
} from "node:http";
import { readFirst } from "./straight-connections.js";
import {
	goStraight,
	type StraightRequest,
	type StraightRoute,
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

const BOUNDS = {
	headersTimeout: 10_000,
	maxHeaderSize: 16_384,
	requestTimeout: 30_000,
	keepAliveTimeout: 72_000,
};

/** The HTTP server with its bounds of time and headers: what does not go straight goes to `handler`, which is Fastify's. */
export function openServer(
	door: Door,
	handler: RequestListener,
	onAnswer?: (answer: HttpAnswer) => void,
): Server {
	const arrived = new Together<StraightRequest>((request) =>
		door.straight?.answer(request),
	);
	/** Judged when it is answered, not when it came: once the server listens no more, no connection may linger. */
	class Answer extends ServerResponse {
		override writeHead(...all: unknown[]): this {
			if (!server.listening) this.shouldKeepAlive = false;
			return super.writeHead(
				...(all as Parameters<ServerResponse["writeHead"]>),
			);
		}
	}
	const options = {
		...BOUNDS,
		ServerResponse: Answer as unknown as typeof ServerResponse,
	};
	const server: Server = createServer(options, (request, response) => {
		const { straight } = door;
		if (
			straight === null ||
			!goStraight(straight.path, request, response, arrived)
		) {
			handler(request, response);
			return;
		}
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
	readFirst(server, {
		path: () => door.straight?.path ?? null,
		arrived: (request) => arrived.add(request),
		answered: (status, seconds) =>
			onAnswer?.({
				method: "POST",
				route: door.straight?.path ?? "unknown",
				status,
				seconds,
			}),
	});
	return server;
}
