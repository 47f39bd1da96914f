import pg from "pg";
import type { OnProblem } from "./options.js";
import { BackOff, pause } from "./wait.js";

const HEARTBEAT_MS = 500;
const ANSWER_MS = 1_000;
const LONGEST_WAIT_MS = 500;
const CONNECT_MS = 2_000;

/**
 * One connection that listens and, since it asks for a sign of life twice a second, knows whether the server is in reach.
 * When it is lost it comes back for ever; `onBack` then tells that notifications may have been missed.
 */
export class PostgresListener {
	readonly #connectionString: string;
	readonly #channels: readonly string[];
	readonly #heard: (channel: string, payload: string) => void;
	readonly #onBack: () => void;
	readonly #onProblem: OnProblem;
	readonly #stop = new AbortController();
	#client: pg.Client | null = null;
	#ended: Promise<void> = Promise.resolve();

	constructor(
		connectionString: string,
		channels: readonly string[],
		heard: (channel: string, payload: string) => void,
		onBack: () => void,
		onProblem: OnProblem,
	) {
		this.#connectionString = connectionString;
		this.#channels = channels;
		this.#heard = heard;
		this.#onBack = onBack;
		this.#onProblem = onProblem;
	}

	get connected(): boolean {
		return this.#client !== null;
	}

	/** Rejects when the first connection fails. */
	async open(): Promise<void> {
		this.#ended = this.#keep((await this.#connect()).lost);
	}

	async close(): Promise<void> {
		this.#stop.abort();
		await this.#ended;
	}

	async #keep(firstLost: Promise<void>): Promise<void> {
		let lost = firstLost;
		const backOff = new BackOff(LONGEST_WAIT_MS);
		for (;;) {
			await lost;
			if (this.#stop.signal.aborted) return;
			try {
				lost = (await this.#connect()).lost;
				backOff.reset();
				this.#onBack();
			} catch (error) {
				this.#onProblem(
					"The stream's database is out of reach; Segue tries again.",
					error,
				);
				await backOff.wait(this.#stop.signal);
				lost = Promise.resolve();
			}
		}
	}

	/** Resolves once it listens; `lost` when the connection is, or the listener closed. */
	async #connect(): Promise<{ readonly lost: Promise<void> }> {
		const client = new pg.Client({
			connectionString: this.#connectionString,
			application_name: "segue stream",
			connectionTimeoutMillis: CONNECT_MS,
			query_timeout: ANSWER_MS,
			keepAlive: true,
		});
		const broken = new AbortController();
		client.on("error", () => broken.abort());
		client.on("end", () => broken.abort());
		client.on("notification", ({ channel, payload }) =>
			this.#heard(channel, payload ?? ""),
		);
		try {
			await client.connect();
			for (const channel of this.#channels)
				await client.query(`listen ${pg.escapeIdentifier(channel)}`);
		} catch (error) {
			await hangUp(client);
			throw error;
		}
		this.#client = client;
		return { lost: this.#beat(client, broken.signal) };
	}

	async #beat(client: pg.Client, broken: AbortSignal): Promise<void> {
		const over = AbortSignal.any([broken, this.#stop.signal]);
		try {
			while (!over.aborted) {
				await client.query("select 1");
				await pause(HEARTBEAT_MS, over);
			}
		} catch {
			// Lost: the caller reconnects.
		}
		this.#client = null;
		await hangUp(client);
	}
}

/** `end` waits for the server's farewell, which a frozen one never sends. */
async function hangUp(client: pg.Client): Promise<void> {
	await Promise.race([client.end().catch(() => {}), pause(ANSWER_MS)]);
}
