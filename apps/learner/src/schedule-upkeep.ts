import {
	type Database,
	PostgresClock,
	type PostgresDefinitionStore,
} from "#adapters/postgres";
import { CarryOutSchedules } from "#usecases/defining";
import { Repeated } from "#usecases/pacing";
import type { Log } from "../../boot/src/log.js";
import type { Shutdown } from "../../boot/src/shutdown.js";

/** Deciders obey within 2 s of it. */
const EVERY_MS = 1_000;

/** Starts and stops experiments when their schedules say. Several learners may look; one acts. */
export function keepSchedules(
	database: Database,
	store: PostgresDefinitionStore,
	log: Log,
	shutdown: Shutdown,
): void {
	const schedules = new CarryOutSchedules(
		store,
		store,
		new PostgresClock(database),
	);
	const failed = (error: unknown, key?: string) =>
		log.warn(
			{ err: error },
			`The schedule${key === undefined ? "s" : ` of ${key}`} could not be kept; it is tried again in a second`,
		);
	const looking = new Repeated(
		async () => {
			const { done, missed, failed: those } = await schedules.execute();
			for (const { experiment, state, why } of done)
				log.info(`${experiment.key} is ${state} by its schedule: ${why}`);
			for (const { experiment, state } of missed)
				log.warn(
					`${experiment.key} is still ${state}: start and stop of its schedule both passed while no learner was there. Give it another schedule, or start it.`,
				);
			for (const { key, error } of those) failed(error, key);
		},
		EVERY_MS,
		failed,
	);
	looking.start();
	shutdown.add("schedules", () => looking.stop());
}
