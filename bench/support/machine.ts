import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder, from the source as from dist. */
export const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(folder: string): string {
	if (existsSync(join(folder, "package.json"))) return folder;
	if (dirname(folder) === folder)
		throw new Error(
			"No package.json above the benchmark: run it from a clone.",
		);
	return rootAbove(dirname(folder));
}

/** One line that says what a figure was measured on. */
export function machineLine(): string {
	const all = cpus();
	const model = all[0]?.model.trim() || "unknown processor";
	const memory = Math.round(totalmem() / 2 ** 30);
	return `${all.length} × ${model}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

/** The short commit, with `-dirty` where files differ from it; `unknown` outside a git checkout. */
export function commitName(): string {
	const { status, stdout } = spawnSync(
		"git",
		["describe", "--always", "--dirty", "--exclude=*"],
		{ cwd: root, encoding: "utf8" },
	);
	return status === 0 ? stdout.trim() : "unknown";
}
