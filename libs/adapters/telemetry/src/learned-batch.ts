/** Change of what is learned of an arm; negative where an outcome was retracted. */
export interface ArmMovement {
	readonly experiment: string;
	readonly arm: string;
	/** Decisions learned. */
	readonly learned: number;
	/** Σ reward of them. */
	readonly reward: number;
}

export interface LearnedBatch {
	/** From the pull to the acknowledgement. */
	readonly seconds: number;
	/** New rows of the log. */
	readonly decisions: number;
	readonly events: number;
	readonly duplicates: number;
	/** Dead-lettered. */
	readonly refused: number;
	readonly moved: readonly ArmMovement[];
	readonly verdicts: readonly VerdictChange[];
}

/** How many more deliveries have a verdict now; negative where they have another one instead. */
export interface VerdictChange {
	readonly experiment: string;
	readonly kind: "decision" | "event";
	readonly verdict: string;
	readonly change: number;
}
