import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, sampleRequest, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A small experiment as a product manager writes it; tests change single words of it. */
const experiment = (key: string) => `key: ${key}
name: Which prompt?
arms:
  - { key: a, payload: { text: A } }
  - { key: b, payload: { text: B }, eligible: 'context.device != "speaker"' }
context:
  features:
    - { name: tempo, from: request, kind: number, mean: 120, scale: 30 }
    - { name: device, from: request, kind: category, levels: [phone, desktop, speaker] }
policy: { kind: linucb, alpha: 0.5, explore: 0.1 }
reward:
  window: 30m
  range: [-1, 2]
  outcomes:
    - { type: play, value: 0.3 }
    - { type: skip, value: -0.2, within: 30s }
traffic: { share: 1, control: 0.2, baseline: uniform }
`;

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
		expect(reward.stdout).toContain("because The reward changed");
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
						await send(
							instance.url,
							"GET",
							"/v1/experiments/replayed/posterior",
						)
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
				20_000,
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
			const { rows } = await client.query<{ arm: string; bucket: string }>(
				`select s.arm, s.bucket from sums s where s.experiment = 'replayed' order by s.arm limit 1`,
			);
			const [tampered] = rows;
			const flip = () =>
				client.query(
					`update sums s set data = set_byte(s.data, 8, get_byte(s.data, 8) # 1)
					where s.experiment = 'replayed' and s.arm = $1 and s.bucket = $2`,
					[tampered?.arm, tampered?.bucket],
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
