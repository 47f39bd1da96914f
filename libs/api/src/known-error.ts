import { HttpException } from "@nestjs/common";
import { type ErrorCode, fail, SegueError } from "#usecases/errors";

const byStatus: Readonly<Record<number, ErrorCode>> = {
	400: "bad-request",
	404: "not-found",
	405: "method-not-allowed",
	408: "request-timeout",
	413: "too-large",
	414: "bad-request",
	415: "unsupported-media-type",
	431: "bad-request",
};

/** What an error of any origin is in the catalogue; null where it is a fault of Segue's own. */
export function knownError(
	error: unknown,
	isDatabaseAway: (error: unknown) => boolean,
): SegueError | null {
	if (error instanceof SegueError) return error;
	if (error instanceof HttpException)
		return ofStatus(error.getStatus(), error.message);
	if (!(error instanceof Error)) return null;
	// Thrown by the door to the stream: nothing more can be kept safe.
	if (error.name === "SpoolFull")
		return fail("overloaded", error.message, [], { cause: error });
	if (error.name === "MessageTooLarge")
		return fail("too-large", error.message, [], { cause: error });
	if (isDatabaseAway(error))
		return fail(
			"database-away",
			"The database is out of reach. Ask again soon.",
			[],
			{ cause: error },
		);
	return ofStatus(
		(error as { statusCode?: unknown }).statusCode,
		error.message,
	);
}

/** Errors of Nest and Fastify carry an HTTP status; their sentences are written for clients below 500 only. */
function ofStatus(status: unknown, message: string): SegueError | null {
	if (typeof status !== "number" || status < 400 || status >= 500) return null;
	const code = byStatus[status] ?? "bad-request";
	if (code === "unsupported-media-type")
		return fail(
			code,
			"The body's content type is not read here. Send JSON with `content-type: application/json`.",
		);
	if (code === "too-large")
		return fail(
			code,
			"The body is larger than 1 MiB (1,048,576 bytes). Send several smaller ones.",
		);
	return fail(code, message.endsWith(".") ? message : `${message}.`);
}
