import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { experiment } from "../support/experiment-file.js";
import { segueCli } from "../support/segue.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
	const path = join(folder, name);
	await writeFile(path, text);
	return path;
}

describe("segue experiments validate", () => {
	async function complaints(name: string, text: string): Promise<string> {
		const path = await file(name, text);
		const { code, stdout, stderr } = await segueCli(
			["experiments", "validate", path],
			{},
		);
		expect(code, stderr).toBe(1);
		expect(stdout).toBe("");
		expect(stderr.startsWith(`${path}: `)).toBe(true);
		return stderr.replaceAll(`${path}: `, "");
	}

	it("names an unknown key with its place and the nearest known one, and every other mistake with it", async () => {
		const text = experiment("prompt")
			.replace("outcomes:", "outcome:")
			.replace("mean: 120", "meen: 120")
			.replace("alpha: 0.5", "alpha: -1");
		const said = await complaints("unknown-keys.yaml", text);
		expect(said).toContain(
			'reward.outcome: Unknown key "outcome": did you mean "outcomes"?',
		);
		expect(said).toContain(
			'context.features[0].meen: Unknown key "meen": did you mean "mean"?',
		);
		expect(said).toContain("policy.alpha: ");
	});

	it("names two arms of one key", async () => {
		const text = experiment("prompt").replace("{ key: b,", "{ key: a,");
		expect(await complaints("twins.yaml", text)).toContain(
			"arms[1].key: arms[0] has the key a too; keys must differ.",
		);
	});

	it("shows line and caret of a rule that does not parse", async () => {
		const text = experiment("prompt").replace(
			'context.device != "speaker"',
			'context.device != = "speaker"',
		);
		const said = await complaints("rule.yaml", text);
		expect(said).toContain("arms[1].eligible: The rule does not parse: ");
		expect(said).toMatch(/1 \| context\.device != = "speaker"\n[ |]+\^/);
	});

	it("says line and column of text that is no YAML", async () => {
		const said = await complaints("broken.yaml", "key: [prompt\nname: x\n");
		expect(said).toMatch(/line \d+, column \d+/);
	});

	it.each([
		["unit", "30m", "90d"],
		["session", "23h", "1d"],
	])(
		"warns where a %s keeps its decision for longer than the window of %s, in which outcomes count",
		async (sticky, window, span) => {
			const text = experiment("prompt").replace(
				"window: 30m",
				`window: ${window}`,
			);
			const path = await file(
				`sticky-${sticky}.yaml`,
				`${text}sticky: ${sticky}\n`,
			);
			const { code, stdout, stderr } = await segueCli(
				["experiments", "validate", path],
				{},
			);
			expect([code, stdout]).toEqual([0, `${path}: prompt is valid, 2 arms\n`]);
			expect(stderr).toBe(
				`${path}: warning: reward.window: ${window} is shorter than the ${span} for which a ${sticky} may get the same decision again: what happens later than ${window} after that decision is late and teaches nothing.\n`,
			);
		},
	);

	it("does not warn where the window is as long as the decision is kept, nor where none is", async () => {
		const long = experiment("long").replace("window: 30m", "window: 24h");
		for (const [name, text] of [
			["sticky-long", `${long}sticky: session\n`],
			["sticky-none", `${experiment("none")}sticky: none\n`],
		] as const) {
			const path = await file(`${name}.yaml`, text);
			const { code, stderr } = await segueCli(
				["experiments", "validate", path],
				{},
			);
			expect([code, stderr]).toEqual([0, ""]);
		}
	});

	it("judges every file of a folder and fails for one bad one", async () => {
		const both = join(folder, "both");
		await mkdir(both);
		await writeFile(join(both, "good.yaml"), experiment("good"));
		await writeFile(join(both, "bad.yaml"), "key: Bad Key\n");
		const { code, stdout, stderr } = await segueCli(
			["experiments", "validate", both],
			{},
		);
		expect(code).toBe(1);
		expect(stdout).toBe(`${join(both, "good.yaml")}: good is valid, 2 arms\n`);
		expect(stderr).toContain(`${join(both, "bad.yaml")}: key: `);
	});

	it("names two files of one experiment, since applying both would make it what the last says", async () => {
		const twins = join(folder, "twins");
		await mkdir(twins);
		for (const name of ["a.yaml", "b.yaml"])
			await writeFile(join(twins, name), experiment("twin"));
		const { code, stderr } = await segueCli(
			["experiments", "validate", twins],
			{},
		);
		expect(code).toBe(1);
		expect(stderr).toBe(
			`${join(twins, "b.yaml")}: key: ${join(twins, "a.yaml")} has the key "twin" too: give each experiment one file, or name only the file that is meant.\n`,
		);
	});

	it("finds the experiments of this repository valid", async () => {
		const { code, stdout, stderr } = await segueCli(
			["experiments", "validate", join(root, "experiments")],
			{},
		);
		expect([code, stderr]).toEqual([0, ""]);
		expect(stdout).toContain(
			"genre-prompt.yaml: genre-prompt is valid, 8 arms",
		);
		expect(stdout).toContain("mood-playlist.yaml: mood-playlist is valid");
	});

	it("says which path does not exist", async () => {
		const path = join(folder, "nowhere.yaml");
		const { code, stderr } = await segueCli(
			["experiments", "validate", path],
			{},
		);
		expect([code, stderr]).toEqual([
			2,
			`There is no file or folder ${path}.\n`,
		]);
	});
});

describe("segue without an instance", () => {
	it.each([
		["replay", "--json"],
		["experiments", "plan", join(root, "experiments")],
		["experiments", "apply", join(root, "experiments")],
	])(
		"%s %s: ends with 2 and one sentence that says how to mend it",
		async (...args) => {
			const { code, stdout, stderr } = await segueCli(args, {
				SEGUE_DATA: folder,
			});
			expect([code, stdout]).toEqual([2, ""]);
			expect(stderr).toBe(
				`No Segue runs on ${folder}: start it with npm start, or set SEGUE_DATA to its data folder, or DATABASE_URL to its database.\n`,
			);
		},
	);
});

describe("segue --help", () => {
	it.each([
		[["--help"], ["experiments", "replay"]],
		[
			["experiments", "--help"],
			["validate", "plan", "apply"],
		],
		[
			["experiments", "apply", "--help"],
			["--start", "--why", "--actor"],
		],
		[
			["replay", "--help"],
			["--json", "--experiment"],
		],
	])("%j prints usage", async (args, words) => {
		const { code, stdout } = await segueCli(args, {});
		expect(code).toBe(0);
		expect(stdout).toMatch(/^Usage: segue/);
		for (const word of words) expect(stdout).toContain(word);
	});

	it("is pointed to by a command that does not exist, which is an error", async () => {
		const { code, stderr } = await segueCli(["experiments", "aply"], {});
		expect(code).not.toBe(0);
		expect(stderr).toContain("Did you mean apply?");
	});
});
