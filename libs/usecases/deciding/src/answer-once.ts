import {
	type Sticky,
	stickySpanMs,
	type VisitedDecision,
} from "#core/experiment";
import { type DecisionRow, timeOfId } from "#core/log";
import { fail } from "#usecases/errors";
import type { Considered } from "./considered.js";
import type { DrawnDecision } from "./decision.js";
import { payloadOf } from "./payload.js";
import type {
	KeptDecision,
	RepeatableAsk,
	Repeats,
	StandingDecision,
} from "./ports.js";
import type { DecisionRequest } from "./request.js";
import { requestHash } from "./request-hash.js";

/** A decision that was drawn for this ask and is not published: it is thrown away where another one stands. */
export interface Drawn {
	readonly considered: Considered;
	readonly request: DecisionRequest;
	readonly answer: DrawnDecision;
	readonly row: DecisionRow;
}

/** Makes a row safe by an instant of `performance.now()`, and says where it lies. */
export type Publish = (
	row: DecisionRow,
	deadline: number,
) => Promise<"stream" | "spool">;

/** How long a requestId names its decision. */
const REQUEST_SPAN_MS = 7 * 24 * 3_600_000;
/** A sticky arm that this request rules out is replaced; others may do the same at once, with other rules. */
const MOST_ROUNDS = 3;
const MOST_REMEMBERED = 10_000;

/**
 * Decisions that are asked for more than once, by a requestId or by a session or unit of a sticky experiment.
 *
 * drawn → kept under its key, if none stands there → published → answered;
 * drawn → another one stands → thrown away; the standing one is published, unless the log has it → answered.
 *
 * Whoever kept a decision may have died before it published it, so who finds it does that; ids make it harmless to do it twice.
 * Where the keys are out of reach within `keepMs`, the drawn decision is the answer and says so.
 */
export class AnswerOnce {
	/** Ids this process published, the oldest first: asked for again before the database has them, they are not published again. */
	private readonly safe = new Set<string>();
	private readonly publishing = new Map<string, Promise<"stream" | "spool">>();

	constructor(
		private readonly repeats: Repeats | undefined,
		private readonly publish: Publish,
		/** For one ask under its keys, both if it has two. */
		private readonly keepMs: number,
		/** From the ask's begin until its row must be safe. */
		private readonly publishMs: number,
		/** Told of each unit that a decision stood for, and when it asked again, milliseconds since the epoch. */
		private readonly onVisit: (
			decision: VisitedDecision,
			at: number,
		) => void = () => {},
	) {}

	/** @param spentMs of the ask's time, by whoever drew. Throws `invalid` where the requestId names another request, and what `publish` throws. */
	async execute(drawn: Drawn, spentMs = 0): Promise<DrawnDecision> {
		const startedAt = performance.now() - spentMs;
		const keepUntil = startedAt + this.keepMs;
		const publishUntil = startedAt + this.publishMs;
		const named = await this.namedBefore(drawn, keepUntil);
		if (named !== null)
			return this.makeSafe(named.answer, named.row, publishUntil);
		const stuck = await this.stick(drawn, keepUntil);
		const { answer, row } =
			drawn.request.requestId === undefined
				? stuck
				: await this.nameByRequest(drawn, stuck, keepUntil);
		return this.makeSafe(answer, row, publishUntil);
	}

	/**
	 * Of a request with two keys: what its requestId names already. Looked at first, since a draw that is then thrown away, or refused,
	 * must not be left standing for the session or unit.
	 */
	private async namedBefore(
		{ request, considered }: Drawn,
		until: number,
	): Promise<KeptDecision | null> {
		const { sticky } = considered.definition.experiment;
		if (request.requestId === undefined || sticky === undefined) return null;
		const standing = await this.named(requestAsk(request, null), until);
		return standing === "unknown" ? null : standing;
	}

	/**
	 * The decision that a requestId names already; null where it names none of this request, or that cannot be told. For a request
	 * that cannot be decided any more, since the definition changed after it was.
	 */
	async earlier(request: DecisionRequest): Promise<DrawnDecision | null> {
		const startedAt = performance.now();
		const ask = requestAsk(request, null);
		const standing = await this.keep(ask, startedAt + this.keepMs);
		if (standing === "unknown" || standing === null) return null;
		if (standing.requestHash !== ask.requestHash) return null;
		const { answer, row } = standing;
		return this.makeSafe(answer, row, startedAt + this.publishMs);
	}

	/** The decision of the request's session or unit, where the experiment is sticky and decides for it by itself. */
	private async stick(drawn: Drawn, until: number): Promise<KeptDecision> {
		const { considered, answer, row } = drawn;
		const { sticky } = considered.definition.experiment;
		if (sticky === undefined || answer.group === "outside") return drawn;
		const { explanation: _, ...plain } = answer;
		const ask = stickyAsk(sticky, drawn, { answer: plain, row });
		if (ask === null) return without("sticky", drawn, drawn);
		let replaces: string | null = null;
		for (let round = 0; round < MOST_ROUNDS; round++) {
			const standing = await this.keep({ ...ask, replaces }, until);
			if (standing === "unknown") break;
			if (standing === null) return drawn;
			const { arm, decisionId } = standing.answer;
			const place = considered.arms.keys.indexOf(arm);
			if (place >= 0) {
				const payload = payloadOf(considered, place);
				// The key holds the unit's name, so the standing decision was made under the same. Nobody is back while a guardrail holds.
				if (sticky === "unit" && !considered.definition.held)
					this.onVisit({ id: decisionId, unit: row.unit }, timeOfId(row.id));
				return {
					answer: { ...standing.answer, payload, repeated: true },
					row: standing.row,
				};
			}
			replaces = decisionId;
		}
		return without("sticky", drawn, drawn);
	}

	private async nameByRequest(
		drawn: Drawn,
		{ answer, row }: KeptDecision,
		until: number,
	): Promise<KeptDecision> {
		const ask = requestAsk(drawn.request, { answer, row });
		const standing = await this.named(ask, until);
		if (standing === "unknown") return without("retry", { answer, row }, drawn);
		return standing ?? { answer, row };
	}

	/** What stands under a requestId. Throws `invalid` where that is another request's. */
	private async named(
		ask: RepeatableAsk,
		until: number,
	): Promise<StandingDecision | null | "unknown"> {
		const standing = await this.keep(ask, until);
		const other =
			standing !== null &&
			standing !== "unknown" &&
			standing.requestHash !== ask.requestHash;
		if (other) throw otherRequest(ask.experiment, ask.key);
		return standing;
	}

	private async keep(
		ask: RepeatableAsk,
		until: number,
	): Promise<StandingDecision | null | "unknown"> {
		const timeoutMs = until - performance.now();
		if (this.repeats === undefined || timeoutMs <= 0) return "unknown";
		return this.repeats.keep(ask, timeoutMs).catch(() => "unknown" as const);
	}

	private async makeSafe(
		answer: DrawnDecision,
		row: DecisionRow | null,
		deadline: number,
	): Promise<DrawnDecision> {
		if (row === null || this.safe.has(row.id)) return answer;
		const place = await this.publishOnce(row, deadline);
		if (place === "stream") return answer;
		return { ...answer, degraded: [...answer.degraded, "stream"] };
	}

	/** Those who find the same row at the same time share one publish of it. */
	private publishOnce(
		row: DecisionRow,
		deadline: number,
	): Promise<"stream" | "spool"> {
		const underWay = this.publishing.get(row.id);
		if (underWay !== undefined) return underWay;
		const publishing = this.publish(row, deadline)
			.then((place) => {
				this.remember(row.id);
				return place;
			})
			.finally(() => this.publishing.delete(row.id));
		this.publishing.set(row.id, publishing);
		return publishing;
	}

	private remember(id: string): void {
		this.safe.add(id);
		for (const oldest of this.safe) {
			if (this.safe.size <= MOST_REMEMBERED) break;
			this.safe.delete(oldest);
		}
	}
}

/** Names, in the answer and in the drawn row, what the decision had to do without; a row that others made stays as it is. */
function without(
	part: "retry" | "sticky",
	{ answer, row }: KeptDecision,
	{ row: own }: Drawn,
): KeptDecision {
	const isOwn = row?.id === own.id;
	return {
		answer: { ...answer, degraded: [...answer.degraded, part] },
		row: isOwn ? { ...row, degraded: [...row.degraded, part] } : row,
	};
}

function requestAsk(
	request: DecisionRequest,
	decision: KeptDecision | null,
): RepeatableAsk {
	return {
		experiment: request.experiment,
		kind: "request",
		key: request.requestId ?? "",
		unit: request.unit,
		requestHash: requestHash(request),
		spanMs: REQUEST_SPAN_MS,
		decision,
		replaces: null,
	};
}

/**
 * Null for a request without the session that its experiment decides for. A decision never crosses a version, which learns from the
 * start, the start of an analysis, which counts none from before it, an epoch, which may move the unit to another group, or the
 * beginning or end of what a guardrail holds, which is to change what policy units get.
 */
function stickyAsk(
	sticky: Sticky,
	{ considered, request: { experiment, unit, session } }: Drawn,
	decision: KeptDecision,
): RepeatableAsk | null {
	if (sticky === "session" && session === undefined) return null;
	const { version, bookedRun, epoch, held, run } = considered.definition;
	// Names hold no line breaks, so no two pairs of names make one key.
	const of = sticky === "session" ? `${unit}\n${session}` : unit;
	const under = held && decision.row?.group === "policy" ? `.held${run}` : "";
	return {
		experiment,
		kind: sticky,
		key: `${version}.${bookedRun}.${epoch}${under}\n${of}`,
		unit,
		requestHash: null,
		spanMs: stickySpanMs(sticky),
		decision,
		replaces: null,
	};
}

function otherRequest(experiment: string, requestId: string): Error {
	const message = `The requestId "${requestId}" of ${experiment} names another request than this one. Send a retry as it was first sent, and give every new request an id of its own.`;
	return fail("invalid", `requestId: ${message}`, [
		{ path: "requestId", message },
	]);
}
