import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { variables } from "#adapters/config";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** A marked code block: `run` and `event` are shell, `file NAME` is written, `answer` and `excerpt` are what the block before prints. */
interface Block {
	readonly marker: string;
	readonly text: string;
}

const blocks: readonly Block[] = [
	...readme.matchAll(/<!-- readme-test: (.+?) -->\n```\w+\n([\s\S]*?)^```$/gm),
].map(([, marker = "", text = ""]) => ({ marker, text }));

/** Shown values that do not depend on chance, so they must come back as they are shown. */
const EXACT = new Set([
	"experiment",
	"version",
	"state",
	"accepted",
	"exposed",
	"reward",
	"verdict",
	"id",
	"type",
	"kind",
	"observation",
]);

/** Where `got` is not what README shows: keys (all of them, or for an excerpt at least those), types, and what EXACT names. */
function differences(
	shown: unknown,
	got: unknown,
	whole: boolean,
	path = "answer",
): string[] {
	if (Array.isArray(shown)) {
		if (!Array.isArray(got)) return [`${path} is no list`];
		if (shown.length !== got.length)
			return [`${path} has ${got.length} entries, shown are ${shown.length}`];
		return shown.flatMap((item, i) =>
			differences(item, got[i], whole, `${path}[${i}]`),
		);
	}
	if (typeof shown === "object" && shown !== null) {
		if (typeof got !== "object" || got === null) return [`${path} is ${got}`];
		const had = Object.keys(got);
		const missing = Object.keys(shown).filter((key) => !had.includes(key));
		const extra = had.filter((key) => whole && !(key in shown));
		return [
			...missing.map((key) => `${path}.${key} does not come back`),
			...extra.map((key) => `${path}.${key} comes back but is not shown`),
			...Object.entries(shown).flatMap(([key, value]) => {
				const back = (got as Record<string, unknown>)[key];
				// Payloads are the client's own; which arm is drawn is chance.
				if (key === "payload" || back === undefined) return [];
				if (EXACT.has(key) && back !== value)
					return [`${path}.${key} is ${back}, shown is ${value}`];
				return differences(value, back, whole, `${path}.${key}`);
			}),
		];
	}
	// What is withheld for want of data comes back as null.
	if (got === null && !whole) return [];
	return typeof got === typeof shown
		? []
		: [`${path} is a ${typeof got}, shown is a ${typeof shown}`];
}

const curl = spawnSync("curl", ["--version"]).status === 0;

describe.skipIf(!curl)("README's commands, run as written (needs curl)", () => {
	let instance: Instance;
	let folder: string;
	let decisionId = "";

	beforeAll(async () => {
		instance = await startSegue();
		folder = await mkdtemp(join(tmpdir(), "segue-readme-"));
	});
	afterAll(async () => {
		await instance?.stop();
		await rm(folder, { recursive: true, force: true });
	});

	async function shell(text: string): Promise<string> {
		const command = text
			.replaceAll("127.0.0.1:8080", new URL(instance.url).host)
			.replaceAll(
				"npx segue",
				`'${process.execPath}' '${join(root, "dist/run/cli.js")}'`,
			)
			.replaceAll("NOW", new Date().toISOString())
			.replaceAll("DECISION", decisionId);
		const child = spawn("sh", ["-ec", command], {
			cwd: folder,
			env: {
				PATH: process.env.PATH,
				HOME: process.env.HOME,
				SEGUE_DATA: instance.folder,
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		let printed = "";
		let complaints = "";
		child.stdout.on("data", (chunk: Buffer) => {
			printed += chunk.toString();
		});
		child.stderr.on("data", (chunk: Buffer) => {
			complaints += chunk.toString();
		});
		const code = await new Promise((resolve) => child.once("close", resolve));
		expect(code, `${command}\n${printed}\n${complaints}`).toBe(0);
		return printed;
	}

	/** Runs a block until it prints what is shown: an experiment is obeyed within 2 s, an event is learned a moment later. */
	async function runUntilShown(
		text: string,
		{ marker, text: shown }: Block,
	): Promise<void> {
		let last: string[] = [];
		let printed = "";
		await waitFor(
			async () => {
				printed = await shell(text);
				const got = JSON.parse(printed);
				last = differences(JSON.parse(shown), got, marker === "answer");
				if (last.length === 0 && got.decisionId) decisionId = got.decisionId;
				return last.length === 0;
			},
			30_000,
			() =>
				`What comes back is not what README shows:\n${last.join("\n")}\n${text}\n${printed}`,
		);
	}

	it("do what README says, and what comes back is what it shows", async () => {
		let csv = "";
		for (const [i, { marker, text }] of blocks.entries()) {
			const [kind, name] = marker.split(" ");
			const next = blocks[i + 1];
			if (kind === "file") await writeFile(join(folder, name ?? ""), text);
			else if (kind === "answer" || kind === "excerpt")
				expect(blocks[i - 1]?.marker).toMatch(/^(run|event)$/);
			else if (next && /^(answer|excerpt)$/.test(next.marker))
				await runUntilShown(text, next);
			else if (text.includes("format=csv")) csv = await shell(text);
			else expect(await shell(text)).not.toBe("");
		}
		expect(decisionId).toMatch(/^[0-9a-f-]{36}$/);
		for (const arm of ["focus", "energy"])
			expect(csv).toMatch(new RegExp(`^morning-prompt,1,.*\\b${arm}\\b`, "m"));
	});

	it("has a block of each kind, so that none was lost by a slip in a marker", () => {
		expect(blocks.map(({ marker }) => marker.split(" ")[0])).toEqual([
			"file",
			"run",
			"run",
			"excerpt",
			"run",
			"run",
			"run",
			"answer",
			"event",
			"answer",
			"run",
			"excerpt",
			"run",
		]);
		expect(blocks).toHaveLength(readme.split("<!-- readme-test:").length - 1);
	});
});

/** Markdown that people read first, each with its text. */
const documents = [
	"README.md",
	"CONTRIBUTING.md",
	"CHANGELOG.md",
	"experiments/README.md",
	"dashboards/README.md",
	...readdirSync(join(root, "docs"), { recursive: true })
		.map((name) => `docs/${name}`)
		.filter((name) => name.endsWith(".md")),
].map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

describe("README and docs", () => {
	it("link only to files and folders that exist", () => {
		const dead = documents.flatMap(({ name, text }) =>
			[...text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)]
				.map(([, target = ""]) => target)
				.filter((target) => !/^https?:/.test(target))
				.filter((target) => !existsSync(join(root, dirname(name), target)))
				.map((target) => `${name} links to ${target}`),
		);
		expect(dead).toEqual([]);
	});

	it("name only files and folders of the repository that exist", () => {
		const path =
			/`((?:libs|apps|test|docs|migrations|experiments|dashboards|scripts)(?:\/[\w.-]+)*\/?)`/g;
		const dead = documents.flatMap(({ name, text }) =>
			[...text.matchAll(path)]
				.map(([, target = ""]) => target)
				.filter((target) => !existsSync(join(root, target)))
				.map((target) => `${name} names ${target}`),
		);
		expect(dead).toEqual([]);
	});

	it("name only npm scripts that exist", () => {
		const { scripts } = JSON.parse(
			readFileSync(join(root, "package.json"), "utf8"),
		) as { scripts: Record<string, string> };
		const named = documents.flatMap(({ text }) =>
			[...text.matchAll(/npm (?:run ([\w:-]+)|(test|start)\b)/g)].map(
				([, run, short]) => run ?? short ?? "",
			),
		);
		expect(new Set(named).size).toBeGreaterThan(3);
		for (const name of named) expect(Object.keys(scripts)).toContain(name);
	});

	it("give the environment variables that are read, in their order, with their defaults", () => {
		const rows = [
			...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.+?) \|$/gm),
		].map(([, name, fallback, meaning]) => ({ name, fallback, meaning }));
		expect(rows.map(({ name }) => name)).toEqual(
			variables.map(({ name }) => name),
		);
		for (const { name, fallback } of variables)
			if (fallback !== null)
				expect(rows).toContainEqual(
					expect.objectContaining({ name, fallback: `\`${fallback}\`` }),
				);
	});
});

describe("docs/glossary.md", () => {
	it("names a file, folder or table that exists for each word", () => {
		const glossary = readFileSync(join(root, "docs/glossary.md"), "utf8");
		const sources = ["libs", "apps", "migrations"].flatMap((folder) =>
			readdirSync(join(root, folder), { recursive: true }).map(String),
		);
		const tables = readdirSync(join(root, "migrations"))
			.map((name) => readFileSync(join(root, "migrations", name), "utf8"))
			.join("\n");
		const places = [...glossary.matchAll(/^\|.*\| `([^`|]+)` \|$/gm)].map(
			([, place = ""]) => place,
		);
		expect(places.length).toBeGreaterThan(20);
		const nowhere = places.filter((place) => {
			if (place.includes("/")) return !existsSync(join(root, place));
			if (place.endsWith(".ts"))
				return !sources.some((source) => source.endsWith(`/${place}`));
			return !tables.includes(`create table ${place} (`);
		});
		expect(nowhere).toEqual([]);
	});
});
