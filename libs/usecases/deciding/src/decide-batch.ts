import { fail, SegueError } from "#usecases/errors";
import type { Decide } from "./decide.js";
import type { Decision } from "./decision.js";
import { parseDecisionBatch, parseDecisionRequest } from "./request.js";

export type BatchAnswer = Decision | { readonly problem: SegueError };

/** Up to 500 decisions in one request, answered in order, each on its own: a bad one spoils no other. */
export class DecideBatch {
	constructor(private readonly decide: Decide) {}

	/** Throws `invalid` for a bad envelope. Paths of a decision's problems are relative to it. */
	execute(
		body: unknown,
		traceId: string | null = null,
	): Promise<readonly BatchAnswer[]> {
		return Promise.all(
			parseDecisionBatch(body).map((raw) => this.one(raw, traceId)),
		);
	}

	private async one(
		raw: unknown,
		traceId: string | null,
	): Promise<BatchAnswer> {
		try {
			return await this.decide.execute(parseDecisionRequest(raw), traceId);
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
