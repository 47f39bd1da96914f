import { toProblem } from "#usecases/errors";

/** The part of a NATS message that is used here. */
interface NatsRequest {
	readonly data: Uint8Array;
	readonly reply?: string;
}

interface Incoming {
	readonly pattern: string;
	/** The bytes as they came; null where nobody waits for an answer. */
	readonly data: Uint8Array | null;
	readonly id: string;
}

/**
 * For Nest's NATS transport, which else wants every request in an envelope `{pattern, data, id}` and takes plain JSON for an event.
 * The subject is the pattern; the bytes go to the handler untouched.
 */
export class PlainJsonDeserializer {
	deserialize(
		message: NatsRequest,
		options?: { readonly channel?: string; readonly replyTo?: string },
	): Incoming {
		const replyTo = options?.replyTo ?? message.reply ?? "";
		return {
			pattern: options?.channel ?? "",
			data: replyTo === "" ? null : message.data,
			id: replyTo,
		};
	}
}

/** Answers with the handler's bytes alone, without Nest's envelope `{response, isDisposed, id}`. */
export class PlainJsonSerializer {
	serialize(packet: { readonly response?: unknown; readonly err?: unknown }): {
		readonly data: Uint8Array;
	} {
		if (packet.response instanceof Uint8Array) return { data: packet.response };
		const body =
			packet.err === undefined && packet.response !== undefined
				? packet.response
				: toProblem(packet.err);
		return { data: new TextEncoder().encode(JSON.stringify(body)) };
	}
}
