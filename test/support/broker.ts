import {
	type ConsumerInfo,
	JetStreamApiError,
	jetstream,
	jetstreamManager,
	type StreamConfig,
	type StreamState,
} from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { waitFor } from "./segue.js";

/** A message as it lies in the stream. */
export interface Published {
	readonly subject: string;
	readonly body: Uint8Array;
}

/** The broker's own door: for what only an operator does, or a publisher that is not Segue. */
export interface Broker {
	state(): Promise<StreamState>;
	set(change: Partial<StreamConfig>): Promise<void>;
	/** In this order; returns their places in the stream. No ids, so that the broker takes everything for new. */
	publish(messages: readonly Published[]): Promise<number[]>;
	/** Takes all messages out of the stream. */
	empty(): Promise<void>;
	/** Sends every message once more under its own id, as a publisher does that heard no answer; returns how many ids there were. */
	repeatAll(): Promise<number>;
	learners(): Promise<ConsumerInfo>;
	/** Until the learners have acknowledged all there is. */
	taken(withinMs: number): Promise<void>;
	/** Forgets what the learners acknowledged: they make their consumer again and get all that is kept once more, at its old place. */
	redeliverAll(): Promise<void>;
	close(): Promise<void>;
}

const STREAM = "SEGUE";
const LEARNERS = "learners";
const AT_ONCE = 200;
/** The broker's code for a consumer that is not there. */
const GONE = 10014;

export async function openBroker(url: string): Promise<Broker> {
	const connection = await connect({ servers: url });
	const manager = await jetstreamManager(connection);
	const door = jetstream(connection);
	const learners = () => manager.consumers.info(STREAM, LEARNERS);
	return {
		state: async () => (await manager.streams.info(STREAM)).state,
		set: async (change) => {
			const { config } = await manager.streams.info(STREAM);
			await manager.streams.update(STREAM, { ...config, ...change });
		},
		publish: async (messages) => {
			const places: number[] = [];
			for (let from = 0; from < messages.length; from += AT_ONCE) {
				const some = messages.slice(from, from + AT_ONCE);
				const kept = some.map(({ subject, body }) =>
					door.publish(subject, body),
				);
				for (const { seq } of await Promise.all(kept)) places.push(seq);
			}
			return places;
		},
		empty: async () => {
			await manager.streams.purge(STREAM);
		},
		repeatAll: async () => {
			const { state } = await manager.streams.info(STREAM);
			const known = new Set<string>();
			const repeat = async (seq: number) => {
				const held = await manager.streams.getMessage(STREAM, { seq });
				if (held === null) return;
				const msgID = held.header.get("Nats-Msg-Id");
				// What is there twice already would be known by its first repeat.
				if (known.has(msgID)) return;
				known.add(msgID);
				await door.publish(held.subject, held.data, { msgID });
			};
			for (let seq = state.first_seq; seq <= state.last_seq; seq += AT_ONCE) {
				const end = Math.min(seq + AT_ONCE, state.last_seq + 1);
				await Promise.all(
					Array.from({ length: end - seq }, (_, i) => repeat(seq + i)),
				);
			}
			return known.size;
		},
		learners,
		taken: async (withinMs) => {
			const { last_seq } = (await manager.streams.info(STREAM)).state;
			let left = "nobody reads";
			await waitFor(
				async () => {
					const { num_pending, num_ack_pending, ack_floor } = await learners();
					left = `${num_pending} not delivered, ${num_ack_pending} not acknowledged, all up to ${ack_floor.stream_seq} of ${last_seq} done`;
					return num_pending === 0 && num_ack_pending === 0;
				},
				withinMs,
				() => `the learners did not take all: ${left}`,
			);
		},
		redeliverAll: async () => {
			const { created } = await learners();
			try {
				await manager.consumers.delete(STREAM, LEARNERS);
			} catch (error) {
				// The broker writes a consumer's state behind its back, now and then into the folder that it is about to remove: "directory not empty". The consumer is gone all the same.
				const now = await learners().catch((missing: unknown) => {
					if (missing instanceof JetStreamApiError && missing.code === GONE)
						return null;
					throw missing;
				});
				if (now?.created === created) throw error;
			}
		},
		close: () => connection.close(),
	};
}
