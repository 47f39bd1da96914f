import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A way past Fastify and Nest for the request that nearly all are: a POST of one path, with a JSON body of known, moderate length and
 * nothing unusual in its headers. All others of that path take the long way, to the controller, which answers the same.
 */
export interface StraightRoute {
	/** The whole URL. */
	readonly path: string;
	/** Called with the whole body; answers `response`, whatever happens, and never rejects. */
	readonly answer: (
		request: IncomingMessage,
		body: Uint8Array,
		response: ServerResponse,
	) => void;
}

/** Larger bodies are rare, and slow for other reasons. */
const MOST_BYTES = 65_536;
const JSON_TYPES = new Set([
	"application/json",
	"application/json; charset=utf-8",
]);

/** A request of the route whose body is whole. */
export interface WholeRequest {
	readonly request: IncomingMessage;
	readonly body: Uint8Array;
	readonly response: ServerResponse;
}

/** Whether the route takes the request; if so, it is handed on to `whole` once its body is there. */
export function goStraight(
	path: string,
	request: IncomingMessage,
	response: ServerResponse,
	whole: { add(arrived: WholeRequest): void },
): boolean {
	if (request.url !== path || request.method !== "POST") return false;
	const { headers } = request;
	const length = Number(headers["content-length"]);
	if (
		!JSON_TYPES.has(headers["content-type"] ?? "") ||
		!(length > 0 && length <= MOST_BYTES) ||
		headers["content-encoding"] !== undefined ||
		headers["transfer-encoding"] !== undefined
	)
		return false;
	readBody(request, length, (body) => whole.add({ request, body, response }));
	return true;
}

/** Node's parser lets no more bytes through than the header promises; fewer come where the client goes away, and then nobody waits. */
function readBody(
	request: IncomingMessage,
	length: number,
	whole: (body: Uint8Array) => void,
): void {
	const chunks: Buffer[] = [];
	let received = 0;
	request.on("data", (chunk: Buffer) => {
		received += chunk.length;
		chunks.push(chunk);
		if (received !== length) return;
		whole(chunks.length === 1 ? chunk : Buffer.concat(chunks, length));
	});
	// A connection that breaks is told as an error where somebody listens; unheard it would end the process.
	request.on("error", () => {});
}
