/** What windows read of an event. */
export interface LiveEvent {
	readonly id: string;
	readonly type: string;
	/** Event time, milliseconds since the epoch. */
	readonly at: number;
	readonly unit: string;
	readonly decisionId?: string;
	readonly value?: number;
	readonly slot?: number;
	readonly session?: string;
	readonly item?: string;
}
