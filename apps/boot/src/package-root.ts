import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json: the same above the sources and above `dist`. */
export function packageRoot(): string {
	let folder = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(folder, "package.json"))) {
		const parent = dirname(folder);
		if (parent === folder)
			throw new Error(
				"package.json was not found above the program: reinstall Segue.",
			);
		folder = parent;
	}
	return folder;
}

export function packageVersion(): string {
	const { version } = JSON.parse(
		readFileSync(join(packageRoot(), "package.json"), "utf8"),
	) as { version: string };
	return version;
}
