import type { NatsConnection } from "@nats-io/transport-node";
import type { Subscription } from "#usecases/ingesting";
import { decodeAnnouncement, POSTERIOR_SUBJECTS } from "./subjects.js";

/** Heard once the promise resolves, where the server is there. */
export async function hearAnnouncements(
	connection: NatsConnection,
	isConnected: () => boolean,
	heard: (experiment: string, revision: number) => void,
): Promise<Subscription> {
	const subscription = connection.subscribe(POSTERIOR_SUBJECTS, {
		callback: (error, message) => {
			const said = error === null ? decodeAnnouncement(message.string()) : null;
			if (said !== null) heard(said.experiment, said.revision);
		},
	});
	if (isConnected()) await connection.flush();
	return { close: async () => subscription.unsubscribe() };
}
