import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { CompiledDefinitions } from "./compiled-definition.js";
import { PastModels } from "./rederive-models.js";
import type {
	DefinitionRows,
	LoggedDecisions,
	PastSums,
} from "./rederive-ports.js";
import {
	belowFloor,
	beyondNewest,
	noDefinition,
	notOurs,
} from "./rederive-reach.js";

export interface ReplayWish {
	/** Only this one's. */
	readonly experiment?: string;
	/** So many, drawn evenly from all; absent: all. */
	readonly decisions?: number;
	readonly seed?: number;
}

export interface DecisionsReplayed {
	/** Looked at: equal, different and skipped. */
	readonly decisions: number;
	readonly equal: number;
	/** The first of those that came out otherwise than logged. */
	readonly different: readonly {
		readonly decisionId: string;
		readonly experiment: string;
		readonly revision: number;
		readonly differences: readonly string[];
	}[];
	/** How many came out otherwise than logged. */
	readonly differing: number;
	/** Those that cannot be derived again, by the reason. */
	readonly skipped: readonly { readonly why: string; readonly count: number }[];
}

export interface ReplayPorts {
	readonly log: LoggedDecisions;
	readonly definitions: DefinitionRows;
	readonly past: PastSums;
	/** Told how many were looked at so far, and of how many; null where that is not known. */
	readonly onProgress?: (done: number, of: number | null) => void;
}

const PAGE = 2_000;
const MOST_SHOWN = 100;
/** Experiment versions whose sums are held at once. */
const MOST_HELD = 200;

/**
 * Makes logged decisions again and compares them with the log, a page after the other in the order of ids. Later decisions name later
 * revisions but for a few seconds, so the sums of each experiment version sweep once over the log.
 */
export class ReplayDecisions {
	private readonly compiled = new CompiledDefinitions();
	private readonly known = new Map<number, Definition>();
	private readonly held = new Map<string, PastModels>();

	constructor(private readonly ports: ReplayPorts) {}

	async execute(wish: ReplayWish = {}): Promise<DecisionsReplayed> {
		const tally = new Tally();
		for await (const { rows, of } of this.pages(wish)) {
			await this.learn(rows);
			for (const row of inOrderOfSums(rows)) await this.judge(row, tally);
			this.ports.onProgress?.(tally.decisions, of);
		}
		return tally.result();
	}

	private async *pages({
		experiment,
		decisions,
		seed = 1,
	}: ReplayWish): AsyncGenerator<Page> {
		const { log } = this.ports;
		if (decisions !== undefined) {
			const ids = await log.sample(decisions, seed, experiment);
			for (let i = 0; i < ids.length; i += PAGE)
				yield {
					rows: await log.byIds(ids.slice(i, i + PAGE)),
					of: ids.length,
				};
			return;
		}
		// What is decided meanwhile is not waited for.
		const newest = await log.newest();
		let after: string | null = null;
		while (newest !== null) {
			const rows: readonly DecisionRow[] = await log.between(
				after,
				newest,
				PAGE,
				experiment,
			);
			if (rows.length > 0) yield { rows, of: null };
			if (rows.length < PAGE) return;
			after = rows.at(-1)?.id ?? null;
		}
	}

	private async learn(rows: readonly DecisionRow[]): Promise<void> {
		const unknown = new Set(
			rows.flatMap(({ definitionId }) =>
				this.known.has(definitionId) ? [] : [definitionId],
			),
		);
		if (unknown.size === 0) return;
		for (const row of await this.ports.definitions.byIds([...unknown]))
			this.known.set(row.id, row);
	}

	private async judge(row: DecisionRow, tally: Tally): Promise<void> {
		const ours = notOurs(row);
		if (ours !== null) return tally.skip(ours);
		const definition = this.known.get(row.definitionId);
		if (definition === undefined) return tally.skip(noDefinition(row));
		const models = await this.modelsFor(row);
		const { floor, newest } = models.timeline;
		const why = belowFloor(row, floor) ?? beyondNewest(row, newest);
		if (why !== null) return tally.skip(why);
		const compiled = this.compiled.of(definition);
		const { differences } = await models.rederive(row, definition, compiled);
		if (differences.length === 0) return tally.same();
		// What was erased or dropped during the sweep explains a difference.
		const now = await this.ports.past.floor(row.experiment);
		const erased = belowFloor(row, now);
		if (erased !== null) return tally.skip(erased);
		tally.other(row, differences);
	}

	/** The experiment version's models; opened anew where they were held before the row's revision came. */
	private async modelsFor(row: DecisionRow): Promise<PastModels> {
		const { experiment, version, revision } = row;
		const key = `${experiment} ${version}`;
		const held = this.held.get(key);
		if (held !== undefined && revision <= held.timeline.newest) return held;
		const models = new PastModels(
			await this.ports.past.open(experiment, version, revision),
		);
		this.held.delete(key);
		this.held.set(key, models);
		for (const oldest of this.held.keys()) {
			if (this.held.size <= MOST_HELD) break;
			this.held.delete(oldest);
		}
		return models;
	}
}

interface Page {
	readonly rows: readonly DecisionRow[];
	readonly of: number | null;
}

/** So that each experiment version's sums move forwards only, and models serve for all decisions that they were made for. */
function inOrderOfSums(rows: readonly DecisionRow[]): DecisionRow[] {
	return [...rows].sort(
		(a, b) =>
			compare(a.experiment, b.experiment) ||
			a.version - b.version ||
			a.revision - b.revision ||
			a.definitionId - b.definitionId ||
			a.referenceBucket - b.referenceBucket,
	);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

class Tally {
	private equal = 0;
	private differing = 0;
	private readonly different: DecisionsReplayed["different"][number][] = [];
	private readonly reasons = new Map<string, number>();

	get decisions(): number {
		let skipped = 0;
		for (const count of this.reasons.values()) skipped += count;
		return this.equal + this.differing + skipped;
	}

	same(): void {
		this.equal += 1;
	}

	other(row: DecisionRow, differences: readonly string[]): void {
		this.differing += 1;
		if (this.different.length >= MOST_SHOWN) return;
		const { id, experiment, revision } = row;
		this.different.push({
			decisionId: id,
			experiment,
			revision,
			differences,
		});
	}

	skip(why: string): void {
		this.reasons.set(why, (this.reasons.get(why) ?? 0) + 1);
	}

	result(): DecisionsReplayed {
		const skipped = [...this.reasons].map(([why, count]) => ({ why, count }));
		return {
			decisions: this.decisions,
			equal: this.equal,
			different: this.different,
			differing: this.differing,
			skipped,
		};
	}
}
