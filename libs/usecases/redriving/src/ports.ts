/** An item of the stream that could not be taken. */
export interface KeptLetter {
	readonly id: number;
	readonly subject: string;
	readonly reason: string;
	/** A message of the subject (see learning/dead-letter.ts); empty where it came so, or where its reason forbids that anything is kept. */
	readonly payload: Uint8Array;
	/** Milliseconds since the epoch. */
	readonly receivedAt: number;
	/** When it was last published again, milliseconds since the epoch; null: never. */
	readonly redrivenAt: number | null;
	/** How often it was published again. */
	readonly redrives: number;
}

/** Which letters; every condition given must hold. */
export interface LetterFilter {
	readonly ids?: readonly number[];
	/** The reason, or what it begins with: `bad event`, `future`, … */
	readonly reason?: string;
	/** Received then or later, milliseconds since the epoch. */
	readonly since?: number;
	/** Those that were not published again yet. */
	readonly waiting?: boolean;
}

export interface DeadLetters {
	/** Newest first. */
	newest(filter: LetterFilter, most: number): Promise<readonly KeptLetter[]>;
	/** In order of their ids, above `afterId` and up to `lastId`. */
	page(
		filter: LetterFilter,
		afterId: number,
		lastId: number,
		most: number,
	): Promise<readonly KeptLetter[]>;
	/** The newest letter's id; 0 where there is none. */
	lastId(): Promise<number>;
	/** Says that each letter, which was published `redrives` times before, was published once more; harmless twice. */
	mark(letters: readonly Pick<KeptLetter, "id" | "redrives">[]): Promise<void>;
}

/** The stream, as far as redriving needs it. */
export interface Outlet {
	/** Resolves when the stream holds the message; one with a message id that it has seen lately is kept once. */
	publish(
		subject: string,
		payload: Uint8Array,
		messageId: string,
		timeoutMs: number,
	): Promise<void>;
}
