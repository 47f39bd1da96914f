import type { Group, JsonObject, JsonValue } from "#core/experiment";

/** One decision as the log keeps it: all that proof, reports and relearning need (DESIGN invariant 8). */
export interface DecisionRow {
	/** UUIDv7. */
	readonly id: string;
	readonly experiment: string;
	readonly version: number;
	/** The immutable definition row it was decided under. */
	readonly definitionId: number;
	readonly unit: string;
	readonly session: string | null;
	readonly group: Group;
	readonly arm: string;
	/** Probability with which `arm` was drawn, given the group; in (0, 1]. */
	readonly propensity: number;
	/** Which distribution `propensities` is: the policy's, control's, or a named fallback. */
	readonly distribution: "policy" | "control" | "baseline" | "winner";
	/** Declared context after consent: attributes, live and profile values too. */
	readonly context: JsonObject;
	/** d coordinates, each within ±8 on the 2⁻¹² grid. */
	readonly x: Float64Array;
	/** Indexes into the definition's arms, ascending. */
	readonly eligible: readonly number[];
	/** Reason per excluded arm key. */
	readonly excluded: { readonly [arm: string]: string };
	/** Per eligible arm, in order: θᵀx under the policy, rounded to the grid. */
	readonly means: Float64Array;
	/** Per eligible arm, in order: the distribution the arm was drawn from; sums to 1. */
	readonly propensities: Float64Array;
	/** Per eligible arm: the policy's distribution where `distribution` is another one, else null. */
	readonly policyPropensities: Float64Array | null;
	readonly missing: readonly string[];
	readonly degraded: readonly string[];
	/** Milliseconds since the epoch; the id's time unless the origin says otherwise. */
	readonly decidedAt: number;
	readonly origin: "server" | "import" | "edge";
	readonly parent: string | null;
	readonly traceId: string | null;
	readonly requestId: string | null;
	readonly consent: { readonly [purpose: string]: boolean } | null;
	readonly privacyVersion: string | null;
	/** Slate, per-call actions; why features are missing, where not for being absent. */
	readonly extra: JsonValue;
	/** Posterior revision decided with. */
	readonly revision: number;
	/** Time bucket that read-time weights counted from. */
	readonly referenceBucket: number;
	/** Names encoder, kernel and draw, such as `e1k3d2`. */
	readonly coreVersion: string;
}

/** Names what one decider process published; a hole in `sequence` is a loss. */
export interface Publisher {
	/** UUID of the process start. */
	readonly boot: string;
	/** 1, 2, 3, … per message published in that boot. */
	readonly sequence: number;
}
