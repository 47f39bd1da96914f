import { readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How the command line and the demo find a running instance; mode 0600, since the database URL holds its password. */
export interface Runtime {
	readonly pid: number;
	readonly url: string;
	readonly databaseUrl: string;
	readonly natsUrl: string | null;
	readonly stream: string;
}

const pathIn = (folder: string) => join(folder, "runtime.json");

/** Returns what removes it again. */
export async function writeRuntime(
	folder: string,
	runtime: Runtime,
): Promise<() => Promise<void>> {
	const path = pathIn(folder);
	const draft = `${path}.${process.pid}`;
	await writeFile(draft, `${JSON.stringify(runtime)}\n`, { mode: 0o600 });
	await rename(draft, path);
	return () => unlink(path);
}

/** Null where no instance runs on the folder. */
export async function readRuntime(folder: string): Promise<Runtime | null> {
	try {
		return JSON.parse(await readFile(pathIn(folder), "utf8")) as Runtime;
	} catch {
		return null;
	}
}
