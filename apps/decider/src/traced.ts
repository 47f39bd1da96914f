import { withSpan } from "#adapters/telemetry";
import type { ApiParts } from "#api";

/** Each call of a verb in a span of its name, part of the trace that the request's headers name. */
export function traced(parts: ApiParts): ApiParts {
	return Object.fromEntries(
		Object.entries(parts).map(([name, part]) => [
			name,
			isVerb(part) ? { execute: inSpan(name, part) } : part,
		]),
	) as unknown as ApiParts;
}

interface Verb {
	execute(...args: readonly unknown[]): Promise<unknown>;
}

function inSpan(name: string, verb: Verb): Verb["execute"] {
	return (...args) =>
		withSpan(name, traceparentIn(args), () => verb.execute(...args));
}

function traceparentIn(args: readonly unknown[]): string | null {
	for (const arg of args)
		if (hasHeaders(arg)) return arg.header("traceparent") ?? null;
	return null;
}

function isVerb(part: unknown): part is Verb {
	return has(part, "execute");
}

function hasHeaders(
	arg: unknown,
): arg is { header(name: string): string | undefined } {
	return has(arg, "header");
}

function has(value: unknown, method: string): boolean {
	return (
		typeof value === "object" &&
		value !== null &&
		method in value &&
		typeof (value as Record<string, unknown>)[method] === "function"
	);
}
