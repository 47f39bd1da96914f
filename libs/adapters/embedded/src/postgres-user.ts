import { execFile } from "node:child_process";
import { chown, lchown, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Account {
	readonly uid: number;
	readonly gid: number;
}

/** How a PostgreSQL program is run: PostgreSQL refuses to be root. */
export interface PostgresUser {
	/** Program and arguments that go before the PostgreSQL program; they exec, so the spawned process id is PostgreSQL's own. */
	readonly prefix: readonly string[];
	/** Spawn as this account. */
	readonly as: Account | null;
	/** Whose the data must be. */
	readonly owner: Account;
}

/** To itself another user, to the file system still root: so it may enter folders of mode 0700 below /root. */
const NAMESPACE = [
	"unshare",
	"--user",
	"--map-user=1000",
	"--map-group=1000",
	"--",
];
const UNPRIVILEGED = "nobody";

/**
 * The way to run PostgreSQL here: as we are. As root: in a user namespace; where these are not
 * allowed (many containers), as `nobody`, which keeps the one privilege of passing closed folders
 * if it cannot enter `binaries` and `data` otherwise; where that is not to be had either, throws a
 * sentence that names the folder. `works` tells whether a prefix can be used.
 */
export async function postgresUser(
	binaries: string,
	data: string,
	works: (prefix: readonly string[]) => Promise<boolean> = runs,
): Promise<PostgresUser> {
	const us = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
	if (us.uid !== 0) return { prefix: [], as: null, owner: us };
	if (await works(NAMESPACE)) return { prefix: NAMESPACE, as: null, owner: us };
	const owner = await unprivilegedUser();
	const closed =
		(await closedFolder(binaries, owner)) ?? (await closedFolder(data, owner));
	if (closed === null) return { prefix: [], as: owner, owner };
	const passing = passingClosedFolders(owner);
	if (await works(passing)) return { prefix: passing, as: null, owner };
	throw new Error(
		`PostgreSQL does not run as root, and the user ${UNPRIVILEGED}, as whom it is run here, cannot enter the folder ${closed}. Allow that (chmod o+x ${closed}), start Segue as another user, or set DATABASE_URL.`,
	);
}

function passingClosedFolders({ uid, gid }: Account): string[] {
	return [
		"setpriv",
		`--reuid=${uid}`,
		`--regid=${gid}`,
		"--clear-groups",
		"--inh-caps=+dac_override",
		"--ambient-caps=+dac_override",
		"--",
	];
}

async function runs(prefix: readonly string[]): Promise<boolean> {
	const [program, ...options] = prefix as [string, ...string[]];
	return run(program, [...options, "true"]).then(
		() => true,
		() => false,
	);
}

async function unprivilegedUser(): Promise<Account> {
	const users = await readFile("/etc/passwd", "utf8").catch(() => "");
	for (const line of users.split("\n")) {
		const [name, , uid, gid] = line.split(":");
		if (name === UNPRIVILEGED) return { uid: Number(uid), gid: Number(gid) };
	}
	throw new Error(
		`PostgreSQL does not run as root, user namespaces are not allowed here, and there is no user ${UNPRIVILEGED}. Start Segue as another user, or set DATABASE_URL.`,
	);
}

/** The outermost folder of a path that the account cannot enter, or null. */
async function closedFolder(
	folder: string,
	as: Account,
): Promise<string | null> {
	const path: string[] = [];
	for (let at = folder; at !== dirname(at); at = dirname(at)) path.unshift(at);
	const script =
		'for at; do test -x "$at" || { printf %s "$at"; exit 1; }; done';
	return run("/bin/sh", ["-c", script, "sh", ...path], {
		...as,
		cwd: "/",
	}).then(
		() => null,
		(error: { stdout?: string }) => error.stdout || folder,
	);
}

/**
 * Makes the user PostgreSQL runs as the owner of a file, or of a folder and all in it, where it is
 * not: also where data was made under another of the ways above. Only root can, and need.
 */
export async function handOver(
	path: string,
	user: PostgresUser,
): Promise<void> {
	const { uid, gid } = user.owner;
	if (process.getuid?.() !== 0 || (await stat(path)).uid === uid) return;
	const inner = await readdir(path, { recursive: true }).catch(() => []);
	for (const name of inner) await lchown(join(path, name), uid, gid);
	await chown(path, uid, gid);
}
