import type pg from "pg";
import type { Left, RemovedMessages } from "#usecases/erasing";
import {
	type Durability,
	type HeldMessage,
	MessageTooLarge,
	type Stream,
	StreamAway,
	type StreamMessage,
	type Subscription,
	type Tail,
} from "#usecases/ingesting";
import { Bell } from "./bell.js";
import {
	MAX_MESSAGE_BYTES,
	MAX_PULL_BYTES,
	type OnProblem,
	type PostgresStreamOptions,
} from "./options.js";
import { Acknowledgements } from "./postgres-acknowledgements.js";
import { eraseRows } from "./postgres-erase.js";
import { PostgresListener } from "./postgres-listener.js";
import { openPool } from "./postgres-pool.js";
import {
	type ClaimedRow,
	claimMessages,
	countUnacknowledged,
	insertMessage,
	notify,
	POSTERIORS_CHANNEL,
	purgeAcknowledged,
	readServerFacts,
	STORED_CHANNEL,
} from "./postgres-sql.js";
import { PostgresTail } from "./postgres-tail.js";
import { RoomCheck } from "./room-check.js";
import {
	type Announcement,
	decodeAnnouncement,
	encodeAnnouncement,
} from "./subjects.js";
import { pause } from "./wait.js";

const PURGE_PAGE = 5_000;
const PUBLISHERS = 4;
const READERS = 6;

/** The stream in a table, for installs that have a database and nothing else. Needs migration 0002. */
export async function openPostgresStream(
	options: PostgresStreamOptions,
): Promise<Stream> {
	const onProblem = options.onProblem ?? (() => {});
	const durable = openPool(
		options.connectionString,
		PUBLISHERS,
		"on",
		onProblem,
	);
	// Claims and acknowledgements may be lost with the server: the message is delivered again.
	const loose = openPool(options.connectionString, READERS, "off", onProblem);
	try {
		const facts = await readServerFacts(durable);
		if (!facts.migrated) {
			throw new Error(
				"The database has no table stream_unacknowledged. Apply the migrations (0002_stream) first.",
			);
		}
		const stream = new PostgresStream(
			durable,
			loose,
			facts.synced ? "power" : "process",
			options,
			onProblem,
		);
		await stream.open();
		return stream;
	} catch (error) {
		await Promise.all([durable.end(), loose.end()]);
		throw error;
	}
}

class PostgresStream implements Stream {
	readonly description = "postgres";
	readonly durability: Durability;
	readonly #durable: pg.Pool;
	readonly #loose: pg.Pool;
	readonly #onProblem: OnProblem;
	readonly #claimMs: number;
	readonly #pollMs: number;
	readonly #listener: PostgresListener;
	readonly #acknowledgements: Acknowledgements;
	readonly #room: RoomCheck;
	readonly #stored = new Bell();
	readonly #hearing = new Set<(said: Announcement) => void>();
	readonly #tails = new Set<PostgresTail>();
	#closed = false;

	constructor(
		durable: pg.Pool,
		loose: pg.Pool,
		durability: Durability,
		options: PostgresStreamOptions,
		onProblem: OnProblem,
	) {
		this.#durable = durable;
		this.#loose = loose;
		this.durability = durability;
		this.#onProblem = onProblem;
		this.#claimMs = options.claimMs ?? 5_000;
		this.#pollMs = options.pollMs ?? 500;
		this.#acknowledgements = new Acknowledgements(
			loose,
			this.#claimMs,
			onProblem,
		);
		const most = options.maxUnacknowledged ?? 100_000;
		this.#room = new RoomCheck(most, () => countUnacknowledged(loose, most));
		this.#listener = new PostgresListener(
			options.connectionString,
			[STORED_CHANNEL, POSTERIORS_CHANNEL],
			(channel, payload) => this.#hear(channel, payload),
			() => this.#stored.ring(),
			onProblem,
		);
	}

	async open(): Promise<void> {
		await this.#listener.open();
	}

	get connected(): boolean {
		return !this.#closed && this.#listener.connected;
	}

	async publish(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		if (!this.connected) throw new StreamAway(this.description);
		if (body.length > MAX_MESSAGE_BYTES)
			throw new MessageTooLarge(body.length, MAX_MESSAGE_BYTES);
		// The query's own timeout does not cover the wait for a free connection.
		const late = new AbortController();
		const tooLate = pause(timeoutMs, late.signal).then(() => {
			throw new Error(
				`The stream's database did not answer within ${timeoutMs} ms; whether it stored the message is unknown.`,
			);
		});
		try {
			await Promise.race([
				this.#insert(subject, body, messageId, timeoutMs),
				tooLate,
			]);
		} finally {
			tooLate.catch(() => {});
			late.abort();
		}
	}

	async pull(most: number, waitMs: number): Promise<readonly HeldMessage[]> {
		const deadline = performance.now() + waitMs;
		for (;;) {
			const rung = this.#stored.next();
			const rows = this.connected ? await this.#claim(most) : [];
			const left = deadline - performance.now();
			if (rows.length > 0 || left <= 0 || this.#closed) {
				rung.cancel();
				return rows.map((row) => this.#hold(row));
			}
			await rung.within(Math.min(left, this.#pollMs));
		}
	}

	async backlog(): Promise<number> {
		return await countUnacknowledged(this.#loose, Number.MAX_SAFE_INTEGER);
	}

	async identity(): Promise<null> {
		return null;
	}

	async tail(
		filter: string,
		since: number,
		deliver: (message: StreamMessage) => void,
	): Promise<Tail> {
		const tail = new PostgresTail(
			this.#loose,
			{ filter, since, deliver },
			this.#stored,
			this.#pollMs,
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
		while (
			signal?.aborted !== true &&
			(await purgeAcknowledged(this.#loose, storedBefore, PURGE_PAGE)) ===
				PURGE_PAGE
		);
	}

	async crowdedBefore(): Promise<null> {
		return null;
	}

	async erase(
		takeOut: (body: Uint8Array) => Left,
		withinMs: number,
	): Promise<RemovedMessages> {
		return await eraseRows(this.#loose, takeOut, withinMs);
	}

	announce(experiment: string, revision: number): void {
		if (!this.connected) return;
		notify(
			this.#loose,
			POSTERIORS_CHANNEL,
			encodeAnnouncement(experiment, revision),
		).catch((error: unknown) => {
			this.#onProblem(
				"A revision could not be announced; deciders find it when they poll.",
				error,
			);
		});
	}

	async onAnnouncement(
		heard: (experiment: string, revision: number) => void,
	): Promise<Subscription> {
		const hear = (said: Announcement) => heard(said.experiment, said.revision);
		this.#hearing.add(hear);
		return {
			close: async () => {
				this.#hearing.delete(hear);
			},
		};
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#stored.ring();
		await Promise.all([...this.#tails].map((tail) => tail.close()));
		await this.#acknowledgements.close();
		await this.#listener.close();
		await Promise.all([this.#durable.end(), this.#loose.end()]);
	}

	async #insert(
		subject: string,
		body: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void> {
		await this.#room.enter();
		await insertMessage(this.#durable, subject, messageId, body, timeoutMs);
	}

	async #claim(most: number): Promise<readonly ClaimedRow[]> {
		try {
			return await claimMessages(
				this.#loose,
				most,
				MAX_PULL_BYTES,
				this.#claimMs,
			);
		} catch (error) {
			this.#onProblem("The stream could not pull; it tries again.", error);
			return [];
		}
	}

	#hold(row: ClaimedRow): HeldMessage {
		return {
			...row,
			acknowledge: () => this.#acknowledgements.acknowledge(row.position),
			extend: () => this.#acknowledgements.extend(row.position),
		};
	}

	#hear(channel: string, payload: string): void {
		if (channel === STORED_CHANNEL) this.#stored.ring();
		const said =
			channel === POSTERIORS_CHANNEL ? decodeAnnouncement(payload) : null;
		if (said !== null) for (const hear of this.#hearing) hear(said);
	}
}
