import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "#adapters/embedded";
import { quiet } from "./quiet.js";
import { stopServersBelow } from "./stop-servers.js";

declare module "vitest" {
	export interface ProvidedContext {
		/** Connection string of the run's PostgreSQL: a superuser, in a database of no use of its own. */
		postgres: string;
	}
}

/**
 * One real PostgreSQL for the whole run; each test takes a database of its own in it (database.ts).
 * All temporary folders of the run lie in one, so that at the end whatever a failed test left
 * running there is found and stopped.
 */
export async function setup(
	project: TestProject,
): Promise<() => Promise<void>> {
	// The projects of vitest.config.ts inherit this file and what it provides; once is enough.
	if (!project.isRootProject()) return async () => undefined;
	const run = await realpath(await mkdtemp(join(tmpdir(), "segue-run-")));
	// Where root may only run PostgreSQL as nobody, that must be able to pass.
	await chmod(run, 0o711);
	process.env.TMPDIR = run;
	// Where system packages put nats-server, though a user's PATH often lacks it.
	process.env.PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin`;
	const server = await startEmbeddedPostgres({
		folder: join(run, "postgres"),
		log: quiet,
		fsync: false,
		mostConnections: 300,
	});
	project.provide("postgres", server.connectionString);
	return async () => {
		await server.stop();
		stopServersBelow(run);
		await rm(run, { recursive: true, force: true });
	};
}
