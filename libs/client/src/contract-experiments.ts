/** What Segue says of experiments: definitions, their history, what was learned and what it was worth. */

export type ExperimentState = "draft" | "running" | "paused" | "stopped";

/** An experiment as its owner writes it: the same document as in a YAML file. */
export interface ExperimentDocument {
	readonly key: string;
	readonly [field: string]: unknown;
}

/** A change of an experiment: by whom, why, and for which definition it was made. */
export interface Change {
	/** The ETag that the change was made for; where another is current, it is refused and SegueProblem says what changed. */
	readonly ifMatch?: string;
	/** For the audit. */
	readonly actor?: string;
	readonly why?: string;
}

/** An experiment as it is now. */
export interface Experiment {
	readonly key: string;
	readonly name: string;
	readonly state: ExperimentState;
	readonly version: number;
	/** Grows with every start and resume. */
	readonly run: number;
	/** Grows with every start of a draft or of what was stopped. */
	readonly analysis: number;
	readonly epoch: number;
	/** The arm that everyone gets since the stop. */
	readonly winner: string | null;
	/** A guardrail has policy units served as control is, until a person resumes. */
	readonly held: boolean;
	readonly bucketMs: number;
	/** To be sent as `ifMatch`. */
	readonly etag: string;
	readonly changed: {
		/** ISO 8601. */
		readonly at: string;
		readonly action: string;
		readonly actor: string;
		readonly why: string;
	};
	readonly definition: { readonly [field: string]: unknown };
}

/** An experiment after an edit or a rollback, and what that changed. */
export interface EditedExperiment extends Experiment {
	/** A sentence a field. */
	readonly changes: readonly string[];
	readonly newVersion: boolean;
	readonly newEpoch: boolean;
	readonly reasons: readonly string[];
}

export interface PutExperiment extends EditedExperiment {
	readonly warnings: readonly {
		readonly path: string;
		readonly message: string;
	}[];
}

/** A version, as it was when the next one began; or one entry of the audit. */
export type RollbackTo =
	| { readonly version: number }
	| { readonly definition: number };

/** What an experiment was before or after a change. */
export type AuditedState = Pick<
	Experiment,
	| "version"
	| "state"
	| "run"
	| "analysis"
	| "epoch"
	| "winner"
	| "held"
	| "definition"
>;

export interface Audit {
	readonly experiment: string;
	/** Newest first. */
	readonly entries: readonly {
		/** Named by decisions, and by a rollback to it. */
		readonly id: number;
		readonly etag: string;
		/** ISO 8601. */
		readonly at: string;
		/** `schedule` and `guardrail` are Segue's own acts. */
		readonly actor: string;
		readonly action: string;
		readonly why: string;
		readonly changes: readonly string[];
		/** Null at the creation. */
		readonly before: AuditedState | null;
		readonly after: AuditedState;
	}[];
	/** To be asked for next, for what is older; null at the end. */
	readonly before: number | null;
}

export interface Guardrails {
	readonly experiment: string;
	readonly state: ExperimentState;
	readonly held: boolean;
	readonly run: number;
	/** Since when they count, or did last (ISO 8601); null where it never ran. */
	readonly since: string | null;
	readonly guardrails: readonly {
		/** Its place in the definition, from 0 on. */
		readonly index: number;
		readonly metric: string;
		readonly action: "alert" | "pause" | "control";
		readonly status: "waiting" | "holds" | "tripped";
		readonly decisions: number;
		readonly units: number;
		readonly value: number | null;
		readonly limit: number | null;
		/** How far it is at least beyond the limit, valid at all looks at once; not proved while below 0. */
		readonly beyondAtLeast: number | null;
		readonly sentence: string;
		readonly trip: { readonly at: string; readonly sentence: string } | null;
	}[];
}

/** How the context of the last hours does against the run's launch. Shares are in [0, 1], null where there is nothing to tell from. */
export interface ContextHealth {
	readonly experiment: string;
	readonly version: number;
	readonly run: number;
	readonly state: ExperimentState;
	/** Revisions of the log that are not counted yet. */
	readonly revisionsBehind: number;
	readonly window: {
		readonly hours: number;
		/** ISO 8601. */
		readonly from: string;
		readonly to: string;
		readonly decisions: number;
	};
	readonly launch: {
		readonly complete: boolean;
		readonly decisions: number;
		readonly needed: number;
		readonly from: string | null;
		readonly to: string | null;
	};
	/** Whether any feature alarms. */
	readonly alarm: boolean;
	readonly features: readonly {
		readonly feature: string;
		readonly kind: string;
		readonly from: "request" | "live" | "profile" | "product";
		/** Population stability index: below 0.1 as it was, from 0.25 on another population. */
		readonly psi: number | null;
		/** Of a vector: which number moved most, from 0. */
		readonly coordinate: number | null;
		readonly missing: {
			readonly share: number | null;
			readonly launchShare: number | null;
			/** Decisions by reason. */
			readonly reasons: { readonly [reason: string]: number | undefined };
		};
		/** Values that are no declared level. */
		readonly unseen: {
			readonly share: number;
			readonly values: number;
			readonly levels: readonly {
				readonly level: string;
				readonly decisions: number;
			}[];
		} | null;
		/** x made again from the log against the logged x. */
		readonly skew: {
			readonly checked: number;
			readonly share: number | null;
			readonly largest: number;
		};
		readonly thresholds: {
			readonly psi: number;
			readonly missing: number;
			readonly unseen: number;
		};
		readonly alarms: readonly ("psi" | "missing" | "unseen" | "skew")[];
		/** In words. */
		readonly verdict: string;
	}[];
}

/** How many deliveries have which verdict now. */
export interface Ledger {
	readonly experiment: string;
	readonly deliveries: number;
	readonly decisions: { readonly [verdict: string]: number };
	readonly events: { readonly [verdict: string]: number };
}

/** What the decider that answers decides with. */
export interface Posterior {
	readonly experiment: string;
	readonly version: number;
	readonly revision: number;
	readonly arms: readonly {
		readonly arm: string;
		/** Decisions learned. */
		readonly n: number;
		/** λI + Σ x xᵀ. */
		readonly A: readonly (readonly number[])[];
		/** Σ R x. */
		readonly b: readonly number[];
		/** A⁻¹b. */
		readonly theta: readonly number[];
	}[];
}

/** A number with its interval, valid at all looks at once; null where it is withheld, with the reason. */
export interface Estimate {
	readonly standardError: number | null;
	readonly low: number | null;
	readonly high: number | null;
	readonly kind: "always-valid";
	readonly withheld: string | null;
}

/** Means are rewards per learned decision. */
export interface Report {
	readonly experiment: string;
	readonly version: number;
	readonly answer: {
		readonly verdict:
			| "keep going"
			| "ship"
			| "stop"
			| "cannot tell"
			| "do not trust";
		readonly sentence: string;
		/** What to do now. */
		readonly advice: string;
		readonly reasons: readonly string[];
	};
	/** The answer's. */
	readonly sentence: string;
	readonly freshness: {
		/** Lift and values tell of decisions before this (ISO 8601), whose windows are closed; null before the first. */
		readonly closedUntil: string | null;
		readonly waiting: number;
	};
	readonly policy: Estimate & {
		readonly decisions: number;
		readonly n: number;
		readonly units: number;
		readonly mean: number | null;
	};
	readonly control: Report["policy"];
	/** Policy − control. */
	readonly lift: Estimate & { readonly estimate: number | null };
	readonly bestSingleArm: Estimate & {
		readonly arm: string | null;
		readonly n: number;
		readonly mean: number | null;
	};
	readonly uniformExpected: number | null;
	readonly arms: readonly {
		readonly arm: string;
		readonly decisions: number;
		readonly share: number;
		readonly n: number;
	}[];
	/** What each arm is worth: the reward had it been shown, per decision. */
	readonly armValues: readonly {
		readonly arm: string;
		readonly value: Estimate & { readonly estimate: number | null };
	}[];
	readonly notes: readonly string[];
	readonly [more: string]: unknown;
}
