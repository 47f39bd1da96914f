import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	chmodSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const scripts = fileURLToPath(new URL("../../scripts", import.meta.url));
const LOCK = '{"lockfileVersion": 3}';

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Scripts in a folder of their own, with these files beside them. */
function place(files: Readonly<Record<string, string>>, ...folders: string[]) {
	folder = mkdtempSync(join(tmpdir(), "segue-build-"));
	cpSync(scripts, join(folder, "scripts"), { recursive: true });
	for (const one of folders) mkdirSync(join(folder, one), { recursive: true });
	for (const [path, text] of Object.entries(files))
		writeFileSync(join(folder, path), text);
}

/** How a build ends of what was built elsewhere, where there is no compiler. */
function buildWith(...placed: Parameters<typeof place>) {
	place(...placed);
	return build();
}

function build() {
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

describe("a start with development dependencies", () => {
	const compiler = "node_modules/.bin/nest";
	const installed = "node_modules/.package-lock.json";
	const at = (path: string, seconds: number) =>
		utimesSync(join(folder, path), seconds, seconds);

	/** A compiler that fails, and a stamp from after everything else. */
	function placeBuilt(): void {
		place(
			{
				[compiler]: "#!/bin/sh\nexit 3\n",
				[installed]: LOCK,
				"dist/.built": "",
			},
			...["node_modules/.bin", "dist/run"],
		);
		chmodSync(join(folder, compiler), 0o755);
		at("dist/.built", Date.now() / 1_000 + 60);
	}

	test("builds nothing where nothing changed", () => {
		placeBuilt();
		expect(build()).toEqual({ status: 0, stderr: "" });
	});

	test("builds again after an install, and is not stamped where that fails", () => {
		placeBuilt();
		at(installed, Date.now() / 1_000 + 120);
		const first = build();
		expect(first.stderr).toMatch(/^Building …\nThe build failed \(3\)/);
		expect(first.status).toBe(1);
		expect(readFileSync(join(folder, "dist/.built"), "utf8")).toBe("");
		expect(build()).toEqual(first);
	});
});
