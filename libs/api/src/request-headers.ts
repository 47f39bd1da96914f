import { PRINTABLE } from "#core/experiment";
import type { Precondition } from "#usecases/defining";
import { fail } from "#usecases/errors";

/** Headers as Fastify hands them on. */
export type Headers = {
	readonly [name: string]: string | string[] | undefined;
};

const MOST_WHY = 2_000;
const TRACEPARENT =
	/^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** Who changes an experiment and why, for the audit: `x-segue-actor` (default `api`), `x-segue-why` unless the body says it. */
export function auditOf(
	headers: Headers,
	whyInBody?: string,
): { readonly actor: string; readonly why: string } {
	const actor = words(headers["x-segue-actor"]) ?? "api";
	if (!PRINTABLE.test(actor))
		throw refuse("x-segue-actor", "Must be 1 to 256 printable characters.");
	const why = whyInBody ?? words(headers["x-segue-why"]) ?? "";
	if (why.length > MOST_WHY)
		throw refuse("x-segue-why", `Must have at most ${MOST_WHY} characters.`);
	return { actor, why };
}

export function preconditionOf(headers: Headers): Precondition {
	return {
		ifMatch: one(headers["if-match"]),
		ifNoneMatch: one(headers["if-none-match"]),
	};
}

/** The trace id of a W3C `traceparent` header, or null. */
export function traceIdOf(
	traceparent: string | string[] | undefined,
): string | null {
	return TRACEPARENT.exec(one(traceparent) ?? "")?.[1] ?? null;
}

/** A header by its name in lower case. */
export function headerOf(headers: Headers, name: string): string | undefined {
	return one(headers[name]);
}

/** Node reads a header's bytes as Latin-1; those that are UTF-8 are read as that. */
function words(value: string | string[] | undefined): string | undefined {
	const read = one(value);
	if (read === undefined) return undefined;
	try {
		const bytes = Buffer.from(read, "latin1");
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return read;
	}
}

function one(value: string | string[] | undefined): string | undefined {
	return Array.isArray(value) ? value.join(", ") : value;
}

function refuse(header: string, message: string): Error {
	return fail("invalid", `The header ${header} cannot be taken: ${message}`, [
		{ path: header, message },
	]);
}
