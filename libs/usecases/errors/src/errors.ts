import type { Problem } from "#core/experiment";
import { type ErrorCode, type ErrorKind, errorCatalogue } from "./catalogue.js";

/** An expected failure: a code of the catalogue, a sentence about the case at hand, and the values that caused it. */
export class SegueError extends Error {
	override readonly name = "SegueError";
	readonly status: number;
	readonly retryAfterSeconds?: number;

	constructor(
		readonly code: ErrorCode,
		/** What is wrong here, with the offending value, and how to mend it. */
		detail: string,
		readonly problems: readonly Problem[] = [],
		options?: ErrorOptions & { readonly retryAfterSeconds?: number },
	) {
		super(detail, options);
		const kind: ErrorKind = errorCatalogue[code];
		this.status = kind.status;
		this.retryAfterSeconds =
			options?.retryAfterSeconds ?? kind.retryAfterSeconds;
	}
}

/** Makes the error to throw. */
export function fail(
	code: ErrorCode,
	detail: string,
	problems: readonly Problem[] = [],
	options?: ErrorOptions & { readonly retryAfterSeconds?: number },
): SegueError {
	return new SegueError(code, detail, problems, options);
}

/** RFC 9457 problem details. */
export interface ProblemDetails {
	/** URI reference that stays the same for a code: `/docs/errors#invalid`. */
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly errors: readonly Problem[];
	/** Present where asking again is worth it. */
	readonly retryAfterSeconds?: number;
}

/** Any error as a problem; one that is not of the catalogue becomes `internal` and tells nothing of itself. */
export function toProblem(error: unknown): ProblemDetails {
	const known =
		error instanceof SegueError
			? error
			: fail(
					"internal",
					"Segue failed for a reason of its own. Try again; its log has the reason.",
				);
	return {
		type: `/docs/errors#${known.code}`,
		title: errorCatalogue[known.code].title,
		status: known.status,
		detail: known.message,
		errors: known.problems,
		...(known.retryAfterSeconds !== undefined && {
			retryAfterSeconds: known.retryAfterSeconds,
		}),
	};
}
