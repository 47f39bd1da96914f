import { execFileSync } from "node:child_process";
import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface SmallDisk {
	/** Takes all room but so many bytes. */
	fill(leave: number): Promise<void>;
	/** Gives that room back. */
	empty(): Promise<void>;
	free(): Promise<number>;
	remove(): Promise<void>;
}

/** A file system in memory at `folder`, emptied before; a sentence where mounting is not allowed. */
export async function mountSmallDisk(
	folder: string,
	megabytes: number,
): Promise<SmallDisk | string> {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true });
	try {
		execFileSync(
			"mount",
			["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder],
			{ stdio: "ignore" },
		);
	} catch {
		return "Mounting is not allowed here, so there is no small disk to fill.";
	}
	const ballast = join(folder, "ballast");
	const free = async () => {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize;
	};
	return {
		fill: async (leave) => {
			const bytes = (await free()) - leave;
			// A server that writes meanwhile has taken some of it: then it is full.
			await writeFile(ballast, new Uint8Array(bytes)).catch((error) => {
				if (error.code !== "ENOSPC") throw error;
			});
		},
		empty: () => rm(ballast),
		free,
		// Lazy: a server may still have files open there.
		remove: async () => {
			execFileSync("umount", ["--lazy", folder]);
		},
	};
}
