import {
	type Stream,
	StreamAway,
	type StreamIdentity,
} from "#usecases/ingesting";
import type { StreamMarks } from "./ports.js";

export interface StreamChange {
	/** `another`: it was made anew, or is a different one. `older`: the same, as it was before. */
	readonly kind: "another" | "older";
	readonly was: StreamIdentity;
	readonly now: StreamIdentity;
}

/**
 * Notices that the broker came back with another stream (mostly an empty one) or an older copy of it: then what no learner had taken
 * is gone. Each change is told once, by whichever learner stores the new identity.
 */
export class WatchStream {
	constructor(
		private readonly stream: Pick<Stream, "connected" | "identity">,
		private readonly marks: StreamMarks,
	) {}

	async execute(): Promise<StreamChange | null> {
		if (!this.stream.connected) return null;
		// In this order: a position that the stream had before it is asked now can only be missing in an older one.
		const was = await this.marks.read();
		const now = await this.identity();
		if (now === null) return null;
		const kind = was === null ? null : difference(was, now);
		if (was !== null && kind === null) {
			if (now.lastPosition > was.lastPosition) await this.marks.raise(now);
			return null;
		}
		const mine = await this.marks.replace(was, now);
		return mine && was !== null && kind !== null ? { kind, was, now } : null;
	}

	/** Null also where the broker goes away while it is asked: it is asked again soon. */
	private async identity(): Promise<StreamIdentity | null> {
		try {
			return await this.stream.identity();
		} catch (error) {
			if (error instanceof StreamAway) return null;
			throw error;
		}
	}
}

function difference(
	was: StreamIdentity,
	now: StreamIdentity,
): StreamChange["kind"] | null {
	if (was.name !== now.name) return "another";
	return now.lastPosition < was.lastPosition ? "older" : null;
}

/** What an operator reads. */
export function streamChangeSentence({ kind, was, now }: StreamChange): string {
	const what =
		kind === "another"
			? `The stream is another one (${now.name}, at position ${now.lastPosition}) than before (${was.name}, at position ${was.lastPosition})`
			: `The stream (${now.name}) is older than it was: its last position is ${now.lastPosition} and was ${was.lastPosition}`;
	return `${what}. What no learner had taken from it is lost, unless the broker comes back as it was: see "Packs are missing, or the broker came back with another stream" in docs/runbook.md.`;
}
