import type { SpoolEntry } from "#usecases/ingesting";
import { crc32 } from "./crc32.js";

/**
 * An entry in a file: `u32 length | u32 CRC-32 of the payload | payload`, the payload being
 * `u16 length of subject | u16 length of message id | subject | message id | body`; all numbers little-endian.
 */
export const HEADER_BYTES = 8;
const LENGTHS_BYTES = 4;
/** More than any message of a stream; a length beyond it is rubbish. */
export const MOST_PAYLOAD_BYTES = 16 * 1_048_576;

export function encodeFrame(entry: SpoolEntry): Buffer {
	const subject = Buffer.from(entry.subject);
	const messageId = Buffer.from(entry.messageId);
	const payloadBytes =
		LENGTHS_BYTES + subject.length + messageId.length + entry.body.length;
	if (
		subject.length > 0xffff ||
		messageId.length > 0xffff ||
		payloadBytes > MOST_PAYLOAD_BYTES
	) {
		throw new RangeError(
			`The entry ${entry.messageId.slice(0, 64)} has ${payloadBytes} bytes; the spool takes at most ${MOST_PAYLOAD_BYTES}.`,
		);
	}
	const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
	frame.writeUInt32LE(payloadBytes, 0);
	frame.writeUInt16LE(subject.length, HEADER_BYTES);
	frame.writeUInt16LE(messageId.length, HEADER_BYTES + 2);
	let at = HEADER_BYTES + LENGTHS_BYTES;
	for (const part of [subject, messageId, entry.body]) {
		frame.set(part, at);
		at += part.length;
	}
	frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 4);
	return frame;
}

/** `end`: nothing more. `torn`: the file ends inside the entry. `damaged`: the bytes are not those that were written. */
export type Frame =
	| {
			readonly kind: "entry";
			readonly entry: SpoolEntry;
			readonly bytes: number;
	  }
	| { readonly kind: "end" | "torn" | "damaged" };

/** The entry at the start of `bytes`, which are the rest of a file. */
export function decodeFrame(bytes: Buffer): Frame {
	if (bytes.length === 0) return { kind: "end" };
	if (bytes.length < HEADER_BYTES) return { kind: "torn" };
	const payloadBytes = bytes.readUInt32LE(0);
	if (payloadBytes < LENGTHS_BYTES || payloadBytes > MOST_PAYLOAD_BYTES)
		return { kind: "damaged" };
	if (bytes.length < HEADER_BYTES + payloadBytes) return { kind: "torn" };
	const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + payloadBytes);
	if (crc32(payload) !== bytes.readUInt32LE(4)) return { kind: "damaged" };
	const idAt = LENGTHS_BYTES + payload.readUInt16LE(0);
	const bodyAt = idAt + payload.readUInt16LE(2);
	if (bodyAt > payload.length) return { kind: "damaged" };
	return {
		kind: "entry",
		bytes: HEADER_BYTES + payloadBytes,
		entry: {
			subject: payload.toString("utf8", LENGTHS_BYTES, idAt),
			messageId: payload.toString("utf8", idAt, bodyAt),
			body: new Uint8Array(payload.subarray(bodyAt)),
		},
	};
}
