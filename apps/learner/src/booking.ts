import {
	type Database,
	PostgresBookingLog,
	type PostgresDefinitionStore,
} from "#adapters/postgres";
import { BookDecisions } from "#usecases/booking";
import { Repeated } from "#usecases/deciding";
import type { Log } from "../../boot/src/log.js";
import type { Shutdown } from "../../boot/src/shutdown.js";
import type { StreamClock } from "./stream-clock.js";

const EVERY_MS = 5_000;

/** Books what was learned into the rollups that reports are made of, every five seconds, at leisure. */
export function bookLog(
	database: Database,
	store: PostgresDefinitionStore,
	clock: StreamClock,
	{ log, shutdown }: { log: Log; shutdown: Shutdown },
): void {
	let isStopped = false;
	const booking = new BookDecisions(
		new PostgresBookingLog(database, store),
		() => isStopped,
	);
	const repeated = new Repeated(
		async () => {
			const now = await clock.now();
			if (now !== null) await booking.execute(now);
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
