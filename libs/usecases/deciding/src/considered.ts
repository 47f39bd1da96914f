import type { Definition } from "#core/experiment";
import type { Scored } from "#core/policy";
import type { CompiledDefinition } from "./compiled-definition.js";
import type { GatheredContext } from "./gather-context.js";
import type { JudgedArms } from "./judge-arms.js";
import type { PosteriorSnapshot } from "./ports.js";

/** All that is known of a decision before an arm is chosen. */
export interface Considered {
	readonly definition: Definition;
	readonly compiled: CompiledDefinition;
	/** UUIDv7 the decision will have. */
	readonly id: string;
	/** The id's time, milliseconds. */
	readonly decidedAt: number;
	readonly referenceBucket: number;
	readonly context: GatheredContext;
	readonly x: Float64Array;
	readonly missing: readonly string[];
	readonly arms: JudgedArms;
	readonly posterior: PosteriorSnapshot;
	/** The policy's view of the eligible arms, in order. */
	readonly scored: Scored;
	/** What was not as it should be so far. */
	readonly degraded: readonly string[];
}
