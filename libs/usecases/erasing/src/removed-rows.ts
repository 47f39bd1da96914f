/** Rows that were removed, by what they were. */
export interface RemovedRows {
	readonly decisions: number;
	/** Of `decisions`, those that had taught something and were subtracted from the sums. */
	readonly learned: number;
	/** Ids that had the unit's events, but whose decision had not come. */
	readonly waiting: number;
	readonly outcomes: number;
	/** Events that named no decision. */
	readonly signals: number;
	/** Answers kept for who asks again: requestIds and sticky keys. */
	readonly requests: number;
	readonly deadLetters: number;
	/** Features put for units. */
	readonly profiles: number;
	/** What units allowed and refused. */
	readonly consents: number;
}

export const NO_ROWS: RemovedRows = {
	decisions: 0,
	learned: 0,
	waiting: 0,
	outcomes: 0,
	signals: 0,
	requests: 0,
	deadLetters: 0,
	profiles: 0,
	consents: 0,
};
