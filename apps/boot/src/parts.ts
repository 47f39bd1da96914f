import { join } from "node:path";
import type { Config } from "#adapters/config";
import {
	claimDataFolder,
	findNatsServer,
	startEmbeddedPostgres,
	startNatsServer,
} from "#adapters/embedded";
import {
	Database,
	keepUnitKeys,
	keptUnitKeys,
	migrate,
	newestUnit,
} from "#adapters/postgres";
import {
	type JetStream,
	openJetStream,
	openPostgresStream,
} from "#adapters/stream";
import type { Stream } from "#usecases/ingesting";
import { missingKey, otherSecret } from "#usecases/pseudonymising";
import type { Log } from "./log.js";
import { pseudonymsOf } from "./pseudonyms.js";
import type { Shutdown } from "./shutdown.js";

/** What every process of Segue stands on: the database and the stream, ours or given. */
export interface Parts {
	readonly databaseUrl: string;
	/** For people, without secrets. */
	readonly database: string;
	readonly natsUrl: string | null;
	/** Present where the stream is JetStream. */
	readonly jetStream: JetStream | null;
	readonly stream: Stream;
}

/**
 * Starts or finds the parts in the order in which they need each other; `shutdown` undoes them in reverse, children last.
 * With `embed` false a missing DATABASE_URL is an error of the configuration, told before anything is started.
 */
export async function openParts(
	config: Config,
	log: Log,
	shutdown: Shutdown,
	embed: boolean,
): Promise<Parts> {
	const usesJetStream = config.stream !== "postgres";
	if (embed) {
		const claim = await claimDataFolder(config.dataFolder);
		shutdown.add("data folder", () => claim.release());
	}
	const given = config.databaseUrl;
	if (!embed) refuseMissing(config);
	const embedded =
		given === null ? await embeddedPostgres(config, log, shutdown) : null;
	const databaseUrl =
		given ?? (embedded as { connectionString: string }).connectionString;
	await migrate(databaseUrl);
	await refuseOtherKeys(databaseUrl, config);
	const natsUrl = usesJetStream
		? (config.natsUrl ?? (embed ? await ownNats(config, log, shutdown) : null))
		: null;
	if (natsUrl === null && config.stream === "jetstream")
		throw new Error(
			"SEGUE_STREAM is jetstream, but there is no NATS_URL and no nats-server on PATH: set NATS_URL, install nats-server, or use SEGUE_STREAM=postgres.",
		);

	const onProblem = (what: string, error: unknown) =>
		log.warn({ err: error }, what);
	const jetStream =
		natsUrl === null
			? null
			: await openJetStream({
					servers: natsUrl,
					name: "segue",
					// Our own broker syncs each message where `power` is asked for; of another's we cannot know.
					durability: config.natsUrl === null ? config.durability : "process",
					onProblem,
				});
	const stream =
		jetStream ??
		(await openPostgresStream({ connectionString: databaseUrl, onProblem }));
	shutdown.add("stream", () => stream.close());
	if (config.durability === "power" && stream.durability !== "power")
		throw new Error(
			`SEGUE_DURABILITY is power, but the stream (${stream.description}) cannot promise that a message survives a power cut: use SEGUE_STREAM=postgres, or SEGUE_DURABILITY=process.`,
		);
	return {
		databaseUrl,
		database: embedded?.description ?? "PostgreSQL of DATABASE_URL",
		natsUrl,
		jetStream,
		stream,
	};
}

/** A decider or learner of its own shares its parts with others, so it starts none. */
function refuseMissing(config: Config): void {
	const problems = [
		...(config.databaseUrl === null
			? [
					"DATABASE_URL is not set: set it to the PostgreSQL that deciders and learners share.",
				]
			: []),
		...(config.natsUrl === null && config.stream !== "postgres"
			? [
					"NATS_URL is not set: set it to the broker that deciders and learners share, or SEGUE_STREAM to postgres.",
				]
			: []),
	];
	if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** With other keys than units are named by, a process would find nothing of them, and keep them under other names. */
async function refuseOtherKeys(
	connectionString: string,
	config: Config,
): Promise<void> {
	const pseudonyms = pseudonymsOf(config);
	const database = new Database({
		connectionString,
		applicationName: "segue start",
		most: 1,
	});
	try {
		const missing = missingKey(await newestUnit(database), pseudonyms);
		if (missing !== null) throw new Error(missing);
		if (pseudonyms !== null)
			await keepUnitKeys(database, pseudonyms.fingerprints());
		const other = otherSecret(pseudonyms, await keptUnitKeys(database));
		if (other !== null) throw new Error(other);
	} finally {
		await database.close();
	}
}

async function embeddedPostgres(config: Config, log: Log, shutdown: Shutdown) {
	const child = await startEmbeddedPostgres({
		folder: join(config.dataFolder, "postgres"),
		log,
	});
	shutdown.add("embedded PostgreSQL", () => child.stop());
	return child;
}

/** Null where no nats-server is on PATH: then the stream is a table. */
async function ownNats(
	config: Config,
	log: Log,
	shutdown: Shutdown,
): Promise<string | null> {
	const binary = findNatsServer();
	if (binary === null) return null;
	const child = await startNatsServer({
		folder: join(config.dataFolder, "nats"),
		binary,
		log,
		syncAlways: config.durability === "power",
	});
	shutdown.add("nats-server", () => child.stop());
	return child.url;
}
