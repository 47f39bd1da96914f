import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(
	new URL("../../../../scripts/build-kernel.mjs", import.meta.url),
);

test("the kernel's bytes are what its source compiles to", () => {
	const { status, stderr } = spawnSync("node", [script, "--check"], {
		encoding: "utf8",
	});
	expect(`${status} ${stderr}`).toBe("0 ");
});
