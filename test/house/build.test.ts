import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const scripts = fileURLToPath(new URL("../../scripts", import.meta.url));
const LOCK = '{"lockfileVersion": 3}';

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What was built elsewhere, brought to where there is no compiler; says how a build there ends. */
function buildWith(
	files: Readonly<Record<string, string>>,
	...folders: string[]
) {
	folder = mkdtempSync(join(tmpdir(), "segue-build-"));
	cpSync(scripts, join(folder, "scripts"), { recursive: true });
	for (const one of folders) mkdirSync(join(folder, one), { recursive: true });
	for (const [path, text] of Object.entries(files))
		writeFileSync(join(folder, path), text);
	const { status, stderr } = spawnSync(
		process.execPath,
		[join(folder, "scripts/build.mjs")],
		{ encoding: "utf8" },
	);
	return { status, stderr };
}

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a start without development dependencies", () => {
	test("runs what was bundled under the same lock, or came without one", () => {
		const same = { "dist/.built": hash(LOCK), "package-lock.json": LOCK };
		expect(buildWith(same, "dist/run")).toEqual({ status: 0, stderr: "" });
		rmSync(folder, { recursive: true });
		const published = { "dist/.built": hash(LOCK) };
		expect(buildWith(published, "dist/run").status).toBe(0);
	});

	test("does not run other packages than the lock names", () => {
		const other = { "dist/.built": hash("{}"), "package-lock.json": LOCK };
		const { status, stderr } = buildWith(other, "dist/run");
		expect(stderr).toMatch(/^dist was bundled with other packages/);
		expect(status).toBe(1);
	});

	test("says what to do where nothing was bundled", () => {
		const { status, stderr } = buildWith({}, "dist");
		expect(stderr).toMatch(/^There is no dist .*: run npm ci/);
		expect(status).toBe(1);
	});
});
