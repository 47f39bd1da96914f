/** What someone outside is told, as it is stored until it was delivered. */
export interface Message {
	/** The same for every attempt, so that who gets it twice can tell. */
	readonly id: string;
	/** What happened, such as `guardrail.breached`. */
	readonly type: string;
	/** When it happened, milliseconds since the epoch. */
	readonly at: number;
	readonly data: { readonly [key: string]: unknown };
}

/** A message that this process is to send now. */
export interface DueMessage extends Message {
	/** Which attempt this is, from 1 on. */
	readonly attempt: number;
}

/** Messages that were stored in the transaction of what they tell of. */
export interface Outbox {
	/** Those that are due, for this process to send: nobody else gets them within the lease. */
	claim(most: number, leaseMs: number): Promise<readonly DueMessage[]>;
	/** Delivered: it is kept no longer. */
	remove(id: string): Promise<void>;
	postpone(id: string, why: string, forMs: number): Promise<void>;
	/** It stays, to be looked up, and is not sent again. */
	giveUp(id: string, why: string): Promise<void>;
}

/** How an attempt ended. */
export type Sent =
	| { readonly kind: "delivered" }
	/** `retryAfterMs`: the receiver asks for so long; `forGood`: it wants no more of it. */
	| {
			readonly kind: "failed";
			readonly why: string;
			readonly retryAfterMs?: number;
			readonly forGood?: boolean;
	  };

export interface Sender {
	/** One attempt, within a bounded time; never throws. */
	send(message: Message): Promise<Sent>;
}
