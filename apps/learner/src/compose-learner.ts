import type { Config } from "#adapters/config";
import {
	Database,
	ensurePartitions,
	forgetPublished,
	forgetRepeats,
	isRefusal,
	PostgresDeadLetters,
	PostgresDefinitionStore,
	PostgresLearningLedger,
	PostgresOpenWindows,
	PostgresPublishedGaps,
	PostgresPublishedPacks,
	PostgresRetention,
	PostgresStreamMarks,
	SilentCopies,
} from "#adapters/postgres";
import type { Metrics } from "#adapters/telemetry";
import type { Health } from "#api";
import { CloseWindows, type Committed, Learn } from "#usecases/learning";
import { Repeated } from "#usecases/pacing";
import { MakeRoom, RunRetention } from "#usecases/retaining";
import { WatchLosses, WatchStream } from "#usecases/watching";
import type { Log } from "../../boot/src/log.js";
import type { Parts } from "../../boot/src/parts.js";
import { pseudonymsOf } from "../../boot/src/pseudonyms.js";
import type { Shutdown } from "../../boot/src/shutdown.js";
import { streamKeepMs } from "../../boot/src/stream-keep.js";
import { bookLog } from "./booking.js";
import { watchContexts } from "./context-watch.js";
import { watchGuardrails } from "./guardrail-watch.js";
import { type FinishedBatch, LearnerWorker } from "./learner.worker.js";
import { LossWatch } from "./loss-watch.js";
import { RetentionUpkeep } from "./retention-upkeep.js";
import { RoomUpkeep } from "./room-upkeep.js";
import { keepSchedules } from "./schedule-upkeep.js";
import { StreamClock } from "./stream-clock.js";
import { deliverWebhooks } from "./webhook-delivery.js";
import { WindowUpkeep } from "./window-upkeep.js";

/** Batches at once: while the database works on one, the next is understood. Each has a connection, and a shard, of its own. */
const LANES = 2;
/** One lane may wait for the other, so a learner that stands still holds others up for their sum. */
const IDLE_IN_TRANSACTION_MS = 5_000 / LANES;
/** A pull brings 16 MiB at most as well. Half of what the stream lets sixteen learners hold together. */
const MOST_MESSAGES = 2_000;
/** What a killed learner held comes back after 5 s; only then can others take it. */
const PACK_GRACE_MS = 7_000;
const UPKEEP_MS = 60_000;
const LOOK_MS = 500;

/** The learner: lanes over the stream, each with a connection and a shard, and the upkeep of partitions and stream. */
export function startLearner(
	parts: Parts,
	log: Log,
	metrics: Metrics,
	shutdown: Shutdown,
	config: Pick<Config, "logDays" | "unitKeys" | "webhook">,
): () => Promise<Health> {
	const onLost = (error: Error) =>
		log.warn({ err: error }, "A connection of the learner was lost");
	const options = {
		connectionString: parts.databaseUrl,
		applicationName: "segue learner",
		onLost,
	};
	const database = new Database({ ...options, most: 3 });
	shutdown.add("learner's pool", () => database.close());
	// Apart: messages are not acknowledged before it is stored which packs they were, and upkeep may hold the other pool for long.
	const packsDatabase = new Database({ ...options, most: LANES });
	shutdown.add("pool of packs", () => packsDatabase.close());
	const store = new PostgresDefinitionStore(database, (key, err) => {
		metrics.definitionUnreadable(key);
		log.error({ err }, `The definition of ${key} was not read: it is left out`);
	});
	const ledgers = Array.from(
		{ length: LANES },
		() =>
			new PostgresLearningLedger({
				...options,
				idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
				definitions: (ids) => store.byIds(ids),
			}),
	);
	shutdown.add("learner's connections", () =>
		Promise.all(ledgers.map((ledger) => ledger.close())).then(() => {}),
	);

	const clock = new StreamClock(parts.stream);
	const windows = new WindowUpkeep(
		new CloseWindows(
			new PostgresOpenWindows(database),
			ledgers[0] as PostgresLearningLedger,
		),
		parts.stream,
		clock,
		{
			onClosed: (commits, seconds) =>
				recordCommits(commits, seconds, metrics, log),
			onTrouble: (error) =>
				log.warn({ err: error }, "Windows were not closed; it is tried again"),
		},
	);
	const stopping = new AbortController();
	const packs = new PostgresPublishedPacks(
		packsDatabase,
		(what, error) => log.warn({ err: error }, what),
		stopping.signal,
	);
	const pseudonyms = pseudonymsOf(config);
	const isNamed =
		pseudonyms === null
			? null
			: (unit: string, instant: number) => pseudonyms.isNamed(unit, instant);
	const workers = ledgers.map(
		(ledger) =>
			new LearnerWorker(
				parts.stream,
				new Learn(ledger, isRefusal, packs, isNamed),
				{
					mostMessages: MOST_MESSAGES,
					onBatch: (batch) => {
						clock.learned(batch.messages);
						record(batch, metrics, log);
					},
					onTrouble: (what, error) => log.warn({ err: error }, what),
				},
			),
	);
	for (const worker of workers) worker.start();
	shutdown.add("learner", async () => {
		const stopped = workers.map((worker) => worker.stop());
		stopping.abort();
		await Promise.all(stopped);
	});
	windows.start();
	shutdown.add("windows", () => windows.stop());

	const marks = new PostgresStreamMarks(database);
	const losses = new LossWatch(
		new WatchLosses(
			new PostgresPublishedGaps(database),
			new WatchStream(parts.stream, marks),
			PACK_GRACE_MS,
		),
		metrics,
		log,
		() => packs.record([]),
	);
	shutdown.add("watch for losses", () => losses.stop());

	const letters = new PostgresDeadLetters(database);
	metrics.watchDeadLetters(() => letters.waiting().catch(() => null));
	metrics.watchBacklog(() => parts.stream.backlog().catch(() => null));
	const upkeep = setInterval(() => {
		const now = Date.now();
		Promise.all([
			ensurePartitions((text, values) => database.query(text, values), now),
			store.all().then(async (all) => {
				const before = now - streamKeepMs(all);
				await marks.cut(before);
				await parts.stream.purge(before);
			}),
			forgetRepeats(database),
			forgetPublished(database),
		]).catch((error) =>
			log.warn({ err: error }, "Upkeep failed and is tried again in a minute"),
		);
	}, UPKEEP_MS);
	const room = new RoomUpkeep(new MakeRoom(parts.stream, marks), {
		keepMs: async () => streamKeepMs(await store.all()),
		metrics,
		log,
	});
	shutdown.add("room in the stream", () => room.stop());
	const copies = new SilentCopies(database);
	const looking = new Repeated(
		() => copies.end(),
		LOOK_MS,
		(error) => log.debug({ err: error }, "Silent copies were not looked for"),
	);
	looking.start();
	shutdown.add("look for silent copies", () => looking.stop());
	watchContexts(database, store, { metrics, log, shutdown });
	bookLog(database, store, clock, { metrics, log, shutdown });
	keepSchedules(database, store, log, shutdown);
	watchGuardrails(
		parts,
		{ clock, isTold: config.webhook !== null },
		{ metrics, log, shutdown },
	);
	deliverWebhooks(database, config.webhook, { metrics, log, shutdown });
	const retention = new RetentionUpkeep(
		new RunRetention(
			new PostgresRetention(database, store),
			(experiment, revision) => parts.stream.announce(experiment, revision),
		),
		config.logDays,
		log,
	);
	retention.start();
	shutdown.add("retention", () => retention.stop());
	shutdown.add("upkeep", async () => clearInterval(upkeep));
	return async () => {
		const reached = await database.answers();
		return {
			ready: reached && parts.stream.connected,
			parts: {
				database: { ok: reached, detail: parts.database },
				stream: {
					ok: parts.stream.connected,
					detail: parts.stream.description,
				},
				published: losses.health,
			},
		};
	};
}

function record(
	{ messages, commits, seconds }: FinishedBatch,
	metrics: Metrics,
	log: Log,
): void {
	recordCommits(commits, seconds, metrics, log);
	const now = Date.now();
	for (const message of messages)
		if (message.subject.startsWith("segue.events."))
			metrics.learnedWithin(Math.max(0, now - message.storedAt) / 1_000);
}

function recordCommits(
	commits: readonly Committed[],
	seconds: number,
	metrics: Metrics,
	log: Log,
): void {
	for (const commit of commits) {
		metrics.learned({ seconds: seconds / commits.length, ...commit });
		for (const reason of commit.reasons) metrics.deadLetter(reason);
		for (const alarm of commit.alarms)
			log.error(
				`Sums come near the end of exactness (2^28 of 2^29): ${alarm}. Give the experiment a shorter halfLife or slidingWindow, or a new version.`,
			);
	}
}
