import type { Problem, SentEvent } from "./contract.js";

/** Segue answered with a problem. */
export class SegueProblem extends Error {
	override readonly name = "SegueProblem";

	constructor(readonly problem: Problem) {
		super(problem.detail);
	}

	get status(): number {
		return this.problem.status;
	}

	/** `invalid`, `unknown-experiment`, … */
	get code(): string {
		return this.problem.type.split("#")[1] ?? "";
	}
}

/** Segue could not be reached, or had no time to answer: whether it did what was asked is unknown. */
export class SegueUnreachable extends Error {
	override readonly name = "SegueUnreachable";
}

/** Some events could not be handed over in the attempts allowed. Send `unsent` again later: they keep their ids, so none counts twice. */
export class EventsNotSent extends Error {
	override readonly name = "EventsNotSent";

	constructor(
		readonly unsent: readonly SentEvent[],
		options: ErrorOptions,
	) {
		super(
			`${unsent.length} events could not be handed over. Send them again later, with the ids they have now.`,
			options,
		);
	}
}
