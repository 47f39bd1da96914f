import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handOver, postgresUser } from "./postgres-user.js";

const isRoot = process.getuid?.() === 0;
const nothingWorks = async () => false;
const only = (name: string) => async (prefix: readonly string[]) =>
	prefix[0] === name;

let open: string;
let closed: string;
beforeAll(async () => {
	// Of this run's folder we know nothing: it is opened as far as the test's own folders.
	open = await mkdtemp("/tmp/segue-open-");
	await chmod(open, 0o755);
	closed = join(open, "closed");
	await mkdir(join(closed, "data"), { recursive: true });
	await chmod(closed, 0o700);
});
afterAll(() => rm(open, { recursive: true, force: true }));

describe.runIf(!isRoot)("postgresUser for a user", () => {
	it("is that user", async () => {
		const user = await postgresUser("/bin", open);
		expect(user).toMatchObject({ prefix: [], as: null });
	});
});

describe.runIf(isRoot)("postgresUser for root", () => {
	it("is another user in a namespace, where the data stays ours", async () => {
		const user = await postgresUser("/bin", closed, only("unshare"));
		expect(user).toMatchObject({ as: null, owner: { uid: 0 } });
		expect(user.prefix).toContain("--map-user=1000");
	});

	it("is nobody where namespaces are not allowed and nobody can enter", async () => {
		const user = await postgresUser("/bin", open, nothingWorks);
		expect(user.prefix).toEqual([]);
		expect(user.as?.uid).toBeGreaterThan(0);
		expect(user.owner).toEqual(user.as);
	});

	it("is nobody with the privilege of passing where a folder is closed", async () => {
		const data = join(closed, "data");
		const user = await postgresUser("/bin", data, only("setpriv"));
		expect(user).toMatchObject({ as: null });
		expect(user.owner.uid).toBeGreaterThan(0);
		expect(user.prefix).toContain(`--reuid=${user.owner.uid}`);
	});

	it("says which folder is closed where nothing opens it", async () => {
		const data = join(closed, "data");
		await expect(postgresUser("/bin", data, nothingWorks)).rejects.toThrow(
			`cannot enter the folder ${closed}. Allow that (chmod o+x ${closed})`,
		);
	});

	it("hands data over to whom PostgreSQL runs as now, and back", async () => {
		const data = join(open, "data");
		await mkdir(join(data, "base"), { recursive: true });
		await writeFile(join(data, "base", "1"), "");
		const owners = async () =>
			Promise.all(
				[data, join(data, "base"), join(data, "base", "1")].map(
					async (path) => (await stat(path)).uid,
				),
			);
		const nobody = await postgresUser("/bin", open, nothingWorks);
		await handOver(data, nobody);
		const { uid } = nobody.owner;
		expect(await owners()).toEqual([uid, uid, uid]);
		await handOver(data, await postgresUser("/bin", open, only("unshare")));
		expect(await owners()).toEqual([0, 0, 0]);
	});
});
