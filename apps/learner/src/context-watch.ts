import {
	type Database,
	forgetContexts,
	PostgresContextLog,
	PostgresContextReads,
	type PostgresDefinitionStore,
} from "#adapters/postgres";
import { Repeated } from "#usecases/pacing";
import { alarmSentence, FoldContext, WatchContext } from "#usecases/watching";
import type { UpkeepNeeds } from "./upkeep-needs.js";

const EVERY_MS = 5_000;
const FORGET_MS = 10 * 60_000;

/** Looks at the contexts of all running experiments every five seconds: counts, metrics, and each alarm once in the log. */
export function watchContexts(
	database: Database,
	store: PostgresDefinitionStore,
	{ metrics, log, shutdown }: UpkeepNeeds,
): void {
	let isStopped = false;
	const reads = new PostgresContextReads(database);
	const fold = new FoldContext(
		new PostgresContextLog(database),
		store,
		() => isStopped,
	);
	const clock = { now: () => Date.now() };
	const watch = new WatchContext(store, fold, reads, reads, clock);
	const failed = (what: string) => (error: unknown) =>
		log.warn({ err: error }, what);
	const looking = new Repeated(
		async () => {
			const { contexts, alarmed } = await watch.execute();
			metrics.contextsWatched(contexts);
			for (const alarm of alarmed) log.error(alarmSentence(alarm));
		},
		EVERY_MS,
		failed(
			"The health of contexts was not looked at; it is tried again in five seconds",
		),
	);
	const forgetting = new Repeated(
		() => forgetContexts(database),
		FORGET_MS,
		failed("Counts of contexts that are too old were not deleted"),
	);
	looking.start();
	forgetting.start();
	shutdown.add("watch of contexts", async () => {
		isStopped = true;
		await Promise.all([looking.stop(), forgetting.stop()]);
	});
}
