import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { OutcomeEvent } from "./contract.js";
import type { SegueApi } from "./segue-api.js";

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
		async send(events) {
			// The event's id is also the message's: a repeat within the broker's window is dropped there already.
			const acks = events.map((event) =>
				stream.publish(`segue.events.${event.type}`, JSON.stringify(event), {
					msgID: event.id,
				}),
			);
			await Promise.all(acks);
		},
		close: () => connection.drain(),
	};
}
