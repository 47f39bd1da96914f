import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { NO_CONSENT, purposeProblem } from "#core/privacy";
import { readPrivacy } from "./read-privacy.js";

const shipped = fileURLToPath(new URL("../../../../privacy", import.meta.url));

describe("the privacy files that are shipped", () => {
	it("ask for a yes wherever no other rules are known, and take it as it is", async () => {
		const read = await readPrivacy(shipped);
		if (!read.ok) throw new Error(read.problems.join("\n"));
		for (const purpose of ["personalization", "location", "device"]) {
			const said = (answers: { [purpose: string]: boolean }) =>
				purposeProblem(read.policy, { ...NO_CONSENT, answers }, purpose);
			expect(said({})).toBe("not given");
			expect(said({ [purpose]: false })).toBe("refused");
			expect(said({ [purpose]: true })).toBeNull();
		}
	});
});

describe("a folder of privacy files", () => {
	it("that is not there, or has none, is refused with what to do", async () => {
		const folder = await mkdtemp(join(tmpdir(), "segue-privacy-"));
		await writeFile(join(folder, "notes.txt"), "not YAML");
		const none = await readPrivacy(folder);
		const away = await readPrivacy(join(folder, "away"));
		await rm(folder, { recursive: true });
		for (const read of [none, away])
			expect(read).toMatchObject({
				ok: false,
				problems: [expect.stringContaining("set SEGUE_PRIVACY to a folder")],
			});
	});
});
