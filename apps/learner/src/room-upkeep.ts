import { Repeated } from "#usecases/pacing";
import type { MakeRoom } from "#usecases/retaining";
import type { Log } from "../../boot/src/log.js";

const EVERY_MS = 1_000;
const SAY_EVERY_MS = 60_000;

export interface RoomUpkeepNeeds {
	/** How long the stream keeps what is learned, milliseconds. */
	readonly keepMs: () => Promise<number>;
	readonly metrics: { streamCutEarly(): void };
	readonly log: Pick<Log, "warn">;
}

/** Looks each second whether there is room in the stream, and says at most once a minute that what live features may ask for had to go. */
export class RoomUpkeep {
	readonly #stop = new AbortController();
	readonly #looking: Repeated;
	readonly #saidAt = { cut: -SAY_EVERY_MS, failed: -SAY_EVERY_MS };
	/** As it was last known: the database may be slow to say it when a cut is to be told. Until it is, any cut is early. */
	#keepMs = Number.POSITIVE_INFINITY;

	constructor(
		private readonly room: Pick<MakeRoom, "execute">,
		private readonly needs: RoomUpkeepNeeds,
	) {
		this.#looking = new Repeated(
			() => this.#look(),
			EVERY_MS,
			(error) =>
				this.#say("failed", (log) =>
					log.warn({ err: error }, "Room in the stream was not looked after"),
				),
		);
		this.#looking.start();
	}

	/** Resolves once the messages under way are dropped; the rest is left to other learners. */
	async stop(): Promise<void> {
		this.#stop.abort();
		await this.#looking.stop();
	}

	async #look(): Promise<void> {
		let cut: number | null = null;
		try {
			await this.room.execute((before) => {
				cut = before;
			}, this.#stop.signal);
		} finally {
			if (cut !== null) await this.#tell(cut);
		}
	}

	async #tell(before: number): Promise<void> {
		this.#keepMs = await this.needs.keepMs().catch(() => this.#keepMs);
		if (before <= Date.now() - this.#keepMs) return;
		this.needs.metrics.streamCutEarly();
		this.#say("cut", (log) =>
			log.warn(
				`The stream was three quarters full: messages that are learned and were stored before ${new Date(before).toISOString()} were dropped early. Live features that look back further have no value in deciders that fill their windows now. Raise the stream's max_bytes; where the backlog is large, start more learners.`,
			),
		);
	}

	#say(
		what: "cut" | "failed",
		say: (log: RoomUpkeepNeeds["log"]) => void,
	): void {
		const now = performance.now();
		if (now - this.#saidAt[what] < SAY_EVERY_MS) return;
		this.#saidAt[what] = now;
		say(this.needs.log);
	}
}
