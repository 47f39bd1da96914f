import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BulkReceipt, Receipt } from "#usecases/erasing";
import {
	runExperiment,
	sampleEvent,
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

for (const stream of ["postgres", "jetstream"] as const)
	describe(`units leave an instance that runs on ${stream}`, () => {
		let database: TestDatabase;
		let instance: Instance;
		let client: pg.Client;

		beforeAll(async () => {
			database = await createTestDatabase();
			instance = await startSegue({
				env: {
					DATABASE_URL: database.connectionString,
					SEGUE_STREAM: stream,
					// On a slow machine a requestId would else go without its row.
					SEGUE_DECIDE_DEADLINE_MS: "5000",
				},
			});
			client = new pg.Client({ connectionString: database.connectionString });
			client.on("error", () => {});
			await client.connect();
			await runExperiment(instance.url, sampleExperiment);
		});
		afterAll(async () => {
			await client?.end();
			await instance?.stop();
			await database?.drop();
		});

		const segue = (...args: string[]) =>
			segueCli(args, {
				SEGUE_DATA: instance.folder,
				DATABASE_URL: database.connectionString,
				SEGUE_STREAM: stream,
			});
		let events = 0;
		/** Decides and plays, so often; returns the decisions' ids. */
		async function listen(unit: string, times: number): Promise<string[]> {
			const ids: string[] = [];
			for (let i = 0; i < times; i++) {
				const decided = await send(instance.url, "POST", "/v1/decisions", {
					...sampleRequest(i),
					unit,
					requestId: `${unit}-${i}-${events}`,
				});
				expect(decided.status).toBe(200);
				const { decisionId } = decided.body;
				ids.push(decisionId);
				const play = {
					...sampleEvent(0, unit, decisionId),
					id: `e-${events++}`,
				};
				await send(instance.url, "POST", "/v1/events", {
					events: [play, { ...play, id: `s-${events}`, decisionId: undefined }],
				});
			}
			return ids;
		}
		const rowsOf = async (unit: string): Promise<number> =>
			(
				await client.query(
					`select ((select count(*) from decisions d where d.unit = $1) + (select count(*) from outcomes o where o.unit = $1)
						+ (select count(*) from signals g where g.unit = $1) + (select count(*) from requests r where r.unit = $1))::int as n`,
					[unit],
				)
			).rows[0].n;
		const stored = (unit: string, rows: number) =>
			waitFor(
				async () => (await rowsOf(unit)) === rows,
				45_000,
				() => `${unit} has not come to the database`,
			);
		const learned = async (): Promise<number> => {
			const { body } = await send(
				instance.url,
				"GET",
				"/v1/experiments/sample/posterior",
			);
			return body.arms.reduce(
				(sum: number, arm: { n: number }) => sum + arm.n,
				0,
			);
		};

		it("one by DELETE: its rows, its share and its decisions are gone, and it may come back", async () => {
			const ids = await listen("unit-leaves", 12);
			await listen("unit-stays", 5);
			await stored("unit-leaves", 48);
			await stored("unit-stays", 20);

			const answer = await send(
				instance.url,
				"DELETE",
				"/v1/units/unit-leaves",
			);
			expect(answer.status).toBe(200);
			const receipt = answer.body as Receipt;
			expect(receipt.removed).toMatchObject({
				decisions: 12,
				learned: 12,
				outcomes: 12,
				signals: 12,
				requests: 12,
			});
			expect(receipt.revisions.sample).toBeGreaterThan(0);
			expect(await rowsOf("unit-leaves")).toBe(0);
			for (const id of ids)
				expect(
					(await send(instance.url, "GET", `/v1/decisions/${id}`)).status,
				).toBe(404);
			await waitFor(
				async () => (await learned()) === 5,
				2_000,
				() => "the decider's posterior still has the unit",
			);
			const replayed = await segue("replay", "--json");
			expect(JSON.parse(replayed.stdout)).toMatchObject({
				equal: true,
				decisions: 5,
			});

			await listen("unit-leaves", 1);
			await stored("unit-leaves", 4);
			expect((await segue("replay")).code).toBe(0);
		});

		if (stream === "jetstream")
			it("many by a file: the receipt counts them and names nobody", async () => {
				await listen("unit-many-1", 2);
				await listen("unit-many-2", 3);
				await stored("unit-many-1", 8);
				await stored("unit-many-2", 12);
				const file = join(instance.folder, "units.txt");
				await writeFile(file, "unit-many-1\nunit-many-2\n\nunit-unheard-of\n");
				const { code, stdout } = await segue(
					"units",
					"erase",
					"--file",
					file,
					"--json",
				);
				expect(code).toBe(0);
				const receipt = JSON.parse(stdout) as BulkReceipt;
				expect(receipt).toMatchObject({
					units: 3,
					asked: 3,
					stopped: null,
					removed: { decisions: 5, outcomes: 5, signals: 5, requests: 5 },
				});
				expect(stdout).not.toContain("unit-many");
				expect(await rowsOf("unit-many-1")).toBe(0);
				await writeFile(file, "unit-fine\nnot\u0007printable\n");
				const refused = await segue("units", "erase", "--file", file);
				expect(refused.code).toBe(2);
				expect(refused.stderr).toContain("Line 2 is no unit");
			});

		if (stream === "postgres")
			it("retention says what it would drop, and refuses days whose events still come", async () => {
				const dry = await segue("retention", "run", "--dry-run");
				expect(dry).toMatchObject({
					code: 0,
					stdout: "Nothing would be dropped.\n",
				});
				const today = new Date().toISOString().slice(0, 10);
				const late = await segue("retention", "run", "--before", today);
				expect(late.code).toBe(2);
				expect(late.stderr).toContain("too late");
			});
	});
