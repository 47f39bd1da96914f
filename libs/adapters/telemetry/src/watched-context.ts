export const ALARM_KINDS = ["psi", "missing", "unseen", "skew"] as const;

/** What the metrics say of the health of a running experiment's context. */
export interface WatchedContext {
	readonly experiment: string;
	readonly window: { readonly decisions: number };
	readonly features: readonly WatchedFeature[];
}

/** Shares are in [0, 1]; null: it cannot be told. */
export interface WatchedFeature {
	readonly feature: string;
	readonly psi: number | null;
	/** Decisions without a value, by reason. */
	readonly missing: { readonly reasons: { readonly [reason: string]: number } };
	readonly unseen: { readonly share: number } | null;
	readonly skew: { readonly share: number | null; readonly largest: number };
	readonly alarms: readonly (typeof ALARM_KINDS)[number][];
}
