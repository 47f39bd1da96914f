import { compileEncoder } from "#core/context";
import type { Definition } from "#core/experiment";
import { Sheets } from "#core/linalg";
import { Repeated } from "#usecases/pacing";
import { breath } from "./breath.js";
import { forgets } from "./bucket-history.js";
import { Coalesced } from "./coalesce.js";
import type { DefinitionCache } from "./definition-cache.js";
import { HeldPosterior, type Need, newSpareSheets } from "./held-posterior.js";
import type {
	Announcements,
	Clock,
	PosteriorSnapshot,
	PosteriorSource,
	Posteriors,
} from "./ports.js";

export interface PosteriorCacheOptions {
	readonly pollMs?: number;
	/** Told of every failed read; what is held stays in use and is named stale in time. */
	readonly failed?: (error: unknown) => void;
}

interface Refreshing {
	/** The newest definition that asked: its arms are prepared. */
	definition: Definition;
	readonly refresh: Coalesced;
}

/** A posterior its source has not confirmed for this long is named in `degraded`. */
const STALE_MS = 3_000;
/** How long before a time bucket begins the models of a policy that forgets are made for it. */
const AHEAD_MS = 3_000;

/**
 * The posterior of every current definition, in memory: exact sums in, models out, each swapped whole.
 * An entry belongs to (experiment, version, forgetting), so a definition that changes one of these gets its entry beside the old one
 * before it is obeyed; entries of definitions that are no longer current are dropped by the polls.
 */
export class PosteriorCache implements Posteriors {
	private readonly held = new Map<string, HeldPosterior>();
	private readonly spare = newSpareSheets();
	private readonly confirmedAt = new Map<string, number>();
	private readonly refreshing = new Map<string, Refreshing>();
	private readonly polling: Repeated;
	/** Apart from the polls, which wait for the database. */
	private readonly readying: Repeated;
	private readonly failed: (error: unknown) => void;
	private announcements: Announcements | null = null;
	private subscription: { close(): Promise<void> } | null = null;
	/** Entries that no current definition needed at the last poll. */
	private unneeded: ReadonlySet<string> = new Set();

	constructor(
		private readonly source: PosteriorSource,
		private readonly definitions: Pick<DefinitionCache, "get" | "all">,
		private readonly clock: Clock,
		options: PosteriorCacheOptions = {},
	) {
		this.failed = options.failed ?? (() => {});
		this.polling = new Repeated(
			() => this.poll(),
			options.pollMs ?? 1_000,
			this.failed,
		);
		this.readying = new Repeated(
			() => this.prepareAhead(),
			options.pollMs ?? 1_000,
			this.failed,
		);
	}

	/** Reads every current posterior, then follows announcements and polls. Rejects when the first reading fails; announcements may start later. */
	async start(announcements: Announcements): Promise<void> {
		this.announcements = announcements;
		await this.poll();
		await this.prepareAhead();
		this.polling.start();
		this.readying.start();
	}

	async stop(): Promise<void> {
		await this.subscription?.close();
		await this.polling.stop();
		await this.readying.stop();
	}

	/** Where the models cannot be made of the sums (a ridge too small for them), nothing learned serves instead: revision 0, named stale. */
	snapshot(definition: Definition, referenceBucket: number): PosteriorSnapshot {
		const key = entryKey(definition);
		const confirmed = this.confirmedAt.get(key) ?? Number.NEGATIVE_INFINITY;
		const stale = this.clock.now() - confirmed > STALE_MS;
		const held = this.held.get(key) ?? this.nothingLearned(definition);
		try {
			const models = held.models(definition, referenceBucket);
			return { revision: held.revision, models, stale };
		} catch (error) {
			this.failed(error);
			const prior = this.nothingLearned(definition);
			const models = prior.models(definition, referenceBucket);
			return { revision: prior.revision, models, stale: true };
		}
	}

	/** One arm's sums as `snapshot` weighs them, without λ. */
	sums(
		definition: Definition,
		arm: string,
		referenceBucket: number,
	): Float64Array {
		const held =
			this.held.get(entryKey(definition)) ?? this.nothingLearned(definition);
		return held.sums(definition, arm, referenceBucket);
	}

	/** Reads what changed of the experiment's current definition. */
	async refresh(experiment: string): Promise<void> {
		const definition = this.definitions.get(experiment);
		if (definition !== undefined) await this.prepare(definition);
	}

	/** Reads what changed of a definition that may not be current yet. Calls of one entry while a read is under way share the next. */
	prepare(definition: Definition): Promise<void> {
		const key = entryKey(definition);
		const entry = this.refreshing.get(key) ?? this.newEntry(key, definition);
		entry.definition = definition;
		return entry.refresh.run();
	}

	private newEntry(key: string, definition: Definition): Refreshing {
		const entry: Refreshing = {
			definition,
			refresh: new Coalesced(() => this.read(key, entry.definition)),
		};
		this.refreshing.set(key, entry);
		return entry;
	}

	/** Makes, from what is held, the models that decisions need now or after the next turn of a time bucket. */
	async prepareAhead(): Promise<void> {
		for (const definition of this.definitions.all()) {
			const key = entryKey(definition);
			await this.held.get(key)?.prepare(this.needs(key, definition));
		}
	}

	/** Whether a decision of the bucket would find its models made. */
	isReady(definition: Definition, referenceBucket: number): boolean {
		const held = this.held.get(entryKey(definition));
		return held?.isReady({ definition, referenceBucket }) === true;
	}

	/** Compares revisions with the source's, refreshes what is behind, confirms what is not. */
	async poll(): Promise<void> {
		await this.follow().catch(this.failed);
		const askedAt = this.clock.now();
		const heads = await this.source.heads();
		const current = this.definitions.all();
		this.dropOthers(new Set(current.map(entryKey)));
		const refreshes = current.map(async (definition) => {
			const key = entryKey(definition);
			const held = this.held.get(key);
			const head = heads.get(definition.experiment.key) ?? 0;
			if (held === undefined || held.revision < head)
				await this.prepare(definition);
			else this.confirm(key, askedAt);
		});
		const failures = (await Promise.allSettled(refreshes)).filter(
			(result) => result.status === "rejected",
		);
		if (failures[0] !== undefined) throw failures[0].reason;
	}

	/** Revision held for the experiment's current definition; 0 when none is. */
	revision(experiment: string): number {
		const definition = this.definitions.get(experiment);
		return definition === undefined
			? 0
			: (this.held.get(entryKey(definition))?.revision ?? 0);
	}

	private async follow(): Promise<void> {
		if (this.announcements === null || this.subscription !== null) return;
		this.subscription = await this.announcements.onAnnouncement(
			(experiment, revision) => {
				if (revision > this.revision(experiment))
					this.refresh(experiment).catch(this.failed);
			},
		);
	}

	private async read(key: string, definition: Definition): Promise<void> {
		const askedAt = this.clock.now();
		const held = this.held.get(key);
		const since = held?.revision ?? 0;
		const sheets = new Sheets(this.spare);
		const read = await this.source.read(
			definition.experiment.key,
			definition.version,
			since,
			sheets,
		);
		const needs = this.needs(key, definition);
		if (held !== undefined && read.revision <= held.revision)
			await held.prepare(needs);
		else {
			const before = held ?? this.nothingLearned(definition);
			const next = await before.advance(read, definition, needs, sheets);
			if (next !== null) await this.replace(key, next);
			else await this.readWhole(key, definition);
		}
		this.confirm(key, askedAt);
	}

	private async readWhole(key: string, definition: Definition): Promise<void> {
		const sheets = new Sheets(this.spare);
		const read = await this.source.read(
			definition.experiment.key,
			definition.version,
			0,
			sheets,
		);
		const whole = await this.nothingLearned(definition).advance(
			read,
			definition,
			this.needs(key, definition),
			sheets,
		);
		if (whole !== null) await this.replace(key, whole);
	}

	/** Models and sums are used within the turn that asks for them: after it, nothing uses those of the posterior before. */
	private async replace(key: string, next: HeldPosterior): Promise<void> {
		this.held.set(key, next);
		await breath();
		next.giveBack();
	}

	/** The definition asked for and, until that is obeyed, the current one; the present time bucket and one that begins soon. */
	private needs(key: string, definition: Definition): readonly Need[] {
		const current = this.definitions.get(definition.experiment.key);
		const both = [this.refreshing.get(key)?.definition ?? definition];
		if (
			current !== undefined &&
			current !== both[0] &&
			entryKey(current) === key
		)
			both.unshift(current);
		const now = this.clock.now();
		return both.flatMap((definition) => {
			const { bucketMs, experiment } = definition;
			const bucket = Math.floor(now / bucketMs);
			const soon = Math.floor((now + AHEAD_MS) / bucketMs);
			const buckets =
				forgets(experiment.policy) && soon > bucket ? [bucket, soon] : [bucket];
			return buckets.map((referenceBucket) => ({
				definition,
				referenceBucket,
			}));
		});
	}

	private confirm(key: string, at: number): void {
		this.confirmedAt.set(key, Math.max(at, this.confirmedAt.get(key) ?? at));
	}

	private nothingLearned(definition: Definition): HeldPosterior {
		return HeldPosterior.empty(
			compileEncoder(definition.experiment.context).d,
			definition.bucketMs,
			this.spare,
		);
	}

	/** An entry may be prepared for a definition that is about to become current, so it goes only after two polls that did not need it. */
	private dropOthers(current: ReadonlySet<string>): void {
		const unneeded = [...this.refreshing.keys()].filter(
			(key) => !current.has(key),
		);
		for (const key of unneeded) if (this.unneeded.has(key)) this.drop(key);
		this.unneeded = new Set(unneeded);
	}

	private drop(key: string): void {
		this.held.delete(key);
		this.confirmedAt.delete(key);
		this.refreshing.delete(key);
	}
}

function entryKey({
	experiment: { key, policy },
	version,
}: Definition): string {
	return `${key}@${version}/${policy.halfLifeMs ?? ""}/${policy.slidingWindowMs ?? ""}`;
}
