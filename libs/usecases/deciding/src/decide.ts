import { assign, type Definition } from "#core/experiment";
import { type DecisionRow, timeOfId } from "#core/log";
import { distribution, draw, uniformFrom } from "#core/policy";
import { fail } from "#usecases/errors";
import { SpoolFull } from "#usecases/ingesting";
import { answerBest, answerDrawn } from "./answer.js";
import { AnswerOnce } from "./answer-once.js";
import { bestArm } from "./best-arm.js";
import { CompiledDefinitions } from "./compiled-definition.js";
import type { Considered } from "./considered.js";
import type { Decision } from "./decision.js";
import { toRow } from "./decision-row.js";
import { gatherContext } from "./gather-context.js";
import { judgeArms } from "./judge-arms.js";
import type {
	DecisionLog,
	Definitions,
	Ids,
	LiveContext,
	Posteriors,
	Repeats,
} from "./ports.js";
import type { DecisionRequest } from "./request.js";
import { serveGroup } from "./serve-group.js";

export interface DecidePorts {
	readonly definitions: Definitions;
	readonly posteriors: Posteriors;
	readonly live: LiveContext;
	readonly ids: Ids;
	readonly log: DecisionLog;
	/** Absent: every ask is a decision of its own, and one that should not be says so in `degraded`. */
	readonly repeats?: Repeats;
}

/** Part of the deadline that the stream may use; the rest is for the spool, should the stream not answer, and for the answer. */
const STREAM_SHARE = 0.7;
/** Part of the stream's that asks for a decision made before may use, where they are asked at all. */
const KEEP_SHARE = 0.7;

/** One decision, from request to answer. Everything is computed from memory; only the log is waited for. */
export class Decide {
	private readonly compiled = new CompiledDefinitions();
	private readonly streamMs: number;
	private readonly once: AnswerOnce;

	constructor(
		private readonly ports: DecidePorts,
		deadlineMs: number,
	) {
		this.streamMs = Math.max(1, Math.floor(deadlineMs * STREAM_SHARE));
		this.once = new AnswerOnce(
			ports.repeats,
			(row, deadline) => this.log(row, deadline - performance.now()),
			this.streamMs * KEEP_SHARE,
			this.streamMs,
		);
	}

	/** Throws unknown-experiment, experiment-draft, invalid (with paths), no-eligible-arm, overloaded. */
	async execute(
		request: DecisionRequest,
		traceId: string | null = null,
	): Promise<Decision> {
		const definition = this.answering(request.experiment);
		let considered: Considered;
		try {
			considered = this.consider(definition, request);
		} catch (error) {
			// Decided before the definition changed, it may be answered still.
			const earlier = await this.earlier(request);
			if (earlier !== null) return earlier;
			throw error;
		}
		if (request.mode === "best")
			return answerBest(considered, bestArm(considered), request.explain);

		const { experiment, salt, state } = definition;
		const group = assign(experiment.traffic, salt, request.unit, state);
		const served = serveGroup(
			definition,
			group,
			considered.arms.keys,
			considered.scored.propensities,
		);
		const chosen = draw(
			served.propensities,
			uniformFrom(salt, "draw", considered.id),
		);

		const row = toRow(considered, request, group, served, chosen, traceId);
		if (request.requestId !== undefined || experiment.sticky !== undefined) {
			const answer = answerDrawn(
				considered,
				row,
				chosen,
				"stream",
				request.explain,
			);
			return this.once.execute({ considered, request, answer, row });
		}
		const place = await this.log(row, this.streamMs);
		return answerDrawn(considered, row, chosen, place, request.explain);
	}

	private async earlier(request: DecisionRequest): Promise<Decision | null> {
		const named = request.requestId !== undefined && request.mode !== "best";
		return named ? this.once.earlier(request) : null;
	}

	/** Validate, enrich, consent, encode, eligibility, policy. */
	private consider(
		definition: Definition,
		request: DecisionRequest,
	): Considered {
		const { experiment, state, bucketMs } = definition;
		const compiled = this.compiled.of(definition);
		const id = this.ports.ids.mint();
		const decidedAt = timeOfId(id);
		const referenceBucket = Math.floor(decidedAt / bucketMs);

		const context = gatherContext(
			experiment.context,
			request.context,
			request.unit,
			decidedAt,
			this.ports.live,
		);
		const { x, missing } = compiled.encoder.encode(context.values);
		const arms = judgeArms(
			definition,
			compiled,
			context.values,
			request.eligible,
		);

		const posterior = this.ports.posteriors.snapshot(
			definition,
			referenceBucket,
		);
		const models = arms.eligible.map((index) => posterior.models[index]!);
		const scored = distribution(experiment.policy, arms.keys, models, x);

		const stopped = state === "paused" || state === "stopped" ? [state] : [];
		const degraded = [
			...stopped,
			...context.degraded,
			...(posterior.stale ? ["posterior"] : []),
		];
		return {
			definition,
			compiled,
			id,
			decidedAt,
			referenceBucket,
			context,
			x,
			missing,
			arms,
			posterior,
			scored,
			degraded,
		};
	}

	private answering(experiment: string): Definition {
		const definition = this.ports.definitions.get(experiment);
		if (definition === undefined)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${experiment}". GET /v1/experiments lists them.`,
			);
		if (definition.state === "draft")
			throw fail(
				"experiment-draft",
				`The experiment "${experiment}" is a draft and does not answer yet. Start it first.`,
			);
		return definition;
	}

	private async log(
		row: DecisionRow,
		timeoutMs: number,
	): Promise<"stream" | "spool"> {
		try {
			return await this.ports.log.decision(row, timeoutMs);
		} catch (error) {
			if (!(error instanceof SpoolFull)) throw error;
			throw fail(
				"overloaded",
				"The decision cannot be kept safe now: the stream is away and the spool is full. Retry later.",
			);
		}
	}
}
