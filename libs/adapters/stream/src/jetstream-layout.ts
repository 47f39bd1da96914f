import {
	AckPolicy,
	type ConsumerInfo,
	DeliverPolicy,
	DiscardPolicy,
	type JetStreamManager,
	ReplayPolicy,
	RetentionPolicy,
	StorageType,
	type StreamConfig,
	type StreamInfo,
} from "@nats-io/jetstream";
import type { StreamIdentity } from "#usecases/ingesting";
import { MAX_MESSAGE_BYTES } from "./options.js";
import { EVENT_SUBJECTS, LOG_SUBJECTS } from "./subjects.js";

export const STREAM = "SEGUE";
export const LEARNERS = "learners";

const SMALLEST_STREAM = 16 * 1_048_576;
const NANOS_PER_MS = 1_000_000;
const DUPLICATE_WINDOW_MS = 120_000;

/** Error codes of the JetStream API (server/errors.json). */
const STREAM_NOT_FOUND = 10059;
const CONSUMER_NOT_FOUND = 10014;
const NO_ROOM = new Set([10023, 10028, 10047]);
const NAME_IN_USE = 10058;

export interface Layout {
	readonly maxBytes: number;
	readonly maxAckPending: number;
	readonly ackWaitMs: number;
}

/** Makes the stream and the learners' consumer, or brings them to this layout; safe from several processes at once. */
export async function ensureLayout(
	manager: JetStreamManager,
	layout: Layout,
): Promise<StreamInfo> {
	const stream =
		(await findStream(manager)) ?? (await addStream(manager, layout.maxBytes));
	const kept = await reconcile(manager, stream, layout.maxBytes);
	await ensureLearners(manager, layout);
	return kept;
}

/** The server keeps when it made a stream, over restarts and updates; one deleted and made again has another time. */
export async function identify(
	manager: JetStreamManager,
): Promise<StreamIdentity> {
	const { created, state } = await manager.streams.info(STREAM);
	return { name: `${STREAM} made ${created}`, lastPosition: state.last_seq };
}

export function apiCode(error: unknown): number | null {
	const code = (error as { code?: unknown } | null)?.code;
	return typeof code === "number" ? code : null;
}

async function findStream(
	manager: JetStreamManager,
): Promise<StreamInfo | null> {
	try {
		return await manager.streams.info(STREAM);
	} catch (error) {
		if (apiCode(error) === STREAM_NOT_FOUND) return null;
		throw error;
	}
}

function streamConfig(maxBytes: number) {
	return {
		name: STREAM,
		description: "Segue: decisions and events on their way to the learners",
		subjects: [LOG_SUBJECTS, EVENT_SUBJECTS],
		storage: StorageType.File,
		retention: RetentionPolicy.Limits,
		// A full stream refuses what is new: nothing may push out what no learner has acknowledged.
		discard: DiscardPolicy.New,
		max_bytes: maxBytes,
		max_msg_size: MAX_MESSAGE_BYTES,
		max_age: 0,
		max_msgs: -1,
		duplicate_window: DUPLICATE_WINDOW_MS * NANOS_PER_MS,
		num_replicas: 1,
	} satisfies Partial<StreamConfig>;
}

async function addStream(
	manager: JetStreamManager,
	wanted: number,
): Promise<StreamInfo> {
	for (let maxBytes = wanted; ; maxBytes = Math.floor(maxBytes / 2)) {
		try {
			return await manager.streams.add(streamConfig(maxBytes));
		} catch (error) {
			const code = apiCode(error);
			if (code === NAME_IN_USE) return await manager.streams.info(STREAM);
			if (code === null || !NO_ROOM.has(code) || maxBytes / 2 < SMALLEST_STREAM)
				throw error;
		}
	}
}

/** Keeps the replicas and a larger bound that an operator set; changes what correctness needs, and the bound where there is room. */
async function reconcile(
	manager: JetStreamManager,
	stream: StreamInfo,
	maxBytes: number,
): Promise<StreamInfo> {
	const { config } = stream;
	if (
		config.retention !== RetentionPolicy.Limits ||
		config.storage !== StorageType.File
	) {
		throw new Error(
			`The stream ${STREAM} has retention ${config.retention} and storage ${config.storage}; Segue needs limits and file. Delete it once it is drained, and start again.`,
		);
	}
	const wanted = streamConfig(Math.max(maxBytes, config.max_bytes));
	const fits =
		config.discard === wanted.discard &&
		config.max_age === 0 &&
		config.max_msgs === -1 &&
		config.max_msg_size === MAX_MESSAGE_BYTES &&
		config.duplicate_window === wanted.duplicate_window &&
		wanted.subjects.every((subject) => config.subjects.includes(subject));
	if (fits && config.max_bytes >= maxBytes) return stream;
	const update = { ...config, ...wanted, num_replicas: config.num_replicas };
	try {
		return await manager.streams.update(STREAM, update);
	} catch (error) {
		const code = apiCode(error);
		if (code === null || !NO_ROOM.has(code)) throw error;
		return fits
			? stream
			: await manager.streams.update(STREAM, {
					...update,
					max_bytes: config.max_bytes,
				});
	}
}

async function ensureLearners(
	manager: JetStreamManager,
	layout: Layout,
): Promise<ConsumerInfo> {
	const wanted = {
		ack_wait: layout.ackWaitMs * NANOS_PER_MS,
		max_deliver: -1,
		max_ack_pending: layout.maxAckPending,
	};
	const found = await findLearners(manager);
	if (found === null)
		return await manager.consumers.add(STREAM, {
			durable_name: LEARNERS,
			ack_policy: AckPolicy.Explicit,
			deliver_policy: DeliverPolicy.All,
			replay_policy: ReplayPolicy.Instant,
			...wanted,
		});
	const { config } = found;
	const fits =
		config.ack_wait === wanted.ack_wait &&
		config.max_deliver === wanted.max_deliver &&
		config.max_ack_pending === wanted.max_ack_pending;
	// Servers from 2.10 on refuse to add what exists with other settings.
	return fits
		? found
		: await manager.consumers.update(STREAM, LEARNERS, wanted);
}

async function findLearners(
	manager: JetStreamManager,
): Promise<ConsumerInfo | null> {
	try {
		return await manager.consumers.info(STREAM, LEARNERS);
	} catch (error) {
		if (apiCode(error) === CONSUMER_NOT_FOUND) return null;
		throw error;
	}
}

/** A short-lived reader that acknowledges nothing, for tails and for finding a place by time. */
export async function addReader(
	manager: JetStreamManager,
	from: { readonly time: number } | { readonly sequence: number },
	filter?: string,
): Promise<ConsumerInfo> {
	return await manager.consumers.add(STREAM, {
		ack_policy: AckPolicy.None,
		replay_policy: ReplayPolicy.Instant,
		inactive_threshold: READER_IDLE_MS * NANOS_PER_MS,
		mem_storage: true,
		filter_subject: filter,
		...("time" in from
			? {
					deliver_policy: DeliverPolicy.StartTime,
					opt_start_time: new Date(from.time).toISOString(),
				}
			: {
					deliver_policy: DeliverPolicy.StartSequence,
					opt_start_seq: from.sequence,
				}),
	});
}

const READER_IDLE_MS = 30_000;
