import { Database, sweepUnits } from "#adapters/postgres";
import type { PrivacyPolicy } from "#core/privacy";
import { Repeated } from "#usecases/pacing";
import { unitRetention } from "../../boot/src/kept-for.js";
import type { Log } from "../../boot/src/log.js";
import type { Parts } from "../../boot/src/parts.js";
import type { Shutdown } from "../../boot/src/shutdown.js";

const EVERY_MS = 10 * 60_000;

/** Deletes profiles and consents as privacy files say. Several learners may do it at once. */
export function startUnitUpkeep(
	{ databaseUrl }: Parts,
	policy: PrivacyPolicy,
	log: Log,
	shutdown: Shutdown,
): void {
	const database = new Database({
		connectionString: databaseUrl,
		applicationName: "segue learner",
		most: 1,
		onLost: (error) =>
			log.warn({ err: error }, "A connection of the learner was lost"),
	});
	const retention = unitRetention(policy);
	const sweeping = new Repeated(
		async () => {
			const swept = await sweepUnits(database, retention);
			const { profiles, consents, stripped } = swept;
			if (profiles + consents + stripped > 0)
				log.info(swept, "Too old for privacy files, so deleted");
		},
		EVERY_MS,
		(error) =>
			log.warn(
				{ err: error },
				"Profiles and consents that are too old were not deleted; it is tried again in ten minutes",
			),
	);
	shutdown.add("pool of unit upkeep", () => database.close());
	sweeping.start();
	shutdown.add("unit upkeep", () => sweeping.stop());
}
