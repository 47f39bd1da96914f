import { SegueProblem, SegueUnreachable } from "./errors.js";

export interface RetryOptions {
	/** Tries in all, the first included. */
	readonly attempts: number;
	/** Wait before the second try at most, doubled with each further one. */
	readonly firstWaitMs: number;
	/** No wait is longer, whatever Retry-After says. */
	readonly longestWaitMs: number;
	readonly sleep: (ms: number) => Promise<void>;
	/** In [0, 1). */
	readonly random: () => number;
}

/** Repeats what is harmless to repeat while Segue is unreachable or answers 503; other errors, and the last one, are thrown. */
export async function retrying<T>(
	options: RetryOptions,
	attempt: () => Promise<T>,
): Promise<T> {
	for (let tried = 1; ; tried++) {
		try {
			return await attempt();
		} catch (error) {
			if (tried >= options.attempts || !passes(error)) throw error;
			await options.sleep(waitBefore(tried, error, options));
		}
	}
}

function passes(error: unknown): boolean {
	return (
		error instanceof SegueUnreachable ||
		(error instanceof SegueProblem && [502, 503, 504].includes(error.status))
	);
}

/** At least what Retry-After asks for; on top a random part of the doubled wait, so that clients do not come back all at once. */
function waitBefore(
	tried: number,
	error: unknown,
	{ firstWaitMs, longestWaitMs, random }: RetryOptions,
): number {
	const asked =
		error instanceof SegueProblem
			? (error.problem.retryAfterSeconds ?? 0) * 1_000
			: 0;
	return Math.min(
		longestWaitMs,
		asked + random() * firstWaitMs * 2 ** (tried - 1),
	);
}
