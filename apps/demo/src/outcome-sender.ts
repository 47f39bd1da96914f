import { setTimeout as sleep } from "node:timers/promises";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { OutcomeEvent } from "./contract.js";
import type { SegueApi } from "./segue-api.js";

const ATTEMPTS = 5;

/** Sends events so that they are safe when the promise resolves. */
export interface OutcomeSender {
	readonly via: "NATS" | "HTTP";
	send(events: readonly OutcomeEvent[]): Promise<void>;
	close(): Promise<void>;
}

/** Over the broker where there is one, as clients of a JetStream install do; else over HTTP. */
export async function openOutcomeSender(
	natsUrl: string | null,
	api: SegueApi,
): Promise<OutcomeSender> {
	return natsUrl === null ? httpSender(api) : await natsSender(natsUrl);
}

function httpSender(api: SegueApi): OutcomeSender {
	return {
		via: "HTTP",
		send: (events) => api.send(events),
		close: async () => {},
	};
}

async function natsSender(url: string): Promise<OutcomeSender> {
	const connection = await connect({ servers: url, name: "segue-demo" });
	const stream = jetstream(connection);
	return {
		via: "NATS",
		send: (events) =>
			Promise.all(events.map((event) => publish(stream, event))).then(() => {}),
		async close() {
			// A broker that is gone has nothing left to take: the connection is closed all the same.
			await Promise.race([
				connection.drain().catch(() => {}),
				sleep(2000, undefined, { ref: false }),
			]);
			await connection.close();
		},
	};
}

async function publish(
	stream: JetStreamClient,
	event: OutcomeEvent,
): Promise<void> {
	for (let attempt = 1; ; attempt += 1) {
		try {
			// The event's id is the message's too. No ack means unknown: sent again under the same id it is kept once.
			await stream.publish(
				`segue.events.${event.type}`,
				JSON.stringify(event),
				{ msgID: event.id },
			);
			return;
		} catch (error) {
			if (attempt === ATTEMPTS)
				throw new Error(
					`The broker did not take event ${event.id}: ${String(error)}`,
				);
			await sleep(200 * attempt);
		}
	}
}
