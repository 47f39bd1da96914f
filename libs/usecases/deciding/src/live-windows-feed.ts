import {
	type ContextSchema,
	type Definition,
	isLive,
	type LiveFeature,
} from "#core/experiment";
import type { ErasedUnit, LiveAsk, LiveValue, LiveWindows } from "#core/live";
import { type Gate, gateOf } from "#core/privacy";
import { Repeated } from "#usecases/pacing";
import { Coalesced } from "./coalesce.js";
import {
	type GatedFeature,
	GatedWindows,
	type Gatekeeper,
} from "./gated-windows.js";
import { LiveReader } from "./live-reader.js";
import type {
	Clock,
	Consented,
	EventTail,
	LiveContext,
	StreamPast,
} from "./ports.js";
import type { UnitNames } from "./unit-names.js";

export interface LiveWindowsFeedOptions {
	readonly retryMs?: number;
	/** Absent: nobody was ever erased, and the stream has all there ever was. */
	readonly past?: StreamPast;
	/** Absent: no feature needs consent. */
	readonly keeper?: Gatekeeper;
	/** Absent: units go by the names that clients give them. */
	readonly names?: UnitNames;
	/** Told of every failed attempt to follow the stream. */
	readonly failed?: (error: unknown) => void;
}

const NOTHING_GONE: StreamPast = {
	erasedSince: async () => ({ units: [] }),
	wholeSince: async () => null,
	droppedBefore: async () => null,
};

/** A feature, and what must be allowed before events count for it; null: nothing. */
interface Declared {
	readonly live: LiveFeature;
	readonly gate: Gate | null;
}

const isFree = ({ gate }: Declared): boolean => gate === null;
const isGated = (one: Declared): one is GatedFeature => one.gate !== null;

function isServed(reader: LiveReader | null, one: Declared): boolean {
	if (isGated(one)) return reader?.gated?.serves(one) === true;
	return reader?.windows.serves(one.live) === true;
}

/**
 * Live features, made from the stream: what it has of their history at start, what comes from then on. Every decider has its own windows,
 * over the features that are declared. Where a definition declares others, new windows over all of them are filled beside those in use,
 * which they replace once they have caught up; until then what is new cannot be read. Nor can a feature be read whose window reaches back
 * to what the stream no longer had, until it does not: a count would be too low. Where those before heard what the stream had dropped when
 * the new ones were filled, they are read until the new ones are whole too. Meanwhile there is memory for both.
 */
export class LiveWindowsFeed implements LiveContext {
	private readonly declared = new Map<string, readonly Declared[]>();
	private serving: LiveReader | null = null;
	private former: LiveReader | null = null;
	private coming: LiveReader | null = null;
	private started = false;
	private filling: Promise<void> | null = null;
	private readonly completing = new Coalesced(() => this.complete());
	private readonly upkeep: Repeated;
	private readonly past: StreamPast;
	private readonly keeper: Gatekeeper | undefined;
	private readonly names: UnitNames | undefined;
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
			keeper,
			names,
		}: LiveWindowsFeedOptions = {},
	) {
		this.failed = failed;
		this.past = past;
		this.keeper = keeper;
		this.names = names;
		this.upkeep = new Repeated(
			async () => {
				const now = this.clock.now();
				for (const { windows, gated } of this.inUse) {
					windows.leave(now);
					gated?.leave(now);
				}
				await this.noteDropped();
				await this.letFormerGo(now);
				this.fill();
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
		consented?: Consented,
	): LiveValue | null | undefined {
		const { serving } = this;
		if (serving === null || !this.stream.connected) return undefined;
		if (this.names !== undefined && this.isOfFormerName(feature, now))
			return undefined;
		const value = serving.read(feature, ask, now, consented);
		return value === undefined
			? this.former?.read(feature, ask, now, consented)
			: value;
	}

	/** Whether the window reaches back to where the unit had another name, under which events of then count. */
	private isOfFormerName({ by, windowMs }: LiveFeature, now: number): boolean {
		const isOfUnit = by === "unit" || by === "session";
		const since = this.names?.since(now) ?? Number.NEGATIVE_INFINITY;
		return isOfUnit && now - since < windowMs;
	}

	/** Takes a definition's features up; resolves when they can be read, or when an attempt failed, which is repeated. */
	async prepare({ experiment }: Definition): Promise<void> {
		this.declared.set(experiment.key, this.liveOf(experiment.context));
		if (this.started) await this.completing.run().catch(this.failed);
	}

	/** Begins to follow the stream, and does so again while that fails. */
	start(): void {
		this.started = true;
		this.fill();
		this.upkeep.start();
	}

	async stop(): Promise<void> {
		this.started = false;
		await Promise.all(this.all.map((reader) => reader.close()));
		await this.upkeep.stop();
		await this.filling;
	}

	/** Forgets units, as their erasures demand. */
	forget(units: readonly ErasedUnit[]): void {
		for (const { windows } of this.all) windows.forget(units);
		this.forgetGated(units);
	}

	/** Forgets units under a consent that stands no more (`unitUnder`). */
	forgetGated(units: readonly ErasedUnit[]): void {
		for (const { gated } of this.all) gated?.forget(units);
	}

	private get inUse(): LiveReader[] {
		return [this.serving, this.former].filter((reader) => reader !== null);
	}

	private get all(): LiveReader[] {
		return this.coming === null ? this.inUse : [...this.inUse, this.coming];
	}

	/** Not waited for: a stream out of reach may take as long as it likes. */
	private fill(): void {
		this.filling ??= this.completing
			.run()
			.catch(this.failed)
			.finally(() => {
				this.filling = null;
			});
	}

	/** What cannot be asked now is asked in a second; until then nothing is known to be missing. */
	private async noteDropped(): Promise<void> {
		if (this.serving === null) return;
		const readers = this.inUse.map(
			(reader) => [reader, reader.reached] as const,
		);
		const before = await this.past.droppedBefore().catch(() => undefined);
		if (before === undefined) return;
		for (const [reader, reached] of readers)
			reader.noteDropped(before, reached);
	}

	/** Once it knows nothing that the newest one does not. */
	private async letFormerGo(now: number): Promise<void> {
		const { former, serving } = this;
		if (former === null) return;
		for (const features of this.declared.values())
			for (const one of features) {
				const isKnown = isServed(former, one) && former.isWhole(one.live, now);
				if (isKnown && serving?.isWhole(one.live, now) !== true) return;
			}
		this.former = null;
		await former.close();
	}

	private liveOf({ features }: ContextSchema): Declared[] {
		return features.flatMap((feature) => {
			if (!isLive(feature)) return [];
			const gate =
				this.keeper === undefined ? null : gateOf(this.keeper.policy, feature);
			return [{ live: feature.live, gate }];
		});
	}

	private get isComplete(): boolean {
		const { serving } = this;
		for (const features of this.declared.values())
			for (const feature of features)
				if (!isServed(serving, feature)) return false;
		return true;
	}

	private gatedOver(features: readonly GatedFeature[]): GatedWindows | null {
		return this.keeper === undefined || features.length === 0
			? null
			: new GatedWindows(features, this.windowsOver, this.keeper);
	}

	private async complete(): Promise<void> {
		if (!this.started || this.isComplete) return;
		const declared = [...this.declared.values()].flat();
		const reader = new LiveReader(
			this.windowsOver(declared.filter(isFree).map(({ live }) => live)),
			declared.map(({ live }) => live),
			this.gatedOver(declared.filter(isGated)),
			this.names,
		);
		this.coming = reader;
		try {
			const since = this.clock.now() - reader.historyMs;
			this.forget((await this.past.erasedSince(since)).units);
			await reader.catchUp(this.stream, this.clock);
			// Asked for at the end: what is dropped is noted before.
			const { reached } = reader;
			reader.wholeSince = await this.past.wholeSince();
			reader.noteDropped(null, reached);
		} catch (error) {
			this.coming = null;
			await reader.close();
			throw error;
		}
		if (!this.started) return;
		const { former, serving } = this;
		this.serving = reader;
		this.coming = null;
		// One is enough: what was declared in between waits until the newest one is whole for it.
		if (former === null) this.former = serving;
		else await serving?.close();
		await this.letFormerGo(this.clock.now());
	}
}
