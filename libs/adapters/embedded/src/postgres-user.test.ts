import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { postgresUser } from "./postgres-user.js";

const isRoot = process.getuid?.() === 0;
const notAllowed = async () => false;

describe("postgresUser", () => {
	it.runIf(!isRoot)("is the user that runs Segue", async () => {
		expect(await postgresUser("/bin", "/tmp")).toEqual({
			prefix: [],
			as: null,
		});
	});

	it.runIf(isRoot)(
		"is another user in a namespace of its own where we are root",
		async () => {
			const user = await postgresUser("/bin", "/tmp", async () => true);
			expect(user.as).toBeNull();
			expect(user.prefix).toContain("--map-user=1000");
		},
	);

	it.runIf(isRoot)(
		"is nobody where namespaces are not allowed, if nobody can enter the folders",
		async () => {
			const user = await postgresUser("/bin", "/tmp", notAllowed);
			expect(user.prefix).toEqual([]);
			expect(user.as?.uid).toBeGreaterThan(0);
		},
	);

	it.runIf(isRoot)(
		"names the outermost folder that nobody cannot enter",
		async () => {
			const home = await mkdtemp(join(tmpdir(), "segue-closed-"));
			await chmod(home, 0o700);
			const data = join(home, "data");
			await mkdir(data, { mode: 0o755 });
			await expect(postgresUser("/bin", data, notAllowed)).rejects.toThrow(
				`cannot enter the folder ${home}. Allow that (chmod o+x ${home})`,
			);
			await rm(home, { recursive: true });
		},
	);
});
