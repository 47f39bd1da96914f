import type { Definition } from "#core/experiment";
import { Repeated } from "#usecases/pacing";
import { Coalesced } from "./coalesce.js";
import type { DefinitionSource, Definitions } from "./ports.js";

export interface DefinitionCacheOptions {
	readonly pollMs?: number;
	/** Told of every failed poll; the definitions known so far stay in force. */
	readonly failed?: (error: unknown) => void;
	/** Awaited (at most half a second) before a new definition is obeyed, so that what it needs is ready, such as its posterior. */
	readonly prepare?: (definition: Definition) => Promise<void>;
}

/**
 * Worst case for a change made elsewhere: it comes while another one is prepared, then a poll's wait passes, then it is prepared
 * itself. That is three times this long and two reads, below the 2 s that are promised.
 */
const POLL_MS = 500;
const PREPARE_MS = 500;

/**
 * The current definition of every experiment, in memory. A change made elsewhere is obeyed within 2 s;
 * whoever changes one here calls `refresh` and is obeyed when it resolves.
 */
export class DefinitionCache implements Definitions {
	private current: ReadonlyMap<string, Definition> = new Map();
	private readonly refreshing = new Coalesced(() => this.read());
	private readonly polling: Repeated;
	private readonly failed: (error: unknown) => void;

	constructor(
		private readonly source: DefinitionSource,
		private readonly options: DefinitionCacheOptions = {},
	) {
		this.failed = options.failed ?? (() => {});
		this.polling = new Repeated(
			() => this.refresh(),
			options.pollMs ?? POLL_MS,
			this.failed,
		);
	}

	/** Rejects when the definitions cannot be read: a decider that knows none is not ready. */
	async start(): Promise<void> {
		await this.refresh();
		this.polling.start();
	}

	stop(): Promise<void> {
		return this.polling.stop();
	}

	get(experiment: string): Definition | undefined {
		return this.current.get(experiment);
	}

	/** What was known of it before stays in force, so only of what is not known. */
	whyLeftOut(experiment: string): unknown {
		return this.source.whyLeftOut?.(experiment) ?? null;
	}

	all(): readonly Definition[] {
		return [...this.current.values()];
	}

	refresh(): Promise<void> {
		return this.refreshing.run();
	}

	private async read(): Promise<void> {
		const read = await this.source.all();
		// Definition rows only grow: a smaller id is an older answer that overtook a newer one.
		const changed = read.filter(
			(definition) =>
				definition.id > (this.get(definition.experiment.key)?.id ?? -1),
		);
		if (changed.length === 0) return;
		await Promise.all(changed.map((definition) => this.prepared(definition)));
		const next = new Map(this.current);
		for (const definition of changed)
			next.set(definition.experiment.key, definition);
		this.current = next;
	}

	private async prepared(definition: Definition): Promise<void> {
		if (this.options.prepare === undefined) return;
		let timer: NodeJS.Timeout | undefined;
		const enough = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, PREPARE_MS);
		});
		const preparing = this.options.prepare(definition).catch(this.failed);
		await Promise.race([preparing, enough]);
		clearTimeout(timer);
	}
}
