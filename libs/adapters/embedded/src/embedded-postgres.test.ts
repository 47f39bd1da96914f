import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
	chmod,
	cp,
	mkdir,
	mkdtemp,
	readFile,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import {
	afterAll,
	afterEach,
	beforeAll,
	beforeEach,
	describe,
	expect,
	it,
} from "vitest";
import {
	answering,
	isRunning,
	silent,
	startAndKillParent,
} from "../../../../test/support/embedded.js";
import {
	type EmbeddedPostgresOptions,
	type PostgresChild,
	startEmbeddedPostgres,
} from "./embedded-postgres.js";
import { freePort } from "./free-port.js";
import { postgresBinaries } from "./postgres-binaries.js";

let home: string;
let started: PostgresChild[];
/** Making data takes a second or more; most tests begin with a copy of these. */
let made: string;
beforeAll(async () => {
	made = await mkdtemp(join(tmpdir(), "segue-postgres-made-"));
	await (
		await startEmbeddedPostgres({ folder: made, log: silent, fsync: false })
	).stop();
	await rm(join(made, "port"));
});
afterAll(() => rm(made, { recursive: true, force: true }));

beforeEach(async () => {
	started = [];
	home = await mkdtemp(join(tmpdir(), "segue-postgres-"));
	await chmod(home, 0o700);
});
afterEach(async () => {
	await Promise.all(started.map((child) => child.stop()));
	await rm(home, { recursive: true, force: true });
});

async function start(
	folder = join(home, "postgres"),
	more: Partial<EmbeddedPostgresOptions> = {},
): Promise<PostgresChild> {
	await copyMade(folder);
	const child = await startEmbeddedPostgres({
		folder,
		log: silent,
		fsync: false,
		...more,
	});
	started.push(child);
	return child;
}

async function copyMade(folder: string): Promise<void> {
	if (!existsSync(folder)) await cp(made, folder, { recursive: true });
}

async function ask(
	connectionString: string,
	text: string,
): Promise<Record<string, unknown>[]> {
	const client = new pg.Client({ connectionString });
	client.on("error", () => undefined);
	await client.connect();
	try {
		return (await client.query(text)).rows;
	} finally {
		await client.end();
	}
}

function processGroup(pid: number): number {
	return Number(
		execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], {
			encoding: "utf8",
		}),
	);
}

describe("startEmbeddedPostgres", () => {
	it("serves PostgreSQL 18 from a folder of mode 0700, on loopback only, with a secret of its own", async () => {
		await mkdir(join(home, "postgres"));
		const child = await start();
		const [row] = await ask(
			child.connectionString,
			"select current_setting('server_version_num')::int as version, current_setting('listen_addresses') as listens, current_setting('unix_socket_directories') as sockets, current_database() as database, (select datcollate from pg_database where datname = current_database()) as collation",
		);
		expect(row).toMatchObject({
			listens: "127.0.0.1",
			sockets: "",
			database: "segue",
			collation: "C",
		});
		expect(row?.version).toBeGreaterThanOrEqual(180_000);
		const url = new URL(child.connectionString);
		const secret = join(home, "postgres", "password");
		expect((await stat(secret)).mode & 0o777).toBe(0o600);
		expect((await readFile(secret, "utf8")).trim()).toBe(url.password);
		expect(child.description).not.toContain(url.password);
		url.password = "guess";
		await expect(ask(url.href, "select 1")).rejects.toThrow(
			/password authentication failed/,
		);
		expect(processGroup(child.pid)).toBe(child.pid);
	});

	it("keeps data, password and port over a stop and a start, and leaves nothing running in between", async () => {
		const first = await start();
		await ask(first.connectionString, "create table kept as select 7 as n");
		const { pid } = first;
		await Promise.all([first.stop(), first.stop()]);
		expect(await isRunning(pid)).toBe(false);
		const second = await start();
		expect(second.connectionString).toBe(first.connectionString);
		expect(await ask(second.connectionString, "select n from kept")).toEqual([
			{ n: 7 },
		]);
	});

	it("synchronises to disk unless told otherwise", async () => {
		const child = await start(join(home, "real"), { fsync: true });
		const [row] = await ask(
			child.connectionString,
			"select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages",
		);
		expect(row).toEqual({ fsync: "on", commit: "on", pages: "on" });
	});

	it("starts it again on the same port when it is killed, with what was committed", async () => {
		const child = await start();
		await ask(child.connectionString, "create table kept as select 7 as n");
		const before = child.pid;
		process.kill(before, "SIGKILL");
		await answering(async () => expect(child.pid).not.toBe(before));
		expect(await ask(child.connectionString, "select n from kept")).toEqual([
			{ n: 7 },
		]);
		await child.stop();
		expect(await isRunning(child.pid)).toBe(false);
	});

	it("can be stopped while it is being started again", async () => {
		const child = await start();
		process.kill(child.pid, "SIGKILL");
		await child.stop();
		await expect(ask(child.connectionString, "select 1")).rejects.toThrow();
		await expect(
			readFile(join(home, "postgres", "data", "postmaster.pid")),
		).resolves.toBeDefined();
		const next = await start();
		expect(await ask(next.connectionString, "select 1 as n")).toEqual([
			{ n: 1 },
		]);
	});

	it("replaces, never doubles, the one that a killed Segue left running", async () => {
		const folder = join(home, "postgres");
		await copyMade(folder);
		const leftOver = await startAndKillParent("startEmbeddedPostgres", {
			folder,
			fsync: false,
		});
		expect(await isRunning(leftOver)).toBe(true);
		const child = await start(folder);
		expect(await isRunning(leftOver)).toBe(false);
		expect(child.pid).not.toBe(leftOver);
		expect(await ask(child.connectionString, "select 1 as n")).toEqual([
			{ n: 1 },
		]);
	});

	it("starts where the pid file names a process that is not PostgreSQL, and leaves that alone", async () => {
		const first = await start();
		await first.stop();
		const pidFile = join(home, "postgres", "data", "postmaster.pid");
		await writeFile(pidFile, `${process.ppid}\n`, { mode: 0o600 });
		const second = await start();
		expect(await ask(second.connectionString, "select 1 as n")).toEqual([
			{ n: 1 },
		]);
		expect(await isRunning(process.ppid)).toBe(true);
	});

	it("makes the data anew where a kill interrupted its making", async () => {
		const child = await start();
		await child.stop();
		const folder = join(home, "postgres");
		execFileSync("mv", [join(folder, "data"), join(folder, "making-half")]);
		const next = await start();
		expect(await ask(next.connectionString, "select 1 as n")).toEqual([
			{ n: 1 },
		]);
		await expect(stat(join(folder, "making-half"))).rejects.toThrow("ENOENT");
	});

	it("runs two side by side", async () => {
		const [one, other] = await Promise.all([
			start(join(home, "one")),
			start(join(home, "other")),
		]);
		expect(new URL(one.connectionString).port).not.toBe(
			new URL(other.connectionString).port,
		);
		await ask(one.connectionString, "create table mine ()");
		expect(
			await ask(
				other.connectionString,
				"select to_regclass('mine') is null as apart",
			),
		).toEqual([{ apart: true }]);
	});

	it("takes another port where the one it had is taken, and says so in its address", async () => {
		const port = await freePort();
		const folder = join(home, "postgres");
		const child = await start(folder);
		await child.stop();
		const { createServer } = await import("node:net");
		const squatter = createServer().listen(port, "127.0.0.1");
		await writeFile(join(folder, "port"), `${port}\n`);
		const next = await start(folder);
		expect(new URL(next.connectionString).port).not.toBe(String(port));
		await ask(next.connectionString, "select 1");
		squatter.close();
	});

	it("does not use the password of another's data: it says which file is missing", async () => {
		const child = await start();
		await child.stop();
		const secret = join(home, "postgres", "password");
		await rm(secret);
		await expect(start()).rejects.toThrow(
			`The password of the embedded PostgreSQL is missing from ${secret}.`,
		);
	});
});

describe("postgresBinaries", () => {
	it("finds programs that say they are PostgreSQL 18", () => {
		const { postgres, initdb } = postgresBinaries();
		for (const program of [postgres, initdb])
			expect(
				execFileSync(program, ["--version"], { encoding: "utf8" }),
			).toMatch(/\(PostgreSQL\) 18\./);
	});
});
