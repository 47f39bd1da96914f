import type { Definition } from "#core/experiment";
import { timeOfId } from "#core/log";
import { isHeavy } from "#core/policy";
import { fail } from "#usecases/errors";
import { SpoolFull } from "#usecases/ingesting";
import { answerBest, answerDrawn } from "./answer.js";
import { AnswerOnce } from "./answer-once.js";
import { bestArm } from "./best-arm.js";
import type { RequestHeaders } from "./client-hints.js";
import { Consider } from "./consider.js";
import { type Considered, score, scoreInSlices } from "./considered.js";
import type { Decision, DrawnDecision } from "./decision.js";
import { drawFrom } from "./draw-from.js";
import type { NoteVisits } from "./note-visits.js";
import type {
	DecisionLog,
	Definitions,
	Ids,
	LiveContext,
	Posteriors,
	Privacy,
	Profiles,
	Repeats,
} from "./ports.js";
import type { DecisionRequest } from "./request.js";

export interface DecidePorts {
	readonly definitions: Definitions;
	readonly posteriors: Posteriors;
	readonly live: LiveContext;
	readonly ids: Ids;
	readonly log: DecisionLog;
	/** Absent: every ask is a decision of its own, and one that should not be says so in `degraded`. */
	readonly repeats?: Repeats;
	/** Absent: nobody counts who comes back to a decision that stands. */
	readonly visits?: NoteVisits;
	/** Absent: no unit has a profile. */
	readonly profiles?: Profiles;
	/** What a unit is called at an instant, that of the decision's id; absent: as the request does. */
	readonly nameOf?: (unit: string, instant: number) => string;
	/** Absent: no unit has consented to anything. */
	readonly privacy?: Privacy;
	readonly watch?: DecisionWatch;
}

/** What a process wants to know of its decisions, by whichever door they are asked for. */
export interface DecisionWatch {
	/** The trace that is under way, where a request names none. */
	traceId(): string | null;
	/** Told of each answer to a drawn decision. */
	answered(decision: DrawnDecision, seconds: number): void;
}

/** Part of the deadline that the stream may use; the rest is for the spool, should the stream not answer, and for the answer. */
const STREAM_SHARE = 0.7;
/** Part of the stream's that asking for a decision made before may use: a second decision is worse than one that goes by the spool. */
const KEEP_SHARE = 0.85;
/** Part of the deadline that a profile may be waited for, at the stream's expense. */
const ENRICH_SHARE = 0.3;

/** One decision, from request to answer. Everything is computed from memory; only the log is waited for. */
export class Decide {
	private readonly consider: Consider;
	private readonly streamMs: number;
	private readonly once: AnswerOnce;

	constructor(
		private readonly ports: DecidePorts,
		deadlineMs: number,
	) {
		this.consider = new Consider(ports, deadlineMs * ENRICH_SHARE);
		this.streamMs = Math.max(1, Math.floor(deadlineMs * STREAM_SHARE));
		this.once = new AnswerOnce(
			ports.repeats,
			async (row, deadline) => {
				try {
					return await ports.log.decision(row, deadline - performance.now());
				} catch (error) {
					throw notKept(error);
				}
			},
			this.streamMs * KEEP_SHARE,
			this.streamMs,
			(decision, at) => ports.visits?.execute(decision, at),
		);
	}

	/** Throws unknown-experiment, unreadable-definition, experiment-draft, invalid (with paths), no-eligible-arm, overloaded. */
	async execute(
		asked: DecisionRequest,
		traceId: string | null = null,
		headers: RequestHeaders | null = null,
	): Promise<Decision> {
		const startedAt = performance.now();
		const definition = this.answering(asked.experiment);
		const id = this.ports.ids.mint();
		const { nameOf } = this.ports;
		const request =
			nameOf === undefined
				? asked
				: { ...asked, unit: nameOf(asked.unit, timeOfId(id)) };
		let considered: Considered;
		/** Of the deadline, what the stream no longer has. */
		let waitedMs = 0;
		try {
			let ground = this.consider.execute(definition, request, id, headers);
			if (ground instanceof Promise) {
				ground = await ground;
				waitedMs = performance.now() - startedAt;
			}
			considered = isHeavy(definition.experiment.policy, ground.models.length)
				? await scoreInSlices(ground)
				: score(ground);
		} catch (error) {
			// Decided before the definition changed, it may be answered still.
			const earlier = await this.earlier(request);
			if (earlier !== null) return this.answered(earlier, startedAt);
			throw error;
		}
		if (request.mode === "best")
			return answerBest(considered, bestArm(considered), request.explain);

		const trace = traceId ?? this.ports.watch?.traceId() ?? null;
		const { chosen, row } = drawFrom(considered, request, trace);
		const { sticky } = definition.experiment;
		if (request.requestId !== undefined || sticky !== undefined) {
			const answer = answerDrawn(
				considered,
				row,
				chosen,
				"stream",
				request.explain,
			);
			const drawn = { considered, request, answer, row };
			const answered = await this.once.execute(drawn, waitedMs);
			return this.answered(answered, startedAt);
		}
		// Awaited here and nowhere below: each async function between an answer and the log costs every decision a promise more.
		let place: "stream" | "spool";
		try {
			place = await this.ports.log.decision(row, this.streamMs - waitedMs);
		} catch (error) {
			throw notKept(error);
		}
		return this.answered(
			answerDrawn(considered, row, chosen, place, request.explain),
			startedAt,
		);
	}

	private answered(decision: DrawnDecision, startedAt: number): DrawnDecision {
		const seconds = (performance.now() - startedAt) / 1_000;
		this.ports.watch?.answered(decision, seconds);
		return decision;
	}

	private async earlier(
		request: DecisionRequest,
	): Promise<DrawnDecision | null> {
		const named = request.requestId !== undefined && request.mode !== "best";
		return named ? this.once.earlier(request) : null;
	}

	private answering(experiment: string): Definition {
		const definition = this.ports.definitions.get(experiment);
		if (definition === undefined)
			throw (
				this.ports.definitions.whyLeftOut?.(experiment) ??
				fail(
					"unknown-experiment",
					`There is no experiment "${experiment}". GET /v1/experiments lists them.`,
				)
			);
		if (definition.state === "draft")
			throw fail(
				"experiment-draft",
				`The experiment "${experiment}" is a draft and does not answer yet. Start it first.`,
			);
		return definition;
	}
}

function notKept(error: unknown): unknown {
	if (!(error instanceof SpoolFull)) return error;
	return fail(
		"overloaded",
		"The decision cannot be kept safe now: the stream is away and the spool is full. Retry later.",
	);
}
