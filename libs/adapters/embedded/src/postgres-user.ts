import { execFile } from "node:child_process";
import { chown, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How a PostgreSQL program is run: PostgreSQL refuses to be root. */
export interface PostgresUser {
	/** Program and arguments that go before the PostgreSQL program. */
	readonly prefix: readonly string[];
	/** Spawn as this user. */
	readonly as: { readonly uid: number; readonly gid: number } | null;
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
 * The way to run PostgreSQL here: as we are; as root in a user namespace; where namespaces are not
 * allowed, as `nobody`, who must be able to enter `binaries` and `data` (throws a sentence that
 * names the folder where not). `unshare` execs, so the spawned process id is PostgreSQL's own.
 */
export async function postgresUser(
	binaries: string,
	data: string,
	namespaces = namespacesAllowed,
): Promise<PostgresUser> {
	if (process.getuid?.() !== 0) return { prefix: [], as: null };
	if (await namespaces()) return { prefix: NAMESPACE, as: null };
	const as = await unprivilegedUser();
	for (const folder of [binaries, data]) await mustEnter(folder, as);
	return { prefix: [], as };
}

async function namespacesAllowed(): Promise<boolean> {
	const [program, ...options] = NAMESPACE as [string, ...string[]];
	return run(program, [...options, "true"]).then(
		() => true,
		() => false,
	);
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
	const users = await readFile("/etc/passwd", "utf8").catch(() => "");
	for (const line of users.split("\n")) {
		const [name, , uid, gid] = line.split(":");
		if (name === UNPRIVILEGED) return { uid: Number(uid), gid: Number(gid) };
	}
	throw new Error(
		`PostgreSQL does not run as root, user namespaces are not allowed here, and there is no user ${UNPRIVILEGED}. Start Segue as another user, or set DATABASE_URL.`,
	);
}

async function mustEnter(
	folder: string,
	as: { uid: number; gid: number },
): Promise<void> {
	const path: string[] = [];
	for (let at = folder; at !== dirname(at); at = dirname(at)) path.unshift(at);
	const script =
		'for at; do test -x "$at" || { printf %s "$at"; exit 1; }; done';
	const closed = await run("/bin/sh", ["-c", script, "sh", ...path], {
		...as,
		cwd: "/",
	}).then(
		() => null,
		(error: { stdout?: string }) => error.stdout || folder,
	);
	if (closed !== null)
		throw new Error(
			`PostgreSQL does not run as root, and the user ${UNPRIVILEGED}, as whom it is run here, cannot enter the folder ${closed}. Allow that (chmod o+x ${closed}), start Segue as another user, or set DATABASE_URL.`,
		);
}

/** Hands a folder and all in it to the user PostgreSQL runs as. */
export async function handOver(
	path: string,
	user: PostgresUser,
): Promise<void> {
	if (user.as === null) return;
	await chown(path, user.as.uid, user.as.gid);
	const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
	for (const entry of entries) {
		const inner = join(path, entry.name);
		if (entry.isDirectory()) await handOver(inner, user);
		else if (entry.isFile()) await chown(inner, user.as.uid, user.as.gid);
	}
}
