import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const DAY_MS = 86_400_000;
/** How far in the past the first decisions were made: further than the command line refuses to drop. */
const AGE_MS = 4 * DAY_MS;
const ROUNDS = 12;
const A_ROUND = 50;

const experiments = [
	{ ...sampleExperiment, key: "plain" },
	{
		...sampleExperiment,
		key: "forgetting",
		policy: { ...sampleExperiment.policy, halfLife: "16m" },
	},
];

let database: TestDatabase;
let client: pg.Client;
let folder: string;
let instance: Instance | null = null;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-old-"));
	database = await createTestDatabase({ migrated: true });
	client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	// As where Segue was installed a week ago.
	await client.query(
		"update installation set horizon = segue_id_floor(now() - interval '7 days')",
	);
});
afterAll(async () => {
	await instance?.stop();
	await client?.end();
	await database?.drop();
	await rm(folder, { recursive: true, force: true });
});

/** A Segue whose clock is so far behind. */
async function start(behindMs: number): Promise<Instance> {
	const clock = join(folder, "clock.mjs");
	await writeFile(
		clock,
		`const now = Date.now; globalThis.Date = class extends Date {
			constructor(...of) { of.length === 0 ? super(now() - ${behindMs}) : super(...of); }
			static now() { return now() - ${behindMs}; }
		};`,
	);
	instance = await startSegue({
		env: {
			DATABASE_URL: database.connectionString,
			SEGUE_STREAM: "postgres",
			...(behindMs > 0 && {
				NODE_OPTIONS: `--import=${pathToFileURL(clock).href}`,
			}),
		},
	});
	return instance;
}

const segue = (...args: string[]) =>
	segueCli(args, { DATABASE_URL: database.connectionString });

const counted = async (table: "decisions" | "outcomes"): Promise<number> =>
	(await client.query(`select count(*)::int as n from ${table}`)).rows[0].n;

let made = 0;
let played = 0;
/** Rounds of decisions, each learned before the next; returns their ids. */
async function decide(on: Instance, behindMs: number): Promise<string[]> {
	const ids: string[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const decisions = Array.from({ length: A_ROUND }, () => {
			made += 1;
			return sampleRequest(made, experiments[made % 2]?.key);
		});
		const { body } = await send(on.url, "POST", "/v1/decisions/batch", {
			decisions,
		});
		const at = new Date(Date.now() - behindMs).toISOString();
		const events = (body.decisions as { decisionId: string; arm: string }[])
			.filter(({ arm }, i) => (i + round) % 3 === 0 || arm === "b")
			.map(({ decisionId }) => ({
				id: `play-${decisionId}`,
				type: "play",
				at,
				unit: decisions[
					body.decisions.findIndex(
						(one: { decisionId: string }) => one.decisionId === decisionId,
					)
				]?.unit,
				decisionId,
			}));
		const told = await send(on.url, "POST", "/v1/events", { events });
		expect(told.body.rejected).toEqual([]);
		played += events.length;
		ids.push(
			...body.decisions.map((one: { decisionId: string }) => one.decisionId),
		);
		await waitFor(
			async () =>
				(await counted("decisions")) === made &&
				(await counted("outcomes")) === played,
			30_000,
			() => "not all was stored",
		);
	}
	return ids;
}

async function replayed() {
	const { code, stdout, stderr } = await segue(
		"replay",
		"--decisions",
		"--json",
	);
	expect(stderr).toBe("");
	return { code, ...JSON.parse(stdout) };
}

it("after old days were dropped, later decisions are derived again, in another process, and those before it told of with the oldest that can", async () => {
	const past = await start(AGE_MS);
	for (const experiment of experiments)
		await runExperiment(past.url, experiment);
	const old = await decide(past, AGE_MS);
	await past.stop();
	const now = await start(0);
	const before = await decide(now, 0);
	expect(await replayed()).toMatchObject({
		code: 0,
		decisions: made,
		equal: made,
		skipped: [],
	});

	// A day is dropped once it is booked.
	const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
	const until = new Date(today - DAY_MS).toISOString().slice(0, 10);
	let result: { dropped: { decisions: number }[]; kept: object[] } | undefined;
	let revisions: Record<string, number> = {};
	await waitFor(
		async () => {
			const run = await segue("retention", "run", "--before", until, "--json");
			const said = JSON.parse(run.stdout);
			revisions = { ...revisions, ...said.revisions };
			result = said;
			return run.code === 0;
		},
		60_000,
		() => `the old days were not dropped: ${JSON.stringify(result)}`,
	);
	expect(Object.keys(revisions).sort()).toEqual(["forgetting", "plain"]);
	expect(await counted("decisions")).toBe(before.length);
	const gone = await segue("explain", old.at(-1) as string);
	expect(gone.stderr).toContain("There is no decision");

	made = before.length;
	played = await counted("outcomes");
	for (const [experiment, floor] of Object.entries(revisions))
		await waitFor(
			async () => {
				const ask = { experiment, unit: "anyone", mode: "best" };
				const { body } = await send(now.url, "POST", "/v1/decisions", ask);
				return body.revision >= floor;
			},
			10_000,
			() => `${experiment} is decided by an older revision still`,
		);
	const later = await decide(now, 0);
	const { code, equal, differing, skipped } = await replayed();
	expect([code, differing]).toEqual([0, 0]);
	// The first of today were made at revisions that hold decisions which are gone now.
	expect(equal).toBe(later.length);
	const counts = skipped.map(({ count }: { count: number }) => count);
	expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(
		before.length,
	);
	for (const { why } of skipped as { why: string }[]) {
		const [, experiment] = /^Something that revision \d+ of (\w+) was/.exec(
			why,
		) as unknown as [string, string];
		expect(why).toContain(
			`has been erased or dropped since: decisions of revision ${revisions[experiment]} or later can be derived again.`,
		);
	}

	const told = await segue("explain", later.at(-1) as string);
	expect(told.code).toBe(0);
	expect(told.stdout).toContain("equal to what was served, bit for bit.");
	const below = await segue("explain", before.at(-1) as string);
	expect(below.code).toBe(2);
	expect(below.stdout).toMatch(
		/Not derived again: Something that revision \d+ of \w+ was made of has been erased or dropped since: decisions of revision \d+ or later can be derived again\./,
	);
	expect((await segue("replay")).code).toBe(0);
});
