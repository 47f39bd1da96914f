import type { Decision, DecisionRequest, OutcomeEvent } from "./contract.js";

/** Where the replay's decisions and outcomes come from: who asks next, and what happened after the answer. */
export interface Traffic {
	readonly experiment: string;
	/** Decisions in all. */
	readonly size: number;
	/**
	 * What happens next. `nobody` while everyone waits (ask again in a moment), `over` when all have asked.
	 * @param now milliseconds since the epoch
	 * @param learned decisions of this experiment that Segue decides with by now, in the order their outcomes were sent
	 */
	next(now: number, learned: number): Turn | "nobody" | "over";
}

export type Turn =
	/** Signals: events that name no decision, such as what a listener did before asking. */
	| {
			readonly kind: "signals";
			readonly events: readonly OutcomeEvent[];
			sent(): void;
	  }
	| {
			readonly kind: "ask";
			readonly request: DecisionRequest;
			/** What happened after the decision, at the time `at`. */
			outcomes(decision: Decision, at: number): OutcomeEvent[];
			/** Told when the outcomes are safe; theirs was the set of this number, counted from 0. */
			sent(number: number): void;
	  };
