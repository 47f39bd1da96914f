import type { Agent } from "node:http";
import { createInbox, type NatsConnection } from "@nats-io/transport-node";
import { post } from "./post.js";

export type Door = "POST /v1/events" | "NATS";

/** Resolves when all of the events are kept, rejects where one is not. */
export type Send = (events: readonly object[]) => Promise<void>;

export function byPost(agent: Agent, url: string): Send {
	return async (events) => {
		const answer = await post(agent, `${url}/v1/events`, { events });
		const { accepted } = answer as { accepted: number };
		if (accepted !== events.length)
			throw new Error(`${accepted} of ${events.length} were accepted.`);
	};
}

/** Acknowledgements come over one inbox: the client library's own way costs a sender twice the processor time. */
export function byNats(connection: NatsConnection): Send {
	const inbox = createInbox();
	const waiting = new Map<string, (problem: Error | null) => void>();
	let last = 0;
	connection.subscribe(`${inbox}.*`, {
		callback: (error, message) => {
			const said = error === null ? message.string() : error.message;
			const problem = said.includes('"seq":') ? null : new Error(said);
			waiting.get(message.subject)?.(problem);
			waiting.delete(message.subject);
		},
	});
	const keep = (event: object) =>
		new Promise<void>((resolve, reject) => {
			const reply = `${inbox}.${++last}`;
			waiting.set(reply, (problem) =>
				problem === null ? resolve() : reject(problem),
			);
			connection.publish("segue.events.skip", JSON.stringify(event), {
				reply,
			});
		});
	return async (events) => {
		await Promise.all(events.map(keep));
	};
}
