import { type Config, readConfig } from "#adapters/config";
import { Database, keptUnitKeys, newestUnit } from "#adapters/postgres";
import { openJetStream, openPostgresStream } from "#adapters/stream";
import type { Stream } from "#usecases/ingesting";
import {
	missingKey,
	otherSecret,
	type Pseudonyms,
} from "#usecases/pseudonymising";
import { pseudonymsOf } from "../../boot/src/pseudonyms.js";
import { type Runtime, readRuntime } from "../../boot/src/runtime-file.js";

const CONNECT_MS = 5_000;

interface Instance {
	readonly config: Config;
	readonly databaseUrl: string;
	/** What the runtime file says, where it speaks of the same database. */
	readonly runtime: Runtime | null;
}

/** DATABASE_URL, else what the runtime file in SEGUE_DATA says. Throws a sentence where there is none. */
async function findInstance(): Promise<Instance> {
	const read = readConfig();
	if (!read.ok) throw new Error(read.problems.join("\n"));
	const config = read.value;
	const runtime = await readRuntime(config.dataFolder);
	const databaseUrl = config.databaseUrl ?? runtime?.databaseUrl;
	if (databaseUrl === undefined)
		throw new Error(
			`No Segue runs on ${config.dataFolder}: start it with npm start, or set SEGUE_DATA to its data folder, or DATABASE_URL to its database.`,
		);
	return {
		config,
		databaseUrl,
		runtime: runtime?.databaseUrl === databaseUrl ? runtime : null,
	};
}

/** Null where units go by the names that clients give them. Throws where the instance names them by a key, or a secret, that is not set here. */
export async function openPseudonyms(
	database: Database,
): Promise<Pseudonyms | null> {
	const read = readConfig();
	if (!read.ok) throw new Error(read.problems.join("\n"));
	const pseudonyms = pseudonymsOf(read.value);
	const problem =
		missingKey(await newestUnit(database), pseudonyms) ??
		otherSecret(pseudonyms, await keptUnitKeys(database));
	if (problem !== null) throw new Error(problem);
	return pseudonyms;
}

/** The database of the instance. */
export async function openInstance(): Promise<Database> {
	return openDatabase(await findInstance());
}

/** Uses the database of the instance, and closes it. */
export async function withInstance<T>(
	use: (database: Database) => Promise<T>,
): Promise<T> {
	const database = await openInstance();
	try {
		return await use(database);
	} finally {
		await database.close();
	}
}

function openDatabase({ databaseUrl }: Instance): Database {
	return new Database({
		connectionString: databaseUrl,
		applicationName: "segue command line",
		most: 4,
	});
}

/** Database and stream of the instance. Throws a sentence where the stream cannot be found or reached. */
export async function openInstanceWithStream(): Promise<{
	readonly database: Database;
	readonly stream: Stream;
}> {
	const instance = await findInstance();
	const stream = await openStream(instance);
	return { database: openDatabase(instance), stream };
}

/** As the instance itself chooses: NATS_URL or SEGUE_STREAM, else what it wrote into its runtime file. */
async function openStream({
	config,
	databaseUrl,
	runtime,
}: Instance): Promise<Stream> {
	const kind =
		config.stream ?? (config.natsUrl !== null ? "jetstream" : runtime?.stream);
	if (kind === "postgres")
		return openPostgresStream({ connectionString: databaseUrl });
	const servers = config.natsUrl ?? runtime?.natsUrl ?? null;
	if (servers === null)
		throw new Error(
			`Which stream the instance uses is not known: set NATS_URL to its broker, or SEGUE_STREAM to postgres, or SEGUE_DATA to the data folder of an instance that runs (now ${config.dataFolder}).`,
		);
	return openJetStream({
		servers,
		name: "segue command line",
		connectTimeoutMs: CONNECT_MS,
	});
}
