import type { LiveFeature } from "#core/experiment";
import {
	historyMs,
	type LiveAsk,
	type LiveValue,
	type LiveWindows,
	wholeAfterMs,
} from "#core/live";
import { decodeMessage, type Event, instantOf } from "#core/log";
import type { GatedWindows } from "./gated-windows.js";
import type { Clock, Consented, EventTail } from "./ports.js";
import type { UnitNames } from "./unit-names.js";

/**
 * An event may lie this far ahead of the stream's own time; beyond, no learner takes it either. The history is read from so long before it,
 * too: a copy of an event that was ahead is in a window for so long after the event itself is not, and must be known for a copy.
 */
const MOST_AHEAD_MS = 300_000;

/** Windows over a set of features, filled from the stream: what it still has of their history, and what comes from then on. */
export class LiveReader {
	readonly windows: LiveWindows;
	/** Of features that need consent; null where there are none. */
	readonly gated: GatedWindows | null;
	/** How far back the stream is read. */
	readonly historyMs: number;
	/** From when on everything was heard, milliseconds since the epoch; null where nothing is missing. */
	wholeSince: number | null = null;
	/** When the newest message heard was stored, now and when it was last known what the stream had dropped. */
	#reached = Number.NEGATIVE_INFINITY;
	#reachedBefore = Number.NEGATIVE_INFINITY;
	readonly #features: readonly LiveFeature[];
	#tail: Awaited<ReturnType<EventTail["tail"]>> | null = null;
	#isClosed = false;
	readonly #closed: Promise<void>;
	#sayClosed: () => void = () => {};

	/** @param features of both */
	constructor(
		windows: LiveWindows,
		features: readonly LiveFeature[],
		gated: GatedWindows | null = null,
		private readonly names?: Pick<UnitNames, "isNamed">,
	) {
		this.windows = windows;
		this.gated = gated;
		this.#features = features;
		this.historyMs = historyMs(features) + MOST_AHEAD_MS;
		this.#closed = new Promise((resolve) => {
			this.#sayClosed = resolve;
		});
	}

	/** Undefined where it is not known. */
	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
		consented?: Consented,
	): LiveValue | null | undefined {
		if (!this.isWhole(feature, now)) return undefined;
		return consented === undefined
			? this.windows.read(feature, ask, now)
			: this.gated?.read(feature, ask, now, consented);
	}

	/** Whether all that the feature's window holds at `now` was heard. */
	isWhole(feature: LiveFeature, now: number): boolean {
		const { wholeSince } = this;
		if (wholeSince === null) return true;
		if (now - wholeSince >= this.historyMs) this.wholeSince = null;
		return now - wholeSince >= wholeAfterMs(feature, this.#features);
	}

	/** When the newest message that was heard had been stored: to be asked before what is then given to `noteDropped`. */
	get reached(): number {
		return this.#reached;
	}

	/**
	 * To be told again and again what the stream has dropped. What it dropped of what came after all that was heard when this was told last
	 * may never come: a reader that was away goes on behind it, and nobody says so.
	 */
	noteDropped(before: number | null, reached: number): void {
		if (before !== null && before > this.#reachedBefore)
			this.wholeSince = Math.max(before, this.wholeSince ?? before);
		this.#reachedBefore = reached;
	}

	/** Resolves when all that the stream had at the call was heard, or when this is closed. */
	async catchUp(stream: EventTail, clock: Clock): Promise<void> {
		const since = clock.now() - this.historyMs;
		// One reader for both, so that a decision is heard before the events that name it.
		const { windows, gated } = this;
		const asks = windows.asksDecisions || gated?.asksDecisions;
		const filter = asks ? "segue.>" : "segue.events.>";
		this.#tail = await stream.tail(filter, since, (message) => {
			this.#reached = Math.max(this.#reached, message.storedAt);
			const decoded = decodeMessage(message.subject, message.body);
			if (decoded.kind === "decisions")
				for (const item of decoded.items)
					if (item.ok) {
						windows.decide(item.value);
						gated?.decide(item.value);
					}
			if (decoded.kind === "events")
				for (const item of decoded.items)
					if (item.ok) this.#hear(item.value, message.storedAt);
		});
		// Closed while the tail was being opened.
		if (this.#isClosed) await this.#tail.close();
		const caughtUp = this.#tail.caughtUp.then(() => gated?.settled());
		await Promise.race([caughtUp, this.#closed]);
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		this.#sayClosed();
		this.gated?.close();
		await this.#tail?.close();
	}

	#hear(event: Event, storedAt: number): void {
		if (event.at > storedAt + MOST_AHEAD_MS) return;
		if (this.names?.isNamed(event.unit, instantOf(event)) === false) return;
		this.windows.hear(event, storedAt);
		this.gated?.hear(event, storedAt);
	}
}
