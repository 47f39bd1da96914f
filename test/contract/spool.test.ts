import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	truncate,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemorySpool } from "#adapters/memory";
import { openSpool, type SpoolOptions } from "#adapters/spool";
import type { Spool } from "#usecases/ingesting";
import { eventually } from "./eventually.js";
import { allOf, entry, ids, spoolSuite } from "./spool.suite.js";

let folder: string;
let opened: Spool[] = [];
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-spool-"));
});
afterEach(async () => {
	for (const spool of opened) await spool.close();
	opened = [];
	await rm(folder, { recursive: true, force: true });
});

async function open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
	const spool = await openSpool({ folder, ...options });
	opened.push(spool);
	return spool;
}

spoolSuite("Memory", async () => ({
	open: async (maxBytes) => new MemorySpool(maxBytes),
	stop: async () => {},
}));

for (const sync of [false, true]) {
	spoolSuite(sync ? "Synced file" : "File", async () => {
		const own = await mkdtemp(join(tmpdir(), "segue-spool-"));
		let spool: Spool | null = null;
		return {
			open: async (maxBytes) => {
				await spool?.close();
				spool = await openSpool({ folder: own, maxBytes, sync });
				return spool;
			},
			stop: async () => {
				await spool?.close();
				await rm(own, { recursive: true, force: true });
			},
		};
	});
}

const segments = async () =>
	(await readdir(folder)).filter((file) => file.endsWith(".spool")).sort();

/** The lock of a process that was killed: nobody has this pid. */
async function leaveLock(): Promise<void> {
	await writeFile(
		join(folder, "lock"),
		JSON.stringify({ pid: 2 ** 22 + 1, started: "1" }),
	);
}

test("what was appended and not dropped is there after a restart", async () => {
	const before = await openSpool({ folder });
	for (const id of ["a", "b", "c"]) await before.append(entry(id));
	await before.drop(1);
	await before.close();
	const after = await open();
	expect(ids(await allOf(after))).toEqual(["b", "c"]);
	await after.append(entry("d"));
	expect(ids(await after.peek(10))).toEqual(["b", "c", "d"]);
});

test("drained files are deleted, across restarts too", async () => {
	const before = await openSpool({ folder, maxBytes: 80_000 });
	for (let index = 0; index < 60; index += 1)
		await before.append(entry(`m${index}`, 1_000));
	expect((await segments()).length).toBeGreaterThan(3);
	await before.drop(30);
	await before.close();
	const after = await open({ maxBytes: 80_000 });
	expect(ids(await after.peek(1))).toEqual(["m30"]);
	await after.drop(30);
	expect(await segments()).toEqual([]);
	await after.append(entry("next"));
	expect(ids(await allOf(after))).toEqual(["next"]);
});

test("a torn end is cut at the open at every length it may have, and the entries before it are kept", async () => {
	const first = await openSpool({ folder });
	await first.append(entry("kept"));
	const whole = first.size;
	await first.append(entry("torn", 50));
	const size = first.size;
	await first.close();
	const [file = ""] = await segments();
	const path = join(folder, file);
	const bytes = await readFile(path);
	for (let length = size - 1; length > whole; length -= 7) {
		await writeFile(path, bytes.subarray(0, length));
		const spool = await openSpool({ folder });
		expect(ids(await allOf(spool))).toEqual(["kept"]);
		await spool.close();
		expect((await stat(path)).size).toBe(whole);
	}
	const spool = await open();
	await spool.append(entry("new"));
	expect(ids(await allOf(spool))).toEqual(["kept", "new"]);
});

test("damaged bytes are set aside and told, and the entries before them are kept", async () => {
	const first = await openSpool({ folder });
	await first.append(entry("kept"));
	const whole = first.size;
	await first.append(entry("damaged", 50));
	await first.append(entry("behind the damage", 50));
	await first.close();
	const [file = ""] = await segments();
	const bytes = await readFile(join(folder, file));
	bytes.writeUInt8(bytes.readUInt8(whole + 30) ^ 1, whole + 30);
	await writeFile(join(folder, file), bytes);
	const told: string[] = [];
	const spool = await open({ onDamage: (keptIn) => told.push(keptIn) });
	expect(ids(await allOf(spool))).toEqual(["kept"]);
	expect(told.length).toBe(1);
	expect(await readFile(told[0] ?? "")).toEqual(bytes.subarray(whole));
});

test("a tail of zeros, as a power cut leaves it, is not taken for entries", async () => {
	const first = await openSpool({ folder });
	await first.append(entry("kept"));
	const whole = first.size;
	await first.close();
	const [file = ""] = await segments();
	await truncate(join(folder, file), whole + 4_096);
	const spool = await open();
	expect(ids(await allOf(spool))).toEqual(["kept"]);
});

test("a lost or nonsensical place of reading means reading again, never skipping", async () => {
	const place = join(folder, "position");
	const first = await openSpool({ folder });
	for (const id of ["a", "b", "c"]) await first.append(entry(id));
	await first.drop(1);
	await first.close();
	for (const text of [
		"",
		"{",
		'{"segment":1,"offset":3}',
		'{"segment":0,"offset":9}',
	]) {
		await writeFile(place, text);
		const spool = await openSpool({ folder });
		expect(ids(await allOf(spool))).toEqual(["a", "b", "c"]);
		await spool.close();
	}
});

test("a second opener is refused while the first lives, and the lock of a dead one is taken over", async () => {
	const first = await open();
	await expect(openSpool({ folder })).rejects.toThrow(/in use by process/);
	await first.close();
	await leaveLock();
	const second = await open();
	await second.append(entry("a"));
	expect(ids(await second.peek(1))).toEqual(["a"]);
});

test("every append that a killed process had answered is there, in order, whole", async () => {
	const program = await compileWriter();
	const child = spawn(process.execPath, [program, folder], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let said = "";
	child.stdout.on("data", (text: Buffer) => {
		said += text.toString();
	});
	await eventually(() => expect(said.split("\n").length).toBeGreaterThan(50));
	child.kill("SIGKILL");
	await once(child, "close");
	const answered = said
		.split("\n")
		.slice(0, -1)
		.flatMap((round) => [0, 1, 2].map((part) => `${round}.${part}`));
	const spool = await open();
	const found = ids(await allOf(spool));
	expect(found.slice(0, answered.length)).toEqual(answered);
	expect(spool.count).toBe(found.length);
});

/** The spool compiled into a folder, with a program that appends three entries at a time and says so when they are kept. */
async function compileWriter(): Promise<string> {
	const out = join(folder, "writer");
	await mkdir(out);
	const spoolSource = "libs/adapters/spool/src";
	const files = (await readdir(spoolSource))
		.filter((file) => file.endsWith(".ts"))
		.map((file) => join(spoolSource, file));
	for (const file of [...files, "libs/usecases/ingesting/src/ports.ts"]) {
		const { outputText } = ts.transpileModule(await readFile(file, "utf8"), {
			compilerOptions: {
				module: ts.ModuleKind.ESNext,
				target: ts.ScriptTarget.ES2022,
				verbatimModuleSyntax: true,
			},
		});
		await writeFile(join(out, basename(file).replace(/ts$/, "js")), outputText);
	}
	await writeFile(
		join(out, "package.json"),
		JSON.stringify({
			type: "module",
			imports: { "#usecases/ingesting": "./ports.js" },
		}),
	);
	await writeFile(
		join(out, "writer.js"),
		`import { openSpool } from "./index.js";
		const spool = await openSpool({ folder: process.argv[2], maxBytes: 1e9 });
		for (let round = 0; ; round += 1) {
			await Promise.all([0, 1, 2].map((part) =>
				spool.append({ subject: "s", messageId: round + "." + part, body: new Uint8Array(700) })));
			process.stdout.write(round + "\\n");
		}`,
	);
	return join(out, "writer.js");
}
