import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Kills every process that names a folder below `folder` in its command line or environment: what
 * failed tests left running. Built apps first, since they would start their servers again.
 */
export function stopServersBelow(folder: string): void {
	const listed = execFileSync("ps", ["-A", "-o", "pid=,args="], {
		encoding: "utf8",
		maxBuffer: 16 * 1_048_576,
	});
	const found = listed.split("\n").flatMap((line) => {
		const [, pid, args] = line.match(/^\s*(\d+)\s+(.*)$/) ?? [];
		if (!pid || !args || Number(pid) === process.pid) return [];
		const isApp =
			args.includes("/dist/run/") && environmentOf(pid).includes(`${folder}/`);
		const isServer = args.includes(`${folder}/`);
		return isApp || isServer ? [{ pid: Number(pid), args, isApp }] : [];
	});
	found.sort((a, b) => Number(b.isApp) - Number(a.isApp));
	for (const { pid, args } of found) {
		console.error(`A test left process ${pid} running: ${args.slice(0, 160)}`);
		try {
			process.kill(pid, "SIGKILL");
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
		}
	}
}

/** Empty where the system does not show it. */
function environmentOf(pid: string): string {
	try {
		return readFileSync(`/proc/${pid}/environ`, "utf8");
	} catch {
		return "";
	}
}
