import type { Readable } from "node:stream";
import { fail } from "#usecases/errors";

export const MOST_BODY_BYTES = 1_048_576;
/** A body beyond this is not even read to its end; the connection is closed instead. */
const MOST_DRAINED_BYTES = 16 * MOST_BODY_BYTES;

/**
 * A whole body of at most 1 MiB. A larger one is refused (too-large), but first read to its end without keeping it: closing a
 * connection while the client is still sending resets it, and the client would never see why.
 */
export async function readBody(payload: Readable): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of payload as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > MOST_DRAINED_BYTES) break;
		if (bytes > MOST_BODY_BYTES) chunks.length = 0;
		else chunks.push(chunk);
	}
	if (bytes > MOST_BODY_BYTES)
		throw fail(
			"too-large",
			`The body is larger than 1 MiB (${MOST_BODY_BYTES} bytes). Send several smaller ones.`,
		);
	return Buffer.concat(chunks);
}
