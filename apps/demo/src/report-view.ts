/** What the demo shows of `GET /v1/experiments/:key/report`. Means are rewards per learned decision; intervals are 95 %. */
export interface ReportView {
	readonly policy: GroupView;
	readonly control: GroupView;
	readonly lift: {
		readonly estimate: number;
		readonly low: number;
		readonly high: number;
	};
	/** The arm with the highest mean among control's rows. */
	readonly bestSingleArm: {
		readonly arm: string;
		readonly mean: number;
		readonly low: number;
		readonly high: number;
	};
	/** Control's mean, where its arms are drawn uniformly. */
	readonly uniformExpected: number;
	/** Of the policy group, in the order of the definition. */
	readonly arms: readonly {
		readonly arm: string;
		readonly decisions: number;
		readonly share: number;
		readonly mean: number | null;
	}[];
}

export interface GroupView {
	readonly decisions: number;
	readonly mean: number;
}
