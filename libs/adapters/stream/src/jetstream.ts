import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Left, RemovedMessages } from "#usecases/erasing";
import {
	type Durability,
	type HeldMessage,
	MessageTooLarge,
	type Stream,
	StreamAway,
	type StreamIdentity,
	type StreamMessage,
	type Subscription,
	type Tail,
} from "#usecases/ingesting";
import { hearAnnouncements } from "./jetstream-announcements.js";
import { crowdedBefore } from "./jetstream-crowding.js";
import { eraseMessages } from "./jetstream-erase.js";
import { ensureLayout, identify, type Layout } from "./jetstream-layout.js";
import { JetStreamLearners } from "./jetstream-learners.js";
import { JetStreamPublishes, NoStream } from "./jetstream-publishes.js";
import { deleteBelow } from "./jetstream-purge.js";
import { JetStreamRoom } from "./jetstream-room.js";
import { JetStreamTail } from "./jetstream-tail.js";
import { connectNats, publicServers } from "./nats-connection.js";
import {
	type JetStreamOptions,
	MAX_MESSAGE_BYTES,
	type OnProblem,
} from "./options.js";
import { encodeAnnouncement, posteriorSubject } from "./subjects.js";
import { BackOff, pause } from "./wait.js";

const API_TIMEOUT_MS = 2_000;
const DRAIN_MS = 2_000;
/** Headers of a publish count against the server's max_payload. */
const HEADER_BYTES = 1_024;

/** The stream in JetStream, with the connection it uses, for request and reply over the same one. */
export interface JetStream extends Stream {
	readonly connection: NatsConnection;
}

/** Connects and makes the stream and the learners' consumer where they are missing. Rejects when no server answers in time. */
export async function openJetStream(
	options: JetStreamOptions,
): Promise<JetStream> {
	const connection = await connectNats(
		options.servers,
		options.name ?? "segue",
		options.connectTimeoutMs ?? 30_000,
	);
	const layout = {
		maxBytes: options.maxBytes ?? 2 * 1024 ** 3,
		maxAckPending: options.maxAckPending ?? 131_072,
		ackWaitMs: options.ackWaitMs ?? 5_000,
	};
	try {
		const manager = await jetstreamManager(connection, {
			timeout: API_TIMEOUT_MS,
		});
		const stream = await ensureLayout(manager, layout);
		const room = new JetStreamRoom(manager, stream);
		return new NatsStream(connection, manager, layout, room, options);
	} catch (error) {
		await connection.close();
		throw error;
	}
}

/**
 * `connected` is true from the open on, false from a disconnect until the layout has been ensured after the reconnect: the broker
 * may have come back empty. A disconnect fails what is under way at once (publishes as *unknown*), since no answer can come.
 */
class NatsStream implements JetStream {
	readonly connection: NatsConnection;
	readonly description: string;
	readonly durability: Durability;
	readonly #manager: JetStreamManager;
	readonly #publishes: JetStreamPublishes;
	readonly #layout: Layout;
	readonly #onProblem: OnProblem;
	readonly #learners: JetStreamLearners;
	readonly #tails = new Set<JetStreamTail>();
	readonly #stop = new AbortController();
	#connected = true;
	/** Whether the socket is up; `#connected` follows it later. */
	#up = true;
	#ensuring: Promise<void> | null = null;

	constructor(
		connection: NatsConnection,
		manager: JetStreamManager,
		layout: Layout,
		private readonly room: JetStreamRoom,
		options: JetStreamOptions,
	) {
		this.connection = connection;
		this.description = `jetstream ${publicServers(options.servers)}`;
		this.durability = options.durability ?? "process";
		this.#manager = manager;
		this.#publishes = new JetStreamPublishes(connection);
		this.#layout = layout;
		this.#onProblem = options.onProblem ?? (() => {});
		this.#learners = new JetStreamLearners({
			connection,
			manager,
			isConnected: () => this.#connected,
			mend: () => this.#ensure(),
			send: (subject, text) => this.#send(subject, text),
			stop: this.#stop.signal,
		});
		void this.#watch();
	}

	get connected(): boolean {
		return this.#connected;
	}

	async publish(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		if (!this.#connected) throw new StreamAway(this.description);
		const most =
			Math.min(
				MAX_MESSAGE_BYTES,
				this.connection.info?.max_payload ?? MAX_MESSAGE_BYTES,
			) - HEADER_BYTES;
		if (body.length > most) throw new MessageTooLarge(body.length, most);
		this.room.enter(body.length);
		try {
			await this.#publishes.publish(subject, body, messageId, timeoutMs);
		} catch (error) {
			if (error instanceof NoStream) void this.#ensure();
			throw error;
		}
	}

	async pull(most: number, waitMs: number): Promise<readonly HeldMessage[]> {
		return await this.#learners.pull(most, waitMs);
	}

	async backlog(): Promise<number> {
		if (!this.#connected) throw new StreamAway(this.description);
		return await this.#learners.backlog();
	}

	async identity(): Promise<StreamIdentity> {
		if (!this.#connected) throw new StreamAway(this.description);
		return await identify(this.#manager);
	}

	async tail(
		filter: string,
		since: number,
		deliver: (message: StreamMessage) => void,
	): Promise<Tail> {
		const tail = new JetStreamTail(
			this.connection,
			this.#manager,
			{ filter, since, deliver },
			this.#onProblem,
		);
		this.#tails.add(tail);
		return {
			caughtUp: tail.caughtUp,
			close: async () => {
				this.#tails.delete(tail);
				await tail.close();
			},
		};
	}

	async purge(storedBefore: number, signal?: AbortSignal): Promise<void> {
		if (!this.#connected) throw new StreamAway(this.description);
		const acknowledged = await this.#learners.floor();
		await deleteBelow(
			this.#manager,
			acknowledged,
			storedBefore,
			() => this.#connected && signal?.aborted !== true,
		);
	}

	async crowdedBefore(): Promise<number | null> {
		if (!this.#connected) throw new StreamAway(this.description);
		return await crowdedBefore(this.#manager, () => this.#learners.floor());
	}

	async erase(
		takeOut: (body: Uint8Array) => Left,
		withinMs: number,
	): Promise<RemovedMessages> {
		if (!this.#connected) throw new StreamAway(this.description);
		return await eraseMessages(
			{
				tail: (filter, deliver) => this.tail(filter, 0, deliver),
				floor: () => this.#learners.floor(),
				manager: this.#manager,
			},
			takeOut,
			withinMs,
		);
	}

	announce(experiment: string, revision: number): void {
		if (this.#connected) {
			this.#send(
				posteriorSubject(experiment),
				encodeAnnouncement(experiment, revision),
			);
		}
	}

	async onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<Subscription> {
		return await hearAnnouncements(
			this.connection,
			() => this.#connected,
			heard,
		);
	}

	async close(): Promise<void> {
		if (this.#stop.signal.aborted) return;
		this.#stop.abort();
		await Promise.all([...this.#tails].map((tail) => tail.close()));
		this.#learners.abandon();
		if (this.#connected)
			await Promise.race([this.connection.drain(), pause(DRAIN_MS)]).catch(
				() => {},
			);
		this.#connected = false;
		await this.connection.close();
		this.#publishes.abandon(new StreamAway(this.description));
	}

	/** Without an answer: what is lost on the way is redelivered, or said again. */
	#send(subject: string, text: string): void {
		try {
			this.connection.publish(subject, text);
		} catch (error) {
			this.#onProblem(`The stream could not send to ${subject}.`, error);
		}
	}

	async #watch(): Promise<void> {
		for await (const status of this.connection.status()) {
			if (status.type === "disconnect") this.#lose();
			else if (status.type === "reconnect") {
				this.#up = true;
				void this.#ensure();
			} else if (status.type === "error")
				this.#onProblem("The NATS server reports an error.", status.error);
		}
		// The connection was closed for good, by `close` or by a server that will not have it back.
		this.#connected = false;
	}

	#lose(): void {
		this.#up = false;
		this.#connected = false;
		const error = new Error(
			`The connection to the stream (${this.description}) was lost; whether it stored the message is unknown.`,
		);
		this.#publishes.abandon(error);
		this.#learners.abandon();
		for (const tail of this.#tails) tail.abandon();
	}

	#ensure(): Promise<void> {
		this.#ensuring ??= this.#ensureLayout().finally(() => {
			this.#ensuring = null;
		});
		return this.#ensuring;
	}

	async #ensureLayout(): Promise<void> {
		const backOff = new BackOff(1_000);
		while (!this.#stop.signal.aborted) {
			try {
				this.room.note(await ensureLayout(this.#manager, this.#layout));
				this.#connected = this.#up && !this.#stop.signal.aborted;
				return;
			} catch (error) {
				this.#onProblem(
					"The stream is not ready yet; Segue tries again.",
					error,
				);
				await backOff.wait(this.#stop.signal);
			}
		}
	}
}
