/** What Segue takes and answers, as a client sees it. */

export type Json =
	| string
	| number
	| boolean
	| null
	| readonly Json[]
	| { readonly [key: string]: Json };

export interface DecisionRequest {
	readonly experiment: string;
	/** Pseudonymous id of whom is decided for, usually a listener. */
	readonly unit: string;
	readonly context?: { readonly [feature: string]: Json };
	readonly session?: string;
	/** Only these arms may be chosen. */
	readonly eligible?: readonly string[];
	/** Of a request and its retries: they get one decision, word for word, for seven days. Another request under it is refused. */
	readonly requestId?: string;
	/** `best`: the arm with the highest expected reward; nothing is drawn, logged or learned. */
	readonly mode?: "draw" | "best";
	readonly explain?: boolean;
	/** What the unit allows, for this decision; a refusal that is stored stands. */
	readonly consent?: Consent;
	/** The same, in a token that your server signed. */
	readonly consentToken?: string;
}

/** What a unit allows: purposes, each given (true) or refused (false), where it is, and which of the ages that rules ask for it has reached. */
export type Consent = {
	readonly [purpose: string]: boolean | string | number | undefined;
} & {
	readonly jurisdiction?: string;
	readonly ageAtLeast?: number;
};

export interface Decision {
	/** Named by the events that follow; absent in mode `best`. */
	readonly decisionId?: string;
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly payload: { readonly [key: string]: Json };
	/** Exact probability of the arm, given the group; absent in mode `best`. */
	readonly propensity?: number;
	readonly group?: "policy" | "control" | "outside";
	/** A sticky experiment's session or unit had this decision already. */
	readonly repeated?: true;
	readonly mode?: "best";
	readonly revision: number;
	readonly missing: readonly string[];
	readonly ignored: readonly string[];
	/** What the answer had to do without. */
	readonly degraded: readonly string[];
	/** With `explain: true`. */
	readonly explanation?: Explanation;
}

/** An eligible arm as the policy saw it. */
export interface ArmNumbers {
	readonly arm: string;
	/** Expected reward in this context. */
	readonly mean: number;
	/** How uncertain that is. */
	readonly width: number;
	readonly score: number;
	/** Null in mode `best`. */
	readonly propensity: number | null;
}

export type ExplainedArm =
	| (ArmNumbers & {
			readonly eligible: true;
			/** What `intercept` and each feature add to the mean. */
			readonly contributions: readonly {
				readonly name: string;
				/** Of a product: the two features it is made of. */
				readonly of?: readonly [string, string];
				readonly value: number;
			}[];
	  })
	| {
			readonly arm: string;
			readonly eligible: false;
			/** `rule: TEXT`, `missing: NAME`, `not requested`, … */
			readonly reason: string;
			/** The arm's whole rule, where it was that. */
			readonly rule?: string;
			readonly mean: null;
			readonly width: null;
			readonly score: null;
			readonly propensity: null;
			readonly contributions: readonly [];
	  };

/** Why a decision came out as it did. */
export interface Explanation {
	readonly x: readonly number[];
	readonly features: readonly {
		readonly name: string;
		/** Of a product: the two features it is made of. */
		readonly of?: readonly [string, string];
		/** Of a product: its coordinates that are not 0, by their names. */
		readonly value: Json;
		readonly source: "request" | "live" | "profile" | "product";
		/** Why it is missing, where it is. */
		readonly reason?: "absent" | "no consent" | "over budget" | "out of date";
		/** Why privacy rules withheld it, where they did. */
		readonly withheld?:
			| "refused"
			| "not given"
			| "under age"
			| "forbidden"
			| "unknown";
	}[];
	readonly arms: readonly ExplainedArm[];
	readonly kind:
		| "exploitation"
		| "exploration"
		| "control"
		| "outside"
		| "guardrail"
		| "best";
	/** The other eligible arm with the highest score. */
	readonly runnerUp: ArmNumbers | null;
	/** What went out, where the arm has several payloads; `when` is the rule that held. */
	readonly payload?: {
		readonly when: string | null;
		readonly value: { readonly [key: string]: Json };
	};
	/** In plain words. */
	readonly sentence: string;
}

/** What is known of a unit for long: values of features that some experiment declares with `from: profile`. */
export interface Profile {
	readonly [feature: string]: number | boolean | string | readonly number[];
}

export interface OutcomeEvent {
	/** Sending an id again is harmless. Absent: the client makes one and keeps it over its retries. */
	readonly id?: string;
	readonly type: string;
	/** ISO 8601 with offset, or milliseconds since the epoch. Absent: now. */
	readonly at?: string | number;
	readonly unit: string;
	readonly decisionId?: string;
	readonly value?: number;
	readonly session?: string;
	readonly item?: string;
	readonly slot?: number;
	/** Flat, at most 2 KB. Names and texts are labels: at most 64 characters without spaces or @, nothing that says a precise location. */
	readonly properties?: { readonly [key: string]: Json };
	/** With type `retract`: the id of the event taken back. */
	readonly retracts?: string;
}

/** An event as it is sent. */
export type SentEvent = OutcomeEvent & {
	readonly id: string;
	readonly at: string | number;
};

export interface EventsAnswer {
	readonly accepted: number;
	/** `index` is the place among the events given. */
	readonly rejected: readonly {
		readonly index: number;
		readonly problem: Problem;
	}[];
}

/** RFC 9457 problem details. */
export interface Problem {
	/** `/docs/errors#CODE`. */
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly errors: readonly {
		readonly path: string;
		readonly message: string;
	}[];
	readonly retryAfterSeconds?: number;
	/** Of an unknown decision: the events that wait for it, or were refused. */
	readonly events?: readonly LedgerEvent[];
}

/** Of the ledger of one decision. */
export type LedgerEvent = JudgedEvent | MalformedEvent;

/** An event with what became of it. */
export type JudgedEvent = SentEvent & {
	readonly verdict: string;
	readonly storedAt: string;
};

/** What named a decision, but is no event that could be read. */
export interface MalformedEvent {
	readonly verdict: "malformed";
	/** Where that much could be read. */
	readonly id?: string;
	/** What is wrong with it. */
	readonly detail: string;
	readonly storedAt: string;
}

export interface LoggedDecision {
	readonly decisionId: string;
	readonly experiment: string;
	readonly version: number;
	readonly unit: string;
	readonly arm: string;
	readonly propensity: number;
	readonly group: "policy" | "control" | "outside";
	readonly x: readonly number[];
	/** ISO 8601. */
	readonly decidedAt: string;
	readonly exposed: boolean | null;
	/** Null until the decision has been learned from. */
	readonly reward: number | null;
	readonly events: readonly LedgerEvent[];
	readonly [more: string]: unknown;
}

/** A logged decision made again from the log. */
export interface ExplainedDecision extends LoggedDecision {
	/** As `explain: true` gave it with the decision; null where it cannot be made again. */
	readonly explanation: Explanation | null;
	readonly rederived: {
		/** Whether it came out again bit for bit; null where that cannot be told. */
		readonly equal: boolean | null;
		/** What did not, in sentences. */
		readonly differences: readonly string[];
		readonly revision: number;
		/** Decisions of older revisions, beside 0, cannot be made again. */
		readonly oldestRevision: number | null;
		/** Why it cannot be told. */
		readonly why: string | null;
	};
}

/** What an erasure removed, and what remains until when. It does not name the unit. */
export interface ErasureReceipt {
	/** All of the unit up to this instant is refused from now on: ISO 8601. */
	readonly erasedAt: string;
	readonly removed: {
		readonly decisions: number;
		/** Of them, those whose share was taken out of the sums. */
		readonly learned: number;
		readonly waiting: number;
		readonly outcomes: number;
		readonly signals: number;
		readonly requests: number;
		readonly deadLetters: number;
		readonly profiles: number;
		readonly consents: number;
		readonly spoolEntries: number;
		readonly streamMessages: number;
	};
	/** Per experiment the revision that is free of the unit. */
	readonly revisions: { readonly [experiment: string]: number };
	readonly remains: readonly {
		readonly where: string;
		readonly why: string;
		/** ISO 8601; null where it cannot be told. */
		readonly until: string | null;
	}[];
}
