import { Agent, type IncomingMessage, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

export interface Answer {
	readonly status: number;
	readonly body: unknown;
	/** Seconds after which an overloaded server wants to be asked again. */
	readonly retryAfter: number | null;
}

type Method = "GET" | "POST";

/** A kept-alive connection that the server was just closing: it never read the request. */
class StaleConnection extends Error {}

/** One HTTP call over kept-alive connections; `body` goes as JSON, the answer comes back parsed. */
export async function call(
	method: Method,
	url: string,
	body?: unknown,
): Promise<Answer> {
	for (;;) {
		try {
			return await attempt(method, url, body);
		} catch (error) {
			if (!(error instanceof StaleConnection)) throw error;
		}
	}
}

function attempt(method: Method, url: string, body: unknown): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const payload =
			body === undefined ? undefined : Buffer.from(JSON.stringify(body));
		const headers = payload && {
			"content-type": "application/json",
			"content-length": payload.length,
		};
		const sent = request(url, { method, agent, headers }, (answer) => {
			read(answer).then((text) => {
				const retryAfter = Number(answer.headers["retry-after"]);
				resolve({
					status: answer.statusCode ?? 0,
					body: parse(text),
					retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
				});
			}, reject);
		});
		sent.setTimeout(30_000, () =>
			sent.destroy(new Error(`${method} ${url} has had no answer for 30 s.`)),
		);
		sent.on("error", (error: NodeJS.ErrnoException) => {
			reject(
				sent.reusedSocket && error.code === "ECONNRESET"
					? new StaleConnection(error.message)
					: error,
			);
		});
		sent.end(payload);
	});
}

export function closeConnections(): void {
	agent.destroy();
}

async function read(answer: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of answer) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
