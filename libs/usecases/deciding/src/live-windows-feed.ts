import type { LiveWindows } from "#core/context";
import { decodeMessage, type Event } from "#core/log";
import { Repeated } from "./coalesce.js";
import type { Clock, EventTail, LiveContext } from "./ports.js";

export interface LiveWindowsFeedOptions {
	/** Longest window any experiment reads: how far back the stream is read at start. */
	readonly longestMs?: number;
	readonly retryMs?: number;
	/** Told of every failed attempt to follow the stream. */
	readonly failed?: (error: unknown) => void;
}

/** An event may lie this far ahead of the stream's own time; beyond, no learner takes it either. */
const MOST_AHEAD_MS = 300_000;

/** Live counts, rebuilt from the stream's tail at start and fed by it from then on. Every decider has its own. */
export class LiveWindowsFeed implements LiveContext {
	private caughtUp = false;
	private subscription: { close(): Promise<void> } | null = null;
	private readonly following: Repeated;

	constructor(
		private readonly windows: LiveWindows,
		private readonly stream: EventTail,
		private readonly clock: Clock,
		private readonly options: LiveWindowsFeedOptions = {},
	) {
		this.following = new Repeated(
			() => this.follow(),
			options.retryMs ?? 1_000,
			options.failed ?? (() => {}),
		);
	}

	get ready(): boolean {
		return this.caughtUp && this.stream.connected;
	}

	count(unit: string, type: string, windowMs: number, now: number): number {
		return this.windows.count(unit, type, windowMs, now);
	}

	/** Begins to follow the stream; resolves at the first attempt, which is repeated while it fails. */
	async start(): Promise<void> {
		await this.follow().catch(this.options.failed ?? (() => {}));
		this.following.start();
	}

	async stop(): Promise<void> {
		await this.following.stop();
		await this.subscription?.close();
	}

	private async follow(): Promise<void> {
		if (this.subscription !== null) return;
		const since =
			this.clock.now() - (this.options.longestMs ?? 300_000) - MOST_AHEAD_MS;
		const tail = await this.stream.tail(
			"segue.events.>",
			since,
			({ subject, body, storedAt }) => {
				const message = decodeMessage(subject, body);
				if (message.kind !== "events") return;
				for (const item of message.items)
					if (item.ok) this.hear(item.value, storedAt);
			},
		);
		this.subscription = tail;
		tail.caughtUp.then(
			() => {
				this.caughtUp = true;
			},
			(error: unknown) => {
				this.subscription = null;
				this.options.failed?.(error);
			},
		);
	}

	private hear(event: Event, storedAt: number): void {
		if (event.at <= storedAt + MOST_AHEAD_MS) this.windows.add(event);
	}
}
