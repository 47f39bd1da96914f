import type { IncomingMessage, ServerResponse } from "node:http";
import { headerOf } from "./request-headers.js";

/**
 * A way past Fastify and Nest for the request that nearly all are: a POST of one path, with a JSON body of known, moderate length and
 * nothing unusual in its headers. All others of that path take the long way, to the controller, which answers the same.
 */
export interface StraightRoute {
	/** The whole URL. */
	readonly path: string;
	/** Called with each request; replies to it once, whatever happens, and never rejects. */
	readonly answer: (request: StraightRequest) => void;
}

/** A request of the route whose body is whole. */
export interface StraightRequest {
	readonly body: Uint8Array;
	readonly traceparent: string | undefined;
	/** Any header, by its name in lower case; undefined also where it came more than once in a way that no single value is. */
	header(name: string): string | undefined;
	reply(
		status: number,
		headers: Readonly<Record<string, string>>,
		text: string,
	): void;
}

/** Larger bodies are rare, and slow for other reasons. */
export const MOST_BODY_BYTES = 65_536;
/** Content types that go straight. */
export const JSON_TYPES: ReadonlySet<string> = new Set([
	"application/json",
	"application/json; charset=utf-8",
]);

/**
 * Whether the route takes a request that Node has read the head of; if so, it is handed on to `whole` once its body is there. So it
 * goes on connections that bring other requests too; those that do not are read without Node, by StraightConnection.
 */
export function goStraight(
	path: string,
	request: IncomingMessage,
	response: ServerResponse,
	whole: { add(arrived: StraightRequest): void },
): boolean {
	if (request.url !== path || request.method !== "POST") return false;
	const { headers } = request;
	const length = Number(headers["content-length"]);
	if (
		!JSON_TYPES.has(headers["content-type"] ?? "") ||
		!(length > 0 && length <= MOST_BODY_BYTES) ||
		headers["content-encoding"] !== undefined ||
		headers["transfer-encoding"] !== undefined
	)
		return false;
	const traceparent = headers.traceparent as string | undefined;
	const reply: StraightRequest["reply"] = (status, own, text) => {
		const length = Buffer.byteLength(text);
		response.writeHead(status, { ...own, "content-length": length });
		response.end(text);
	};
	const header = (name: string) => headerOf(headers, name);
	readBody(request, length, (body) =>
		whole.add({ body, traceparent, header, reply }),
	);
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
