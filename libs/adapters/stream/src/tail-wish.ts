import type { StreamMessage, Subject } from "#usecases/ingesting";

/** What a tail delivers: messages that match, stored at or after `since` (milliseconds since the epoch). */
export interface TailWish {
	readonly filter: Subject;
	readonly since: number;
	readonly deliver: (message: StreamMessage) => void;
}
