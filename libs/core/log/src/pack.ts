import type { DecisionRow, Publisher } from "./decision-row.js";
import type { Event } from "./event.js";

/** One item of a stream message after judging: understood, or poison with its reason and the bytes that it had in the message. */
export type Item<T> =
	| { readonly ok: true; readonly value: T }
	| ({
			readonly ok: false;
			readonly reason: string;
			readonly raw: Uint8Array;
	  } & Named);

/** What an event that is refused names, as far as that much of it can be read. */
export interface Named {
	readonly decisionId?: string;
	readonly eventId?: string;
}

/** `part`: it holds items taken out of another pack of the same publisher (see part.ts), so it does not prove that one's arrival. */
export type DecodedMessage =
	| {
			readonly kind: "decisions";
			readonly publisher: Publisher;
			readonly part?: true;
			readonly items: readonly Item<DecisionRow>[];
	  }
	| {
			readonly kind: "events";
			readonly publisher: Publisher | null;
			readonly part?: true;
			readonly items: readonly Item<Event>[];
	  };
