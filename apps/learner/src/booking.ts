import {
	type Database,
	PostgresBookedReads,
	PostgresBookingLog,
	type PostgresDefinitionStore,
} from "#adapters/postgres";
import { BookDecisions, WatchBookings } from "#usecases/booking";
import { Repeated } from "#usecases/pacing";
import type { StreamClock } from "./stream-clock.js";
import type { UpkeepNeeds } from "./upkeep-needs.js";

const EVERY_MS = 5_000;

/** Books what was learned into the rollups that reports are made of, every five seconds, at leisure. */
export function bookLog(
	database: Database,
	store: PostgresDefinitionStore,
	clock: StreamClock,
	{ metrics, log, shutdown }: UpkeepNeeds,
): void {
	let isStopped = false;
	const booking = new BookDecisions(
		new PostgresBookingLog(database, store),
		() => isStopped,
	);
	const watch = new WatchBookings(store, new PostgresBookedReads(database));
	const repeated = new Repeated(
		async () => {
			const now = await clock.now();
			if (now === null) return;
			await booking.execute(now, (experiment, error) => {
				metrics.bookingFailed(experiment);
				log.error(
					{ err: error },
					`Decisions of ${experiment} were not booked; it is tried again in five seconds. See "Reports fall behind" in docs/runbook.md.`,
				);
			});
			metrics.booked(await watch.execute(now));
		},
		EVERY_MS,
		(error) =>
			log.warn(
				{ err: error },
				"Decisions were not booked; it is tried again in five seconds",
			),
	);
	repeated.start();
	shutdown.add("booking", async () => {
		isStopped = true;
		await repeated.stop();
	});
}
