import {
	type Definition,
	type LiveFeature,
	liveFeatures,
} from "#core/experiment";
import type { ErasedUnit, LiveAsk, LiveWindows } from "#core/live";
import { Coalesced, Repeated } from "./coalesce.js";
import { LiveReader } from "./live-reader.js";
import type { Clock, EventTail, LiveContext, UnitsErased } from "./ports.js";

export interface LiveWindowsFeedOptions {
	readonly retryMs?: number;
	/** Absent: nobody ever was. */
	readonly erasures?: UnitsErased;
	/** Told of every failed attempt to follow the stream. */
	readonly failed?: (error: unknown) => void;
}

/**
 * Live features, made from the stream: what it has of their history at start, what comes from then on. Every decider has its own windows,
 * over the features that are declared. Where a definition declares others, new windows over all of them are filled beside those in use,
 * which they replace once they have caught up; until then what is new cannot be read. Meanwhile there is memory for both.
 */
export class LiveWindowsFeed implements LiveContext {
	private readonly declared = new Map<string, readonly LiveFeature[]>();
	private serving: LiveReader | null = null;
	private coming: LiveReader | null = null;
	private started = false;
	private readonly completing = new Coalesced(() => this.complete());
	private readonly upkeep: Repeated;
	private readonly erasures: UnitsErased | undefined;
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
			erasures,
		}: LiveWindowsFeedOptions = {},
	) {
		this.failed = failed;
		this.erasures = erasures;
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
		const windows = this.serving?.windows;
		if (windows === undefined || !this.stream.connected) return undefined;
		return windows.read(feature, ask, now);
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
			const { erasures, clock } = this;
			if (erasures !== undefined) {
				const since = clock.now() - reader.historyMs;
				this.forget((await erasures.erasedSince(since)).units);
			}
			await reader.catchUp(this.stream, clock);
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
