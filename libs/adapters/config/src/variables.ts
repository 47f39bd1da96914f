/** One environment variable as people are told of it; .env.example says the same (a test ties the two). */
export interface Variable {
	readonly name: string;
	/** What holds where it is not set; null where that is a behaviour rather than a value. */
	readonly fallback: string | null;
}

export const variables = [
	{ name: "PORT", fallback: "8080" },
	{ name: "HOST", fallback: "127.0.0.1" },
	{ name: "SEGUE_DATA", fallback: "./.segue" },
	{ name: "DATABASE_URL", fallback: null },
	{ name: "NATS_URL", fallback: null },
	{ name: "SEGUE_STREAM", fallback: null },
	{ name: "SEGUE_DURABILITY", fallback: "process" },
	{ name: "SEGUE_DECIDE_DEADLINE_MS", fallback: "100" },
	{ name: "SEGUE_LEARNER_PORT", fallback: "8081" },
	{ name: "SEGUE_SPOOL_MAX_BYTES", fallback: "268435456" },
	{ name: "SEGUE_LOG_DAYS", fallback: "90" },
	{ name: "SEGUE_UNIT_KEY", fallback: null },
	{ name: "SEGUE_PRIVACY", fallback: null },
	{ name: "SEGUE_CONSENT_KEYS", fallback: null },
	{ name: "SEGUE_ITEM_VECTORS", fallback: null },
	{ name: "SEGUE_WEBHOOK_URL", fallback: null },
	{ name: "SEGUE_WEBHOOK_SECRET", fallback: null },
	{ name: "LOG_LEVEL", fallback: "info" },
] as const satisfies readonly Variable[];

export type VariableName = (typeof variables)[number]["name"];
