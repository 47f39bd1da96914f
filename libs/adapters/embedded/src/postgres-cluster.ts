import { type ChildProcess, execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import {
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import type { PostgresBinaries } from "./postgres-binaries.js";
import { handOver, type PostgresUser } from "./postgres-user.js";
import { spawnServer } from "./spawn-server.js";

const run = promisify(execFile);

export const USER = "segue";
export const DATABASE = "segue";
const HALF_MADE = "making-";
const LARGEST_LOG_BYTES = 10 * 1_048_576;
/** Recovery after a kill -9 replays the write-ahead log, which takes its time. */
const START_WITHIN_MS = 60_000;

const ENVIRONMENT = {
	PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
	LC_ALL: "C",
	TZ: "UTC",
};

/** One data folder of PostgreSQL, and the programs that make and serve it. */
export interface Cluster {
	/** Holds `data`, `password`, `port` and `server.log`. */
	readonly folder: string;
	readonly binaries: PostgresBinaries;
	readonly user: PostgresUser;
	/** False: a loss of power may lose everything; for tests. */
	readonly fsync: boolean;
	readonly mostConnections: number;
}

export function dataOf(folder: string): string {
	return join(folder, "data");
}

/**
 * Runs initdb where there is no data yet, and returns the password. The data is made under another
 * name and renamed when whole, so that a kill -9 in between leaves nothing that looks finished.
 */
export async function ensureCluster(cluster: Cluster): Promise<string> {
	const passwordFile = join(cluster.folder, "password");
	const data = dataOf(cluster.folder);
	if (existsSync(data)) {
		await handOver(data, cluster.user);
		return readPassword(passwordFile);
	}
	await removeHalfMade(cluster.folder);
	const making = join(cluster.folder, `${HALF_MADE}${randomUUID()}`);
	await mkdir(making, { mode: 0o700 });
	const password = randomBytes(24).toString("base64url");
	await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
	await handOver(making, cluster.user);
	await handOver(passwordFile, cluster.user);
	await runInitdb(cluster, making, passwordFile);
	await rename(making, data);
	return password;
}

async function readPassword(file: string): Promise<string> {
	const text = await readFile(file, "utf8").catch(() => "");
	if (text.trim() !== "") return text.trim();
	throw new Error(
		`The password of the embedded PostgreSQL is missing from ${file}. Restore that file together with the data beside it.`,
	);
}

async function removeHalfMade(folder: string): Promise<void> {
	for (const name of await readdir(folder))
		if (name.startsWith(HALF_MADE))
			await rm(join(folder, name), { recursive: true, force: true });
}

async function runInitdb(
	cluster: Cluster,
	data: string,
	passwordFile: string,
): Promise<void> {
	const [program, ...args] = [
		...cluster.user.prefix,
		cluster.binaries.initdb,
		`--pgdata=${data}`,
		`--username=${USER}`,
		"--auth=scram-sha-256",
		`--pwfile=${passwordFile}`,
		"--encoding=UTF8",
		// Bytewise order: the same on every machine, and the order in which locks are taken.
		"--locale-provider=builtin",
		"--builtin-locale=C.UTF-8",
		"--locale=C",
		"--no-instructions",
		...(cluster.fsync ? [] : ["--no-sync"]),
	] as [string, ...string[]];
	try {
		await run(program, args, {
			...cluster.user.as,
			cwd: "/",
			env: ENVIRONMENT,
		});
	} catch (error) {
		const said = String((error as { stderr?: string }).stderr ?? error).trim();
		throw new Error(
			`PostgreSQL could not make its data folder ${data}: ${said}`,
		);
	}
}

/** Spawns `postgres`, unwatched, and resolves once it answers; rejects with nothing left running. */
export async function servePostgres(
	cluster: Cluster,
	port: number,
	connectionString: string,
): Promise<ChildProcess> {
	const logFile = join(cluster.folder, "server.log");
	await turnLog(logFile);
	const parameters = Object.entries(settings(cluster)).flatMap(
		([name, value]) => ["-c", `${name}=${value}`],
	);
	const command = [
		...cluster.user.prefix,
		cluster.binaries.postgres,
		"-D",
		dataOf(cluster.folder),
		"-p",
		String(port),
		...parameters,
	] as [string, ...string[]];
	return spawnServer({
		name: "PostgreSQL",
		command,
		folder: "/",
		environment: ENVIRONMENT,
		as: cluster.user.as,
		logFile,
		serves: () => answers(connectionString),
		withinMs: START_WITHIN_MS,
	});
}

function settings(cluster: Cluster): Record<string, string | number> {
	return {
		listen_addresses: "127.0.0.1",
		unix_socket_directories: "",
		max_connections: cluster.mostConnections,
		shared_buffers: "128MB",
		max_wal_size: "1GB",
		jit: "off",
		fsync: cluster.fsync ? "on" : "off",
		full_page_writes: cluster.fsync ? "on" : "off",
		// A client that vanished (kill -9) must not hold its locks: noticed while idle and in mid-query.
		tcp_keepalives_idle: 5,
		tcp_keepalives_interval: 2,
		tcp_keepalives_count: 3,
		client_connection_check_interval: "2s",
		timezone: "UTC",
		log_timezone: "UTC",
		log_checkpoints: "off",
		// Details quote rows, and rows hold units.
		log_error_verbosity: "terse",
		log_parameter_max_length_on_error: 0,
		log_min_error_statement: "panic",
	};
}

async function turnLog(file: string): Promise<void> {
	const size = await stat(file).then(
		({ size }) => size,
		() => 0,
	);
	if (size > LARGEST_LOG_BYTES) await rename(file, `${file}.1`);
}

/** Whether PostgreSQL takes connections; makes Segue's database where it is missing. */
async function answers(connectionString: string): Promise<boolean> {
	const url = new URL(connectionString);
	url.pathname = "/postgres";
	const client = new pg.Client({
		connectionString: url.href,
		connectionTimeoutMillis: 2_000,
	});
	client.on("error", () => undefined);
	try {
		await client.connect();
		const known = await client.query(
			"select 1 from pg_database where datname = $1",
			[DATABASE],
		);
		if (known.rowCount === 0) await client.query(`create database ${DATABASE}`);
		return true;
	} catch (error) {
		if (isStillStarting(error)) return false;
		throw new Error(
			`The embedded PostgreSQL refuses Segue: ${(error as Error).message}`,
			{ cause: error },
		);
	} finally {
		await client.end().catch(() => undefined);
	}
}

/** Connection refused or reset, a timeout, or SQLSTATE 57P03 (cannot connect now). */
function isStillStarting(error: unknown): boolean {
	const code = (error as { code?: string }).code;
	return (
		code === undefined ||
		code === "57P03" ||
		code === "ECONNREFUSED" ||
		code === "ECONNRESET"
	);
}
