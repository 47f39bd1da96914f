import {
	createInbox,
	type Msg,
	type NatsConnection,
} from "@nats-io/transport-node";
import { STREAM } from "./jetstream-layout.js";

const NANOS_PER_MS = 1_000_000;

/** How long after its expiry a request may still be answered before it counts as lost on the way. */
const ANSWER_GRACE_MS = 1_000;

/**
 * `done`: the server has ended the request: as much as was asked for is delivered, or it has reasons of its own.
 * `empty`: nothing more came until it expired.
 * `busy`: other requests wait for what there is; ask again.
 * `gone`: no such consumer or stream, or no JetStream.
 * `lost`: no answer at all.
 */
export type PullEnd = "done" | "empty" | "busy" | "gone" | "lost";

export interface PullWish {
	readonly batch: number;
	readonly expiresMs: number;
	readonly maxBytes?: number;
	/** End as soon as anything was delivered, instead of filling the batch. */
	readonly oneShot: boolean;
}

/**
 * Pull requests (the client's own `fetch` waits for a full batch or the expiry; this returns with what there is).
 * A request ends by a full batch, a status from the server, or silence. Each has an inbox of its own, since a message comes
 * under the subject it was published to; the server does not deliver to an inbox that nobody listens to.
 */
export class PullRequests {
	readonly #connection: NatsConnection;
	readonly #open = new Set<(how: PullEnd) => void>();

	constructor(connection: NatsConnection) {
		this.#connection = connection;
	}

	request(
		consumer: string,
		wish: PullWish,
		deliver: (message: Msg) => void,
	): Promise<PullEnd> {
		const inbox = createInbox();
		return new Promise((resolve) => {
			let left = wish.batch;
			const subscription = this.#connection.subscribe(inbox, {
				callback: (error, message) => {
					if (error !== null) return;
					const end = statusOf(message);
					if (end !== null) return finish(end);
					left -= 1;
					deliver(message);
					if (left === 0) finish("done");
				},
			});
			let silence: NodeJS.Timeout;
			// A process that had no turn of the processor for long is told of the time before it reads what came meanwhile.
			const listen = (forMs: number) => {
				const before = left;
				silence = setTimeout(() => {
					// Over a slow link what was asked for is on its way for long.
					if (left < before) return listen(ANSWER_GRACE_MS);
					setImmediate(() => {
						if (!this.#open.has(finish)) return;
						if (left === before) finish("lost");
						else listen(ANSWER_GRACE_MS);
					});
				}, forMs);
			};
			const finish = (how: PullEnd) => {
				if (!this.#open.delete(finish)) return;
				clearTimeout(silence);
				subscription.unsubscribe();
				resolve(how);
			};
			this.#open.add(finish);
			listen(wish.expiresMs + ANSWER_GRACE_MS);
			const body = {
				batch: wish.batch,
				expires: wish.expiresMs * NANOS_PER_MS,
				no_wait: wish.oneShot,
				max_bytes: wish.maxBytes,
			};
			try {
				const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${consumer}`;
				this.#connection.publish(subject, JSON.stringify(body), {
					reply: inbox,
				});
			} catch {
				finish("lost");
			}
		});
	}

	/** Ends all open requests as lost: after a disconnect the server has forgotten them. */
	abandon(): void {
		for (const finish of [...this.#open]) finish("lost");
	}
}

function statusOf(message: Msg): PullEnd | null {
	const status = message.reply ? 0 : (message.headers?.code ?? 0);
	return status === 0
		? null
		: endOf(status, message.headers?.description ?? "");
}

function endOf(status: number, description: string): PullEnd {
	if (status === 503) return "gone";
	if (status === 409)
		return /deleted|push/i.test(description) ? "gone" : "done";
	if (status === 408 && /pending/i.test(description)) return "busy";
	return status === 404 || status === 408 ? "empty" : "done";
}
