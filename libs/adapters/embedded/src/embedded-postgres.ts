import type { ChildProcess } from "node:child_process";
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Child, Log } from "./child.js";
import { freePort, rememberedPort } from "./free-port.js";
import { stopLeftOver } from "./left-over.js";
import { postgresBinaries } from "./postgres-binaries.js";
import {
	type Cluster,
	DATABASE,
	dataOf,
	ensureCluster,
	servePostgres,
	USER,
} from "./postgres-cluster.js";
import { postgresUser } from "./postgres-user.js";
import { Supervisor } from "./supervisor.js";

export interface EmbeddedPostgresOptions {
	/** Of the embedded PostgreSQL alone; made where it is missing. */
	readonly folder: string;
	readonly log: Log;
	/** Default true. False for tests: a loss of power may lose everything. */
	readonly fsync?: boolean;
	/** Default 100. */
	readonly mostConnections?: number;
}

export interface PostgresChild extends Child {
	/** Holds the password: never log it. */
	readonly connectionString: string;
}

const GRACE_MS = 20_000;
const PORT_TRIES = 3;

/**
 * Starts a real PostgreSQL on loopback TCP as a child in its own process group, makes its data
 * folder and database where they are missing, and keeps it running on the same port until stop().
 * One that an earlier, killed Segue left running in this folder is stopped first. Throws a sentence
 * where it cannot run here.
 */
export async function startEmbeddedPostgres(
	options: EmbeddedPostgresOptions,
): Promise<PostgresChild> {
	const folder = resolve(options.folder);
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const binaries = postgresBinaries();
	const user = await postgresUser(binaries.folder, dirname(folder));
	// `nobody` must pass through to its own data, without reading what else lies here.
	const ours =
		user.owner.uid === process.getuid?.() || process.getuid === undefined;
	if (!ours) await chmod(folder, 0o711);
	const cluster: Cluster = {
		folder,
		binaries,
		user,
		fsync: options.fsync ?? true,
		mostConnections: options.mostConnections ?? 100,
	};
	await clearLeftOver(folder, options.log);
	const password = await ensureCluster(cluster);
	const { supervisor, connectionString } = await superviseOnFreePort(
		cluster,
		password,
		options.log,
	);
	const { host } = new URL(connectionString);
	return {
		description: `embedded PostgreSQL on ${host}, data in ${folder}`,
		connectionString,
		get pid() {
			return supervisor.pid;
		},
		stop: () => supervisor.stop(),
	};
}

/** A port may be taken between being found free and being listened on; then another one is tried. */
async function superviseOnFreePort(
	cluster: Cluster,
	password: string,
	log: Log,
): Promise<{ supervisor: Supervisor; connectionString: string }> {
	for (let tries = 1; ; tries++) {
		const port =
			tries === 1
				? await rememberedPort(join(cluster.folder, "port"))
				: await freePort();
		const connectionString = `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
		const launch = async (): Promise<ChildProcess> => {
			await clearLeftOver(cluster.folder, log);
			return servePostgres(cluster, port, connectionString);
		};
		try {
			const supervisor = await Supervisor.start({
				name: "PostgreSQL",
				launch,
				stopSignal: "SIGINT", // fast shutdown: ends sessions, rolls back, writes a checkpoint
				graceMs: GRACE_MS,
				log,
			});
			return { supervisor, connectionString };
		} catch (error) {
			if (tries === PORT_TRIES) throw error;
			log.warn({ err: error, port }, "PostgreSQL did not start; once more");
		}
	}
}

async function clearLeftOver(folder: string, log: Log): Promise<void> {
	const pidFile = join(dataOf(folder), "postmaster.pid");
	const found = await stopLeftOver({
		name: "PostgreSQL",
		pidFile,
		marks: ["postgres", `-D ${dataOf(folder)}`],
		stopSignal: "SIGINT",
		graceMs: GRACE_MS,
		log,
	});
	// Where no process has that id PostgreSQL judges the file itself, by its shared memory as well.
	if (found === "stranger") await rm(pidFile, { force: true });
}
