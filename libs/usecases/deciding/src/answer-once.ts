import { stickySpanMs, type VisitedDecision } from "#core/experiment";
import { type DecisionRow, timeOfId } from "#core/log";
import { fail } from "#usecases/errors";
import type { Considered } from "./considered.js";
import type { DrawnDecision } from "./decision.js";
import { payloadOf } from "./payload.js";
import type {
	KeptDecision,
	RepeatableAsk,
	Repeats,
	RequestKey,
	StandingDecision,
	StickyKey,
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
const MOST_REMEMBERED = 10_000;

/**
 * Decisions that are asked for more than once, by a requestId or by a session or unit of a sticky experiment.
 *
 * drawn → kept under its keys, if none stands there → published → answered;
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
		/** From the ask's begin until what stands must be known. */
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
		const { answer, row } = await this.kept(drawn, startedAt + this.keepMs);
		return this.makeSafe(answer, row, startedAt + this.publishMs);
	}

	/**
	 * The decision that a requestId names already; null where it names none of this request, or that cannot be told. For a request
	 * that cannot be decided any more, since the definition changed after it was.
	 */
	async earlier(request: DecisionRequest): Promise<DrawnDecision | null> {
		const startedAt = performance.now();
		const { experiment, unit } = request;
		const named = requestKey(request);
		const ask = {
			experiment,
			unit,
			request: named,
			sticky: null,
			decision: null,
		};
		const standing = await this.keep(ask, startedAt + this.keepMs);
		if (standing === "unknown" || standing === null) return null;
		if (standing.requestHash !== named?.hash) return null;
		const { answer, row } = standing;
		return this.makeSafe(answer, row, startedAt + this.publishMs);
	}

	/** The decision that stands for the request, which its requestId names or its session or unit has; else the drawn one, from now on. */
	private async kept(drawn: Drawn, until: number): Promise<KeptDecision> {
		const { experiment, unit } = drawn.request;
		const request = requestKey(drawn.request);
		const key = stickyKey(drawn);
		const sticky = key === "unnamed" ? null : key;
		const own = key === "unnamed" ? without(["sticky"], drawn) : drawn;
		if (request === null && sticky === null) return own;
		const { answer, row } = own;
		const decision = { answer, row };
		const ask = { experiment, unit, request, sticky, decision };
		const standing = await this.keep(ask, until);
		if (standing === null) return own;
		if (standing === "unknown")
			return without(
				[
					...(sticky === null ? [] : ["sticky"]),
					...(request === null ? [] : ["retry"]),
				],
				own,
			);
		if (standing.under === "request") {
			if (standing.requestHash === request?.hash) return standing;
			throw otherRequest(experiment, request?.key ?? "");
		}
		return this.again(drawn, standing, sticky as StickyKey);
	}

	/** The decision of the request's session or unit as it goes out again. */
	private again(
		{ considered, row }: Drawn,
		{ answer, row: standing }: StandingDecision,
		{ kind, arms, payloadAt }: StickyKey,
	): KeptDecision {
		const { arm, decisionId } = answer;
		// The key holds the unit's name, so the standing decision was made under the same. Nobody is back while a guardrail holds.
		if (kind === "unit" && !considered.definition.held)
			this.onVisit({ id: decisionId, unit: row.unit }, timeOfId(row.id));
		const place = arms.indexOf(arm);
		const payload = place < 0 ? answer.payload : payloadAt(place);
		return { answer: { ...answer, payload, repeated: true }, row: standing };
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

/** Names, in the answer and in the row of a drawn decision, what it had to do without. */
function without(
	parts: readonly string[],
	{ answer, row }: KeptDecision,
): KeptDecision {
	return {
		answer: { ...answer, degraded: [...answer.degraded, ...parts] },
		row: row && { ...row, degraded: [...row.degraded, ...parts] },
	};
}

function requestKey(request: DecisionRequest): RequestKey | null {
	const { requestId } = request;
	if (requestId === undefined) return null;
	return {
		key: requestId,
		hash: requestHash(request),
		spanMs: REQUEST_SPAN_MS,
	};
}

/**
 * Null where the experiment does not decide for a session or unit by itself; `unnamed` where the request lacks its session. A decision
 * never crosses a version, which learns from the start, the start of an analysis, which counts none from before it, an epoch, which may
 * move the unit to another group, or the beginning or end of what a guardrail holds, which is to change what policy units get.
 */
function stickyKey({
	considered,
	request: { unit, session },
	row: { group },
}: Drawn): StickyKey | "unnamed" | null {
	const { experiment, version, bookedRun, epoch, held, run } =
		considered.definition;
	const { sticky } = experiment;
	if (sticky === undefined || group === "outside") return null;
	if (sticky === "session" && session === undefined) return "unnamed";
	// Names hold no line breaks, so no two pairs of names make one key.
	const of = sticky === "session" ? `${unit}\n${session}` : unit;
	const under = held && group === "policy" ? `.held${run}` : "";
	return {
		kind: sticky,
		key: `${version}.${bookedRun}.${epoch}${under}\n${of}`,
		spanMs: stickySpanMs(sticky),
		arms: considered.arms.keys,
		payloadAt: (place) => payloadOf(considered, place),
	};
}

function otherRequest(experiment: string, requestId: string): Error {
	const message = `The requestId "${requestId}" of ${experiment} names another request than this one. Send a retry as it was first sent, and give every new request an id of its own.`;
	return fail("invalid", `requestId: ${message}`, [
		{ path: "requestId", message },
	]);
}
