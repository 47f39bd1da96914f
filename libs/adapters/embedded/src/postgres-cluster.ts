import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import {
	mkdir,
	open,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import type { PostgresBinaries } from "./postgres-binaries.js";
import { handOver, type PostgresUser } from "./postgres-user.js";
import { end, hasEnded } from "./supervisor.js";

const run = promisify(execFile);

export const USER = "segue";
export const DATABASE = "segue";
const HALF_MADE = "making-";
const LARGEST_LOG_BYTES = 10 * 1_048_576;
/** Recovery after a kill -9 replays the write-ahead log, which takes its time. */
const START_WITHIN_MS = 60_000;
const KNOCK_MS = 25;

/** Nothing of Segue's own environment: it holds secrets, and PG* variables would change what is started. */
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
	if (existsSync(data)) return readPassword(passwordFile);
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

/** Spawns `postgres` in a process group of its own and resolves once it answers; rejects with nothing left running. */
export async function servePostgres(
	cluster: Cluster,
	port: number,
	connectionString: string,
): Promise<ChildProcess> {
	const logFile = join(cluster.folder, "server.log");
	await turnLog(logFile);
	const log = await open(logFile, "a", 0o600);
	const [program, ...args] = [
		...cluster.user.prefix,
		cluster.binaries.postgres,
		"-D",
		dataOf(cluster.folder),
		"-p",
		String(port),
		...Object.entries(settings(cluster)).flatMap(([name, value]) => [
			"-c",
			`${name}=${value}`,
		]),
	] as [string, ...string[]];
	const child = spawn(program, args, {
		...cluster.user.as,
		cwd: "/",
		env: ENVIRONMENT,
		detached: true,
		stdio: ["ignore", log.fd, log.fd],
	});
	const failed = new Promise<Error>((resolve) => child.once("error", resolve));
	await log.close();
	try {
		await Promise.race([
			untilItAnswers(child, connectionString, logFile),
			failed.then((error) => Promise.reject(error)),
		]);
		return child;
	} catch (error) {
		if (child.pid !== undefined) await end(child, "SIGINT", 5_000);
		throw error;
	}
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
		...(cluster.fsync
			? {}
			: { synchronous_commit: "off", full_page_writes: "off" }),
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

async function untilItAnswers(
	child: ChildProcess,
	connectionString: string,
	logFile: string,
): Promise<void> {
	const deadline = Date.now() + START_WITHIN_MS;
	while (!hasEnded(child)) {
		if (await answers(connectionString, child.pid as number)) return;
		if (Date.now() > deadline)
			throw new Error(
				`PostgreSQL did not answer within ${START_WITHIN_MS / 1000} s; see ${logFile}.`,
			);
		await sleep(KNOCK_MS);
	}
	throw new Error(
		`PostgreSQL ended while it started (code ${child.exitCode ?? child.signalCode}); see ${logFile}.`,
	);
}

/** Whether PostgreSQL takes connections; makes Segue's database where it is missing. */
async function answers(
	connectionString: string,
	pid: number,
): Promise<boolean> {
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
		throw new Error(`PostgreSQL (process ${pid}) refuses Segue.`, {
			cause: error,
		});
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
