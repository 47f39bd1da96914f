import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimDataFolder, DataFolderInUse } from "./data-folder.js";
import { startOf } from "./process-table.js";

let home: string;
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), "segue-claim-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const OTHER = "segue-00000000-0000-4000-8000-000000000000.pid";

/** What another process left or holds. */
function claimOf(pid: number, start: string | null): Promise<void> {
	return writeFile(join(home, OTHER), JSON.stringify({ pid, start }));
}

async function endedProcess(): Promise<number> {
	const child = spawn("true");
	await once(child, "exit");
	return child.pid as number;
}

describe("claimDataFolder", () => {
	it("makes a folder that only its owner can enter", async () => {
		const folder = join(home, "deep", "data");
		const claim = await claimDataFolder(folder);
		expect((await stat(folder)).mode & 0o777).toBe(0o700);
		expect(claim.folder).toBe(folder);
		await claim.release();
	});

	it("refuses a second claim with a sentence that names folder and process", async () => {
		const claim = await claimDataFolder(home);
		const refused = claimDataFolder(home);
		await expect(refused).rejects.toBeInstanceOf(DataFolderInUse);
		await expect(refused).rejects.toThrow(
			`The data folder ${home} is in use by process ${process.pid}.`,
		);
		await claim.release();
		await (await claimDataFolder(home)).release();
	});

	it("respects the claim of another living process", async () => {
		await claimOf(process.ppid, await startOf(process.ppid));
		await expect(claimDataFolder(home)).rejects.toThrow(
			`process ${process.ppid}`,
		);
	});

	it("takes a claim whose process has ended", async () => {
		await claimOf(await endedProcess(), "some start");
		const claim = await claimDataFolder(home);
		expect(await readdir(home)).not.toContain(OTHER);
		await claim.release();
		expect(await readdir(home)).toEqual([]);
	});

	it("takes a claim whose process id now belongs to another process", async () => {
		await claimOf(process.ppid, "started before this machine did");
		await (await claimDataFolder(home)).release();
	});

	it("takes a claim that cannot be read", async () => {
		await writeFile(join(home, OTHER), "{");
		await (await claimDataFolder(home)).release();
	});

	it("gives a folder to at most one of many that ask at once", async () => {
		await claimOf(await endedProcess(), "some start");
		const asked = await Promise.allSettled(
			Array.from({ length: 20 }, () => claimDataFolder(home)),
		);
		const given = asked.filter(({ status }) => status === "fulfilled");
		expect(given.length).toBeLessThanOrEqual(1);
	});

	it("gives a folder to one of two that ask at once", async () => {
		const asked = await Promise.allSettled([
			claimDataFolder(home),
			claimDataFolder(home),
		]);
		expect(asked.map(({ status }) => status).sort()).toEqual([
			"fulfilled",
			"rejected",
		]);
	});
});
