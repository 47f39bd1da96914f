import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export interface Received {
	readonly id: string;
	/** As the library verified it. */
	readonly message: {
		readonly type: string;
		readonly timestamp: string;
		readonly data: Readonly<Record<string, unknown>>;
	};
	readonly headers: IncomingHttpHeaders;
}

export type Answer =
	| {
			readonly status: number;
			readonly headers?: Readonly<Record<string, string>>;
	  }
	/** No answer at all. */
	| "silence"
	/** The head, and a body that never ends. */
	| "endless";

/** Receives webhooks as a customer would: verifies each with the library, and answers as it is told, 204 otherwise. */
export class WebhookReceiver {
	readonly received: Received[] = [];
	/** Requests that were not verified. */
	refused = 0;
	readonly answers: Answer[] = [];
	readonly #server: Server;

	private constructor(readonly secret: string) {
		const verifier = new Webhook(secret);
		this.#server = createServer((request, response) => {
			const parts: Buffer[] = [];
			request.on("data", (part) => parts.push(part));
			request.on("end", () => {
				const { headers } = request;
				try {
					const message = verifier.verify(
						Buffer.concat(parts).toString(),
						headers as Record<string, string>,
					) as Received["message"];
					const id = headers["webhook-id"] as string;
					this.received.push({ id, message, headers });
				} catch {
					this.refused += 1;
				}
				const answer = this.answers.shift() ?? { status: 204 };
				if (answer === "silence") return;
				if (answer === "endless") {
					response.writeHead(200).write("x".repeat(1_000_000));
					return;
				}
				response.writeHead(answer.status, answer.headers).end();
			});
		});
	}

	static async open(
		secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
	): Promise<WebhookReceiver> {
		const receiver = new WebhookReceiver(secret);
		await new Promise<void>((resolve) =>
			receiver.#server.listen(0, "127.0.0.1", resolve),
		);
		return receiver;
	}

	get url(): string {
		const { port } = this.#server.address() as AddressInfo;
		return `http://127.0.0.1:${port}/hook`;
	}

	async close(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}
