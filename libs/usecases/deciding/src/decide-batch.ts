import { fail, SegueError } from "#usecases/errors";
import { breath } from "./breath.js";
import type { RequestHeaders } from "./client-hints.js";
import type { Decide } from "./decide.js";
import type { Decision } from "./decision.js";
import { parseDecisionBatch, parseDecisionRequest } from "./request.js";

export type BatchAnswer = Decision | { readonly problem: SegueError };

/** Decisions computed between two breaths of the event loop; none waits for the commit of another. */
const SLICE = 16;

/** Up to 500 decisions in one request, answered in order, each on its own: a bad one spoils no other. */
export class DecideBatch {
	constructor(private readonly decide: Pick<Decide, "execute">) {}

	/** Throws `invalid` for a bad envelope. Paths of a decision's problems are relative to it. */
	async execute(
		body: unknown,
		traceId: string | null = null,
		headers: RequestHeaders | null = null,
	): Promise<readonly BatchAnswer[]> {
		const raw = parseDecisionBatch(body);
		const answers: Promise<BatchAnswer>[] = [];
		for (let from = 0; from < raw.length; from += SLICE) {
			// Computing all at once would hold up the stream's answers to the first ones, and everyone else.
			if (from > 0) await breath();
			for (const one of raw.slice(from, from + SLICE))
				answers.push(this.one(one, traceId, headers));
		}
		return Promise.all(answers);
	}

	private async one(
		raw: unknown,
		traceId: string | null,
		headers: RequestHeaders | null,
	): Promise<BatchAnswer> {
		try {
			return await this.decide.execute(
				parseDecisionRequest(raw),
				traceId,
				headers,
			);
		} catch (error) {
			if (error instanceof SegueError) return { problem: error };
			return {
				problem: fail(
					"internal",
					"The decision failed for a reason of Segue's own. Send it again by itself.",
				),
			};
		}
	}
}
