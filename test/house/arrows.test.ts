import { spawnSync } from "node:child_process";
import {
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./sources.js";

/** A small house that obeys; the breaches are added to it. */
const sound: Record<string, string> = {
	"libs/core/log/src/index.ts": "export const log = 1;",
	"libs/core/policy/src/index.ts":
		'export { draw } from "./draw.js";\nexport type { Later } from "./later.js";',
	"libs/core/policy/src/draw.ts":
		'import { log } from "#core/log";\nexport const draw = log;',
	"libs/core/policy/src/later.ts":
		'import type { draw } from "./index.js";\nexport type Later = typeof draw;',
	"libs/usecases/deciding/src/index.ts":
		'import { draw } from "#core/policy";\nexport const decide = draw;',
	"libs/adapters/spool/src/index.ts":
		'import { open } from "node:fs";\nimport { decide } from "#usecases/deciding";\nexport const spool = [open, decide];',
	"libs/adapters/stream/src/index.ts": "export const stream = 1;",
	"libs/api/src/index.ts":
		'import { decide } from "#usecases/deciding";\nexport const api = decide;',
	"libs/client/src/index.ts": "export const client = 1;",
	"apps/segue/src/main.ts":
		'import { spool } from "#adapters/spool";\nimport { api } from "#api";\nexport const main = [spool, api];',
};

/** What each rule must find: the file that breaks it, and what it says. */
interface Breach {
	readonly rule: string;
	readonly of: string;
	readonly file: string;
	readonly says: string;
}

const breaches: readonly Breach[] = [
	{
		rule: "no-cycles",
		of: "two files of a lib that need each other",
		file: "libs/core/log/src/egg.ts",
		says: 'import { hen } from "./hen.js";\nexport const egg = () => hen;',
	},
	{
		rule: "no-cycles",
		of: "two libs that need each other",
		file: "libs/core/left/src/index.ts",
		says: 'import { right } from "#core/right";\nexport const left = () => right;',
	},
	{
		rule: "found",
		of: "an import that leads nowhere",
		file: "libs/core/log/src/nowhere.ts",
		says: 'import "#core/nothing";',
	},
	{
		rule: "core-is-pure",
		of: "node:fs in the core",
		file: "libs/core/log/src/file.ts",
		says: 'import "node:fs";',
	},
	{
		rule: "core-is-pure",
		of: "a package in the core that is not on the list",
		file: "libs/core/log/src/package.ts",
		says: 'import "pino";',
	},
	{
		rule: "core-is-pure",
		of: "a use case in the core",
		file: "libs/core/log/src/usecase.ts",
		says: 'import "#usecases/deciding";',
	},
	{
		rule: "usecases-know-only-core",
		of: "an adapter in a use case",
		file: "libs/usecases/deciding/src/adapter.ts",
		says: 'import "#adapters/stream";',
	},
	{
		rule: "usecases-know-only-core",
		of: "the type of an adapter in a use case",
		file: "libs/usecases/deciding/src/type.ts",
		says: 'import type { stream } from "#adapters/stream";\nexport type S = typeof stream;',
	},
	{
		rule: "usecases-know-only-core",
		of: "pg in a use case",
		file: "libs/usecases/deciding/src/database.ts",
		says: 'import "pg";',
	},
	{
		rule: "usecases-know-only-core",
		of: "Nest in a use case",
		file: "libs/usecases/deciding/src/nest.ts",
		says: 'import "@nestjs/common";',
	},
	{
		rule: "adapters-never-meet",
		of: "one adapter in another",
		file: "libs/adapters/spool/src/adapter.ts",
		says: 'import "#adapters/stream";',
	},
	{
		rule: "adapters-never-meet",
		of: "the api in an adapter",
		file: "libs/adapters/spool/src/api.ts",
		says: 'import "#api";',
	},
	{
		rule: "api-parses-calls-answers",
		of: "an adapter in the api",
		file: "libs/api/src/adapter.ts",
		says: 'import "#adapters/stream";',
	},
	{
		rule: "client-stands-alone",
		of: "a core type in the client",
		file: "libs/client/src/core.ts",
		says: 'import type { log } from "#core/log";\nexport type L = typeof log;',
	},
	{
		rule: "client-stands-alone",
		of: "a package in the client",
		file: "libs/client/src/package.ts",
		says: 'import "zod";',
	},
	{
		rule: "one-door-between-libs",
		of: "the inner file of a neighbour on the same floor",
		file: "libs/core/log/src/neighbour.ts",
		says: 'import "../../policy/src/draw.js";',
	},
	{
		rule: "one-door-between-libs",
		of: "an inner file of another floor",
		file: "libs/api/src/inner.ts",
		says: 'import "../../core/policy/src/draw.js";',
	},
	{
		rule: "one-door-from-outside",
		of: "a lib's inner file in an app",
		file: "apps/segue/src/inner.ts",
		says: 'import "../../../libs/core/policy/src/draw.js";',
	},
	{
		rule: "tests-are-not-shipped",
		of: "a test's file in what is built",
		file: "libs/core/log/src/tested.ts",
		says: 'import "../test/builder.js";',
	},
	{
		rule: "nothing-above-apps",
		of: "an app in a lib",
		file: "libs/usecases/deciding/src/app.ts",
		says: 'import "../../../../apps/segue/src/main.js";',
	},
];

/** What the breaches lead to. */
const besides: Record<string, string> = {
	"libs/core/log/src/hen.ts":
		'import { egg } from "./egg.js";\nexport const hen = () => egg;',
	"libs/core/right/src/index.ts":
		'import { left } from "#core/left";\nexport const right = () => left;',
	"libs/core/log/test/builder.ts": "export const built = 1;",
};

const CONFIG = ".dependency-cruiser.cjs";
const houses: string[] = [];
afterAll(() => {
	for (const house of houses) rmSync(house, { recursive: true });
});

/** What is found in a house of these files, as `rule: file`. */
function breachesIn(files: Record<string, string>): string[] {
	const house = mkdtempSync(join(tmpdir(), "segue-house-"));
	houses.push(house);
	const configuration = ["package.json", "tsconfig.json", CONFIG];
	for (const file of configuration)
		copyFileSync(join(root, file), join(house, file));
	symlinkSync(join(root, "node_modules"), join(house, "node_modules"));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(house, path)), { recursive: true });
		writeFileSync(join(house, path), `${text}\n`);
	}
	const { stdout, stderr } = spawnSync(
		join(root, "node_modules/.bin/depcruise"),
		["--config", CONFIG, "--output-type", "json", "apps", "libs"],
		{ cwd: house, encoding: "utf8", maxBuffer: 64 * 1_048_576 },
	);
	if (!stdout.startsWith("{")) throw new Error(stdout + stderr);
	const { summary } = JSON.parse(stdout) as {
		summary: { violations: { rule: { name: string }; from: string }[] };
	};
	return summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
}

describe("the import arrows", () => {
	let found: string[];
	beforeAll(() => {
		const files = breaches.map(({ file, says }) => [file, says]);
		found = breachesIn({ ...sound, ...besides, ...Object.fromEntries(files) });
	});

	it("let a sound house be, types that point at each other included", () => {
		expect(breachesIn(sound)).toEqual([]);
	});

	for (const { rule, of, file } of breaches)
		it(`${rule}: find ${of}`, () => {
			expect(found).toContain(`${rule}: ${file}`);
		});
});
