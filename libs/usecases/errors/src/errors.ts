import type { Problem } from "#core/experiment";
import { type ErrorCode, type ErrorKind, errorCatalogue } from "./catalogue.js";

export interface FailOptions extends ErrorOptions {
	readonly retryAfterSeconds?: number;
	readonly members?: Readonly<Record<string, unknown>>;
}

/** An expected failure: a code of the catalogue, a sentence about the case at hand, and the values that caused it. */
export class SegueError extends Error {
	override readonly name = "SegueError";
	readonly status: number;
	readonly retryAfterSeconds?: number;
	/** Members of the problem beside those that every problem has. */
	readonly members: Readonly<Record<string, unknown>>;

	constructor(
		readonly code: ErrorCode,
		/** What is wrong here, with the offending value, and how to mend it. */
		detail: string,
		readonly problems: readonly Problem[] = [],
		options?: FailOptions,
	) {
		super(detail, options);
		const kind: ErrorKind = errorCatalogue[code];
		this.status = kind.status;
		this.retryAfterSeconds =
			options?.retryAfterSeconds ?? kind.retryAfterSeconds;
		this.members = options?.members ?? {};
	}
}

/** Makes the error to throw. */
export function fail(
	code: ErrorCode,
	detail: string,
	problems: readonly Problem[] = [],
	options?: FailOptions,
): SegueError {
	return new SegueError(code, detail, problems, options);
}

/** RFC 9457 problem details; an error's own members stand beside these. */
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
		...known.members,
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
