import type { DecisionRow } from "#core/log";
import { CompiledDefinitions } from "./compiled-definition.js";
import type { Explanation } from "./explain.js";
import type { Rederivation } from "./rederive.js";
import { PastModels } from "./rederive-models.js";
import type { DefinitionRows, PastSums } from "./rederive-ports.js";
import {
	belowFloor,
	beyondNewest,
	noDefinition,
	notOurs,
	tooLong,
} from "./rederive-reach.js";

/** Whether a logged decision came out again. */
export interface Rederived {
	/** Null where that cannot be told. */
	readonly equal: boolean | null;
	/** What came out otherwise than logged, in sentences. */
	readonly differences: readonly string[];
	/** Posterior revision that the decision names. */
	readonly revision: number;
	/** Oldest revision whose decisions can be derived again, beside 0; null where that was not asked. */
	readonly oldestRevision: number | null;
	/** Why it cannot be told; null where it can. */
	readonly why: string | null;
}

export interface ExplainedAgain {
	readonly explanation: Explanation | null;
	readonly rederived: Rederived;
}

/** Makes a logged decision again, in any process that has the database: explained, and compared with what was served. */
export class RederiveDecision {
	private readonly compiled = new CompiledDefinitions();
	private turn: Promise<unknown> = Promise.resolve();

	constructor(
		private readonly definitions: DefinitionRows,
		private readonly past: PastSums,
		/** Sums far from both the beginning and the present take long to recover: after this the answer says where it can be done. */
		private readonly longestMs: number | null,
	) {}

	/** One at a time, so that explanations never crowd out decisions. Rejects with the database's own errors. */
	async execute(row: DecisionRow): Promise<ExplainedAgain> {
		const why = notOurs(row);
		if (why !== null) return untold(row, why);
		if (this.longestMs === null) return this.derive(row);
		const signal = AbortSignal.timeout(this.longestMs);
		const derived = this.turn.then(() => this.derive(row, signal));
		this.turn = derived.catch(() => {});
		return Promise.race([derived, over(row, signal)]).catch(
			(error: unknown) => {
				if (signal.aborted) return untold(row, tooLong(row));
				throw error;
			},
		);
	}

	private async derive(
		row: DecisionRow,
		signal?: AbortSignal,
	): Promise<ExplainedAgain> {
		signal?.throwIfAborted();
		const { definitionId, experiment, version, revision } = row;
		const [definition] = await this.definitions.byIds([definitionId]);
		if (definition === undefined) return untold(row, noDefinition(row));
		const timeline = await this.past.open(experiment, version, revision);
		const { floor, newest } = timeline;
		const why = belowFloor(row, floor) ?? beyondNewest(row, newest);
		if (why !== null) return untold(row, why, floor);
		const compiled = this.compiled.of(definition);
		const models = new PastModels(timeline);
		const again = await models.rederive(row, definition, compiled, signal);
		return this.judge(row, again, floor);
	}

	/** What was erased or dropped while the sums were being recovered explains a difference. */
	private async judge(
		row: DecisionRow,
		{ explanation, differences }: Rederivation,
		floorBefore: number,
	): Promise<ExplainedAgain> {
		const equal = differences.length === 0;
		const floor = equal ? floorBefore : await this.past.floor(row.experiment);
		const why = belowFloor(row, floor);
		if (why !== null) return untold(row, why, floor);
		return {
			explanation,
			rederived: {
				equal,
				differences,
				revision: row.revision,
				oldestRevision: floor,
				why: null,
			},
		};
	}
}

function untold(
	{ revision }: DecisionRow,
	why: string,
	oldestRevision: number | null = null,
): ExplainedAgain {
	return {
		explanation: null,
		rederived: { equal: null, differences: [], revision, oldestRevision, why },
	};
}

function over(row: DecisionRow, signal: AbortSignal): Promise<ExplainedAgain> {
	return new Promise((resolve) => {
		const end = () => resolve(untold(row, tooLong(row)));
		if (signal.aborted) end();
		else signal.addEventListener("abort", end, { once: true });
	});
}
