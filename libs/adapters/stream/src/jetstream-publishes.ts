import { JetStreamError } from "@nats-io/jetstream";
import {
	createInbox,
	headers,
	type Msg,
	type NatsConnection,
} from "@nats-io/transport-node";

const MESSAGE_ID = "Nats-Msg-Id";
const NO_RESPONDERS = 503;

/** No stream takes the subject: JetStream is off, or the stream has gone. */
export class NoStream extends Error {
	override readonly name = "NoStream";
}

interface UnderWay {
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
	readonly timer: NodeJS.Timeout;
}

/**
 * Publishes that resolve at the broker's acknowledgement, all over one inbox. The client library's own makes an Error with a stack for
 * each that succeeds, and several promises: it took twice as long.
 */
export class JetStreamPublishes {
	readonly #inbox = createInbox();
	readonly #underWay = new Map<string, UnderWay>();
	#last = 0;

	constructor(private readonly connection: NatsConnection) {
		connection.subscribe(`${this.#inbox}.*`, {
			callback: (error, message) => {
				if (error === null) this.#hear(message);
			},
		});
	}

	/** Rejects where the broker refuses, where no stream listens (NoStream), and where no answer came in time: then its fate is unknown. */
	publish(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		return new Promise((resolve, reject) => {
			const reply = `${this.#inbox}.${++this.#last}`;
			const timer = setTimeout(
				() =>
					this.#take(reply)?.reject(
						new Error(
							`The stream did not acknowledge a message within ${timeoutMs} ms; whether it stored it is unknown.`,
						),
					),
				timeoutMs,
			);
			this.#underWay.set(reply, { resolve, reject, timer });
			try {
				const named = headers();
				named.set(MESSAGE_ID, messageId);
				this.connection.publish(subject, body, { reply, headers: named });
			} catch (error) {
				this.#take(reply)?.reject(error as Error);
			}
		});
	}

	/** No answer can come to what is under way. */
	abandon(error: Error): void {
		for (const reply of [...this.#underWay.keys()])
			this.#take(reply)?.reject(error);
	}

	#hear(message: Msg): void {
		const waiting = this.#take(message.subject);
		if (waiting === undefined) return;
		const problem = problemOf(message);
		if (problem === null) waiting.resolve();
		else waiting.reject(problem);
	}

	#take(reply: string): UnderWay | undefined {
		const waiting = this.#underWay.get(reply);
		if (waiting === undefined) return undefined;
		clearTimeout(waiting.timer);
		this.#underWay.delete(reply);
		return waiting;
	}
}

/** Null where the message says that a stream stored what was published. */
function problemOf(message: Msg): Error | null {
	if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS)
		return new NoStream("No stream takes this subject.");
	try {
		const said = message.json<{
			readonly stream?: string;
			readonly error?: { readonly description?: string };
		}>();
		if (said.error !== undefined)
			return new JetStreamError(
				said.error.description ?? "The stream refused the message.",
			);
		if (said.stream) return null;
	} catch {}
	return new JetStreamError(
		"The stream answered what is no acknowledgement of a message.",
	);
}
