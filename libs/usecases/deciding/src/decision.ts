import type { Group, JsonObject } from "#core/experiment";
import type { Explanation } from "./explain.js";

/** What every answer names. */
interface Answered {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly payload: JsonObject;
	/** Posterior revision decided with. */
	readonly revision: number;
	/** Declared features without a value: encoded as their `missing` says. */
	readonly missing: readonly string[];
	/** Context names the experiment does not declare: dropped. */
	readonly ignored: readonly string[];
	/** `paused`, `stopped`, `baseline`, `guardrail`, `live`, `profile`, `consent`, `posterior`, `stream`, `retry`, `sticky`: what was not as it should be. */
	readonly degraded: readonly string[];
	readonly explanation?: Explanation;
}

/** A decision drawn and logged, as the public contract answers it. */
export interface DrawnDecision extends Answered {
	readonly decisionId: string;
	/** Probability of `arm`, given the group; in (0, 1]. */
	readonly propensity: number;
	readonly group: Group;
	/** The session or unit had this decision already: nothing was drawn or logged. */
	readonly repeated?: true;
	readonly mode?: undefined;
}

/** The arm the posterior holds for best. Nothing was drawn or logged, so outcomes cannot name it. */
export interface BestDecision extends Answered {
	readonly mode: "best";
	readonly decisionId?: undefined;
	readonly propensity?: undefined;
	readonly group?: undefined;
}

export type Decision = DrawnDecision | BestDecision;
