import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Once before the tests that run the built apps: builds dist where it is missing or old. */
export function setup(): void {
	const script = fileURLToPath(
		new URL("../../scripts/build.mjs", import.meta.url),
	);
	const { status } = spawnSync(process.execPath, [script], {
		stdio: "inherit",
	});
	if (status !== 0)
		throw new Error(
			"The apps do not build, so the tests that run them cannot.",
		);
}
