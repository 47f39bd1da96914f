import type { Metrics } from "#adapters/telemetry";
import type { Log } from "../../boot/src/log.js";
import type { Shutdown } from "../../boot/src/shutdown.js";

/** What everything that a learner does beside learning is told by, and ended by. */
export interface UpkeepNeeds {
	readonly metrics: Metrics;
	readonly log: Log;
	readonly shutdown: Shutdown;
}
