/**
 * What the demo reads of `GET /v1/experiments/:key/report`. Means are rewards per learned decision, intervals are 95 % and valid however
 * often they are read; null where there are too few data to say.
 */
export interface ReportView {
	readonly answer: { readonly verdict: string; readonly sentence: string };
	readonly freshness: {
		/** Decisions whose windows are open, or that are not booked yet. */
		readonly waiting: number;
	};
	readonly policy: GroupView;
	readonly control: GroupView;
	readonly lift: Interval & { readonly estimate: number | null };
	/** The arm with the highest mean among control's rows. */
	readonly bestSingleArm: Interval & {
		readonly arm: string | null;
		readonly mean: number | null;
		readonly n: number;
	};
	/** Control's mean, where its arms are drawn uniformly. */
	readonly uniformExpected: number | null;
	/** Of the policy group, in the order of the definition. */
	readonly arms: readonly ArmView[];
	/** Reward per decision had the arm been shown. */
	readonly armValues: readonly {
		readonly arm: string;
		readonly value: Interval & { readonly estimate: number | null };
	}[];
	readonly deadLetters: number;
	readonly waitingEvents: number;
}

export interface Interval {
	readonly low: number | null;
	readonly high: number | null;
}

export interface GroupView extends Interval {
	readonly decisions: number;
	readonly mean: number | null;
}

export interface ArmView {
	readonly arm: string;
	readonly decisions: number;
	/** Of the group's decisions, in [0, 1]. */
	readonly share: number;
}
