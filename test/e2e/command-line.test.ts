import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, sampleRequest, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { experiment } from "../support/experiment-file.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

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

describe("segue on a running instance", () => {
	let database: TestDatabase;
	let instance: Instance;
	let client: pg.Client;

	beforeAll(async () => {
		database = await createTestDatabase();
		instance = await startSegue({
			env: {
				DATABASE_URL: database.connectionString,
				SEGUE_STREAM: "postgres",
			},
		});
		client = new pg.Client({ connectionString: database.connectionString });
		await client.connect();
	});
	afterAll(async () => {
		await client?.end();
		await instance?.stop();
		await database?.drop();
	});

	/** Finds the instance as people do, by the runtime file in its data folder. */
	const segue = (...args: string[]) =>
		segueCli(args, { SEGUE_DATA: instance.folder });

	async function definitionRows(key: string): Promise<
		{
			version: number;
			state: string;
			action: string;
			actor: string;
			why: string;
		}[]
	> {
		const { rows } = await client.query(
			"select d.version, d.state, d.action, d.actor, d.why from experiment_definitions d where d.experiment = $1 order by d.id",
			[key],
		);
		return rows;
	}

	it("apply makes a draft, --start starts it, and applying the same again adds no definition row", async () => {
		const path = await file("steady.yaml", experiment("steady"));
		expect(await segue("experiments", "plan", path)).toMatchObject({
			code: 0,
			stdout: "steady: would be created as a draft\n",
		});
		expect(await definitionRows("steady")).toEqual([]);

		const first = await segue("experiments", "apply", path);
		expect(first.code, first.stderr).toBe(0);
		expect(first.stdout).toContain("steady: version 1, draft");
		// 404 until the decider has seen it, then 409: a draft.
		expect([404, 409]).toContain(
			(
				await send(
					instance.url,
					"POST",
					"/v1/decisions",
					sampleRequest(1, "steady"),
				)
			).status,
		);

		const why = ["--why", "launch", "--actor", "mina"];
		const started = await segue(
			"experiments",
			"apply",
			"--start",
			...why,
			path,
		);
		expect(started.stdout).toContain("steady: version 1, running");
		const rows = await definitionRows("steady");
		expect(rows.at(-1)).toEqual({
			version: 1,
			state: "running",
			action: "start",
			actor: "mina",
			why: "launch",
		});
		await waitFor(
			async () =>
				(
					await send(
						instance.url,
						"POST",
						"/v1/decisions",
						sampleRequest(1, "steady"),
					)
				).status === 200,
			10_000,
			() => "the decider does not obey",
		);

		for (const again of [["apply"], ["apply", "--start"], ["plan"]]) {
			const { code, stdout } = await segue("experiments", ...again, path);
			expect(code).toBe(0);
			expect(stdout).toContain("steady: nothing changes\n");
		}
		expect(await definitionRows("steady")).toEqual(rows);
	});

	it("plan says in words what would change, and that a reward's value starts a new version while alpha does not", async () => {
		const path = await file("plan.yaml", experiment("plan"));
		await segue("experiments", "apply", "--start", path);
		const rows = await definitionRows("plan");

		await file(
			"plan.yaml",
			experiment("plan").replace("alpha: 0.5", "alpha: 1"),
		);
		const alpha = await segue("experiments", "plan", path);
		expect(alpha.stdout).toBe(
			"plan: would be edited\n  policy.alpha: 0.5 → 1\n",
		);

		await file(
			"plan.yaml",
			experiment("plan").replace("value: 0.3", "value: 1"),
		);
		const reward = await segue("experiments", "plan", path);
		expect(reward.stdout).toMatch(
			/^plan: would be edited\n {2}reward\.outcomes\[play\]\.value: 0\.3\d* → 1\n/,
		);
		expect(reward.stdout).toContain("this starts a new version");
		expect(reward.stdout).toContain("reason: The reward changed");
		expect(await definitionRows("plan")).toEqual(rows);

		const applied = await segue("experiments", "apply", path);
		expect(applied.stdout).toContain("plan: version 2, running");
		expect((await definitionRows("plan")).at(-1)).toMatchObject({
			version: 2,
			state: "running",
		});
	});

	it("apply changes nothing at all where one of its files is wrong", async () => {
		const good = await file("half.yaml", experiment("half"));
		const bad = await file("half-bad.yaml", "key: half-bad\n");
		const { code, stderr } = await segue("experiments", "apply", good, bad);
		expect(code).toBe(1);
		expect(stderr).toContain(`${bad}: arms: `);
		expect(await definitionRows("half")).toEqual([]);
	});

	describe("replay", () => {
		const DECISIONS = 20;

		beforeAll(async () => {
			const path = await file("replayed.yaml", experiment("replayed"));
			await segue("experiments", "apply", "--start", path);
			await waitFor(
				async () =>
					(
						await send(instance.url, "POST", "/v1/decisions", {
							...sampleRequest(0, "replayed"),
							mode: "best",
						})
					).status === 200,
				10_000,
				() => "the decider does not obey",
			);
			for (let i = 0; i < DECISIONS; i++) {
				const request = sampleRequest(i, "replayed");
				const { status, body } = await send(
					instance.url,
					"POST",
					"/v1/decisions",
					request,
				);
				expect(status, JSON.stringify(body)).toBe(200);
				const event = sampleEvent(i, request.unit, body.decisionId);
				await send(instance.url, "POST", "/v1/events", { events: [event] });
			}
			await waitFor(
				async () => {
					const { outcomes } = await replay();
					return outcomes === DECISIONS;
				},
				60_000,
				() => "not all was learned",
			);
		});

		async function replay() {
			const { code, stdout, stderr } = await segue(
				"replay",
				"--json",
				"--experiment",
				"replayed",
			);
			expect(stderr).toBe("");
			return { code, ...JSON.parse(stdout) };
		}

		it("is equal on a live database: --json prints one object, exit code 0", async () => {
			expect(await replay()).toMatchObject({
				code: 0,
				equal: true,
				decisions: DECISIONS,
				outcomes: DECISIONS,
				differences: [],
			});
			const { stdout } = await segue("replay");
			expect(stdout).toContain("Equal: ");
		});

		it("finds one changed byte of the stored sums: exit code 1, and says where and what", async () => {
			const { rows } = await client.query<{
				arm: string;
				bucket: string;
				shard: number;
			}>(
				`select s.arm, s.bucket, s.shard from sums s where s.experiment = 'replayed' order by s.arm limit 1`,
			);
			const [tampered] = rows;
			const flip = () =>
				client.query(
					`update sums s set data = set_byte(s.data, 15, get_byte(s.data, 15) # 64)
					where s.experiment = 'replayed' and s.arm = $1 and s.bucket = $2 and s.shard = $3`,
					[tampered?.arm, tampered?.bucket, tampered?.shard],
				);
			expect((await flip()).rowCount).toBe(1);
			const found = await replay();
			expect(found).toMatchObject({
				code: 1,
				equal: false,
				differences: [
					{
						experiment: "replayed",
						version: 1,
						arm: tampered?.arm,
						bucket: Number(tampered?.bucket),
						what: expect.stringMatching(
							/^entry 1 is stored as .+, the log says .+$/,
						),
					},
				],
			});
			expect(found.differences).toHaveLength(1);
			const { code, stdout } = await segue("replay");
			expect(code).toBe(1);
			expect(stdout).toContain(
				`DIFFERENT: replayed version 1, arm ${tampered?.arm}`,
			);
			expect(stdout).not.toContain("Equal");

			await flip();
			expect(await replay()).toMatchObject({ code: 0, equal: true });
		});

		it("finds an outcome that is gone from the log", async () => {
			await client.query("begin");
			const taken = await client.query(
				`create temp table taken as select o.* from outcomes o join decisions d on d.id = o.decision_id
				where d.experiment = 'replayed' and o.type = 'play' limit 1`,
			);
			expect(taken.rowCount).toBe(1);
			await client.query(
				"delete from outcomes o using taken t where o.decision_id = t.decision_id and o.event_id = t.event_id",
			);
			await client.query("commit");
			expect(await replay()).toMatchObject({ code: 1, equal: false });
			await client.query("insert into outcomes select * from taken");
			expect(await replay()).toMatchObject({ code: 0, equal: true });
		});
	});
});
