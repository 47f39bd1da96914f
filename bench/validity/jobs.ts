import { delayOf } from "./breach.js";
import { rampOf } from "./epochs.js";
import { pausesOf } from "./pauses.js";
import { simulate } from "./simulate.js";
import { standardErrorsOf } from "./standard-errors.js";
import { widthsOf } from "./width.js";

/** What a worker can be asked to do: each takes its input and a seed, and gives the same for the same. */
export const jobs = {
	simulate,
	delayOf,
	rampOf,
	pausesOf,
	widthsOf,
	standardErrorsOf,
} as const;

export type JobName = keyof typeof jobs;
export type Input<Name extends JobName> = Parameters<(typeof jobs)[Name]>[0];
export type Result<Name extends JobName> = ReturnType<(typeof jobs)[Name]>;

/** One job of several seeds, as it goes to a worker. */
export interface Chunk<Name extends JobName = JobName> {
	readonly job: Name;
	readonly input: Input<Name>;
	readonly seeds: readonly number[];
}
