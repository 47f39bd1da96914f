/** The part of the public contract that the demo uses, as a client sees it. */

export interface DecisionRequest {
	readonly experiment: string;
	readonly unit: string;
	readonly session?: string;
	readonly context: Readonly<Record<string, number | string | boolean>>;
}

export interface Decision {
	readonly decisionId: string;
	readonly arm: string;
	readonly payload: unknown;
	readonly propensity: number;
	readonly group: "policy" | "control" | "outside";
	readonly degraded: readonly string[];
}

export interface OutcomeEvent {
	readonly id: string;
	readonly type: string;
	/** Milliseconds since the epoch. */
	readonly at: number;
	readonly unit: string;
	readonly decisionId?: string;
	readonly session?: string;
	readonly item?: string;
	readonly slot?: number;
}

export interface Posterior {
	readonly revision: number;
	readonly arms: readonly { readonly arm: string; readonly n: number }[];
}

/** What a running instance says of itself in `runtime.json` of its data folder. */
export interface Runtime {
	readonly pid: number;
	readonly url: string;
	readonly natsUrl: string | null;
	readonly stream: string;
}
