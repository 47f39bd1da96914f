import {
	type ExperimentState,
	type JsonObject,
	renderExperiment,
} from "#core/experiment";
import type {
	DefinitionAction,
	DefinitionAudit,
	DefinitionStore,
	StoredDefinition,
} from "./ports.js";
import { etagOf, sentences } from "./precondition.js";
import { noExperiment } from "./read-experiments.js";

/** What an experiment was after a change. */
export interface AuditedState {
	readonly version: number;
	readonly state: ExperimentState;
	readonly run: number;
	readonly analysis: number;
	readonly epoch: number;
	readonly winner: string | null;
	readonly held: boolean;
	readonly definition: JsonObject;
}

export interface AuditEntry {
	/** Of the definition row: what a rollback names, and every decision. */
	readonly id: number;
	readonly etag: string;
	/** ISO 8601. */
	readonly at: string;
	readonly actor: string;
	readonly action: DefinitionAction;
	readonly why: string;
	/** What changed, in words. */
	readonly changes: readonly string[];
	/** Null at the creation. */
	readonly before: AuditedState | null;
	readonly after: AuditedState;
}

export interface AuditPage {
	readonly experiment: string;
	/** Newest first. */
	readonly entries: readonly AuditEntry[];
	/** To be asked for next, with everything older; null where nothing is. */
	readonly before: number | null;
}

export interface AuditRequest {
	readonly key: string;
	/** Only entries older than this one. */
	readonly before?: number;
	readonly limit: number;
}

/** Documents of a page, in characters of JSON: what comes beyond is the next page's. */
const MOST_DOCUMENTS = 4_000_000;

/** Who changed an experiment, when, what and why: every row there ever was, a page at a time. */
export class ReadAudit {
	constructor(
		private readonly store: Pick<DefinitionStore, "find">,
		private readonly audit: Pick<DefinitionAudit, "page">,
	) {}

	/** Throws unknown-experiment. */
	async execute({ key, before, limit }: AuditRequest): Promise<AuditPage> {
		if ((await this.store.find(key)) === null) throw noExperiment(key);
		// One more, which says what the oldest of the page changed.
		const rows = await this.audit.page(key, before ?? null, limit + 1);
		const entries: AuditEntry[] = [];
		let size = 0;
		for (const [index, row] of rows.slice(0, limit).entries()) {
			const entry = entryOf(row, rows[index + 1] ?? null);
			size += JSON.stringify(entry).length;
			if (entries.length > 0 && size > MOST_DOCUMENTS) break;
			entries.push(entry);
		}
		const oldest = entries.at(-1);
		return {
			experiment: key,
			entries,
			before:
				oldest !== undefined && rows.length > entries.length ? oldest.id : null,
		};
	}
}

function entryOf(
	row: StoredDefinition,
	before: StoredDefinition | null,
): AuditEntry {
	const { id, createdAt, actor, action, why } = row;
	return {
		id,
		etag: etagOf(row),
		at: new Date(createdAt).toISOString(),
		actor,
		action,
		why,
		changes: before === null ? [] : sentences(before, row),
		before: before === null ? null : stateOf(before),
		after: stateOf(row),
	};
}

function stateOf({
	version,
	state,
	run,
	analysis,
	epoch,
	winner,
	held,
	experiment,
}: StoredDefinition): AuditedState {
	return {
		version,
		state,
		run,
		analysis,
		epoch,
		winner,
		held,
		definition: renderExperiment(experiment),
	};
}
