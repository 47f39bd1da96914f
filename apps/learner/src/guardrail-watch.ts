import { randomUUID } from "node:crypto";
import {
	Database,
	forgetBooks,
	PostgresDefinitionStore,
	PostgresGuardBooks,
	PostgresGuardTrips,
} from "#adapters/postgres";
import { CountedSince, WatchGuardrails } from "#usecases/guarding";
import { Repeated } from "#usecases/pacing";
import type { Parts } from "../../boot/src/parts.js";
import type { StreamClock } from "./stream-clock.js";
import type { UpkeepNeeds } from "./upkeep-needs.js";

const EVERY_MS = 1_000;
const FORGET_MS = 60_000;
/** Of what guardrails no longer count by, so that others have their turn. */
const MOST_FORGOTTEN = 20;

/**
 * Watches the guardrails of all running experiments every second, on connections of its own: it waits for no report, no decider and no
 * other upkeep.
 */
export function watchGuardrails(
	{ databaseUrl }: Parts,
	{ clock, isTold }: { readonly clock: StreamClock; readonly isTold: boolean },
	{ metrics, log, shutdown }: UpkeepNeeds,
): void {
	let isStopped = false;
	const database = new Database({
		connectionString: databaseUrl,
		applicationName: "segue guardrails",
		most: 2,
		onLost: (error) =>
			log.warn({ err: error }, "A connection of the learner was lost"),
	});
	const store = new PostgresDefinitionStore(database);
	const watch = new WatchGuardrails(
		store,
		new CountedSince(store),
		new PostgresGuardBooks(database),
		new PostgresGuardTrips(database),
		{
			clock: () => clock.now(),
			isTold,
			mintId: () => `msg_${randomUUID()}`,
			now: () => Date.now(),
			isStopped: () => isStopped,
		},
	);
	const looking = new Repeated(
		async () => {
			const { tripped, current, behind, failed } = await watch.execute();
			metrics.guardrailsLookedAt("current", current.length);
			metrics.guardrailsLookedAt("behind", behind.length);
			metrics.guardrailsLookedAt("failed", failed.length);
			for (const { experiment, action, sentence } of tripped) {
				metrics.guardrailTripped(experiment, action);
				log.error(
					`${experiment}: ${sentence} See "A guardrail acted" in docs/runbook.md.`,
				);
			}
			for (const { experiment, error } of failed)
				log.error(
					{ err: error },
					`The guardrails of ${experiment} were not watched; it is tried again in a second`,
				);
		},
		EVERY_MS,
		(error) =>
			log.warn(
				{ err: error },
				"Guardrails were not watched; it is tried again in a second",
			),
	);
	const forgetting = new Repeated(
		async () => {
			for (let i = 0; i < MOST_FORGOTTEN && !isStopped; i++)
				if (!(await forgetBooks(database))) return;
		},
		FORGET_MS,
		(error) =>
			log.warn(
				{ err: error },
				"What guardrails no longer count by was not deleted; it is tried again in a minute",
			),
	);
	shutdown.add("guardrails' pool", () => database.close());
	looking.start();
	forgetting.start();
	shutdown.add("guardrails", async () => {
		isStopped = true;
		await Promise.all([looking.stop(), forgetting.stop()]);
	});
}
