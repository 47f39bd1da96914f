import {
	type Definition,
	type LiveFeature,
	liveFeatures,
} from "#core/experiment";
import type { ErasedUnit, LiveAsk, LiveWindows } from "#core/live";
import { Coalesced, Repeated } from "./coalesce.js";
import { LiveReader } from "./live-reader.js";
import type { Clock, EventTail, LiveContext, StreamPast } from "./ports.js";

export interface LiveWindowsFeedOptions {
	readonly retryMs?: number;
	/** Absent: nobody was ever erased, and the stream has all there ever was. */
	readonly past?: StreamPast;
	/** Told of every failed attempt to follow the stream. */
	readonly failed?: (error: unknown) => void;
}

const NOTHING_GONE: StreamPast = {
	erasedSince: async () => ({ units: [] }),
	wholeSince: async () => null,
};

/**
 * Live features, made from the stream: what it has of their history at start, what comes from then on. Every decider has its own windows,
 * over the features that are declared. Where a definition declares others, new windows over all of them are filled beside those in use,
 * which they replace once they have caught up; until then what is new cannot be read. Meanwhile there is memory for both. Nor can a feature be read whose window reaches back to what the
 * stream no longer had, until it does not: a count would be too low.
 */
export class LiveWindowsFeed implements LiveContext {
	private readonly declared = new Map<string, readonly LiveFeature[]>();
	private serving: LiveReader | null = null;
	private coming: LiveReader | null = null;
	private started = false;
	private readonly completing = new Coalesced(() => this.complete());
	private readonly upkeep: Repeated;
	private readonly past: StreamPast;
	private readonly failed: (error: unknown) => void;

	constructor(
		private readonly stream: EventTail,
		private readonly clock: Clock,
		private readonly windowsOver: (
			features: readonly LiveFeature[],
		) => LiveWindows,
		{
			retryMs = 1_000,
			failed = () => {},
			past = NOTHING_GONE,
		}: LiveWindowsFeedOptions = {},
	) {
		this.failed = failed;
		this.past = past;
		this.upkeep = new Repeated(
			async () => {
				this.serving?.windows.leave(this.clock.now());
				await this.completing.run();
			},
			retryMs,
			failed,
		);
	}

	/** Whether every declared feature can be read now. */
	get ready(): boolean {
		return this.stream.connected && this.isComplete;
	}

	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
	): number | null | undefined {
		const { serving } = this;
		if (serving === null || !this.stream.connected) return undefined;
		if (!serving.isWhole(feature, now)) return undefined;
		return serving.windows.read(feature, ask, now);
	}

	/** Takes a definition's features up; resolves when they can be read, or when an attempt failed, which is repeated. */
	async prepare({ experiment }: Definition): Promise<void> {
		this.declared.set(experiment.key, liveFeatures(experiment.context));
		if (this.started) await this.completing.run().catch(this.failed);
	}

	/** Begins to follow the stream, and does so again while that fails. */
	start(): void {
		this.started = true;
		this.completing.run().catch(this.failed);
		this.upkeep.start();
	}

	async stop(): Promise<void> {
		this.started = false;
		await Promise.all([this.coming?.close(), this.serving?.close()]);
		await this.upkeep.stop();
	}

	/** Forgets units, as their erasures demand. */
	forget(units: readonly ErasedUnit[]): void {
		this.serving?.windows.forget(units);
		this.coming?.windows.forget(units);
	}

	private get isComplete(): boolean {
		const windows = this.serving?.windows;
		for (const features of this.declared.values())
			for (const feature of features)
				if (windows?.serves(feature) !== true) return false;
		return true;
	}

	private async complete(): Promise<void> {
		if (!this.started || this.isComplete) return;
		const features = [...this.declared.values()].flat();
		const reader = new LiveReader(this.windowsOver(features), features);
		this.coming = reader;
		try {
			const since = this.clock.now() - reader.historyMs;
			this.forget((await this.past.erasedSince(since)).units);
			await reader.catchUp(this.stream, this.clock);
			// Asked for at the end: what is dropped is noted before.
			reader.wholeSince = await this.past.wholeSince();
		} catch (error) {
			this.coming = null;
			await reader.close();
			throw error;
		}
		if (!this.started) return;
		const before = this.serving;
		this.serving = reader;
		this.coming = null;
		await before?.close();
	}
}
