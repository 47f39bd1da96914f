import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database, PostgresDefinitionStore } from "#adapters/postgres";
import { parseExperimentYaml, renderExperiment } from "#core/experiment";
import { TripGuardrail } from "#usecases/defining";
import { send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { experiment } from "../support/experiment-file.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

let folder: string;
let database: TestDatabase;
let instance: Instance;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-lifecycle-"));
	database = await createTestDatabase();
	instance = await startAgain();
});
afterAll(async () => {
	await instance?.stop();
	await database?.drop();
	await rm(folder, { recursive: true, force: true });
});

const startAgain = () =>
	startSegue({
		env: {
			DATABASE_URL: database.connectionString,
			SEGUE_STREAM: "postgres",
		},
	});
const segue = (...args: string[]) =>
	segueCli(["experiments", ...args], {
		DATABASE_URL: database.connectionString,
	});
async function file(name: string, text: string): Promise<string> {
	const path = join(folder, name);
	await writeFile(path, text);
	return path;
}
const get = async (path: string) =>
	(await send(instance.url, "GET", `/v1/experiments/${path}`)).body;
const state = async (key: string): Promise<string> => (await get(key)).state;

describe("an experiment over its life", () => {
	it("is planned in words, with the standard error, τ and what the planned size can find", async () => {
		const plan = `metrics: { primary: { metric: reward, smallestEffect: 0.02, plannedUnits: 20000, spread: 0.4 } }`;
		const path = await file(
			"planned.yaml",
			`${experiment("planned")}\n${plan}\n`,
		);
		const { code, stdout } = await segue("plan", path);
		expect(code).toBe(0);
		expect(stdout).toMatch(/standard error of its lift is 0\.00\d+/);
		expect(stdout).toMatch(/τ = 0\.0\d+/);
		expect(stdout).toMatch(
			/finds a lift of 0\.0\d+ or more with a chance of 80 %/,
		);
		await segue("apply", "--start", path);
		await writeFile(
			path,
			`${experiment("planned")}\n${plan.replace("0.4", "0.5")}\n`,
		);
		const refused = await segue("plan", path);
		expect(refused.code).toBe(1);
		expect(refused.stdout).toContain("this is refused: metrics.primary: ");
		const applied = await segue("apply", path);
		expect(applied.code).toBe(1);
		expect(applied.stderr).toContain("planned: NOT applied. metrics.primary");
		expect(applied.stdout).toMatch(/^planned: would be edited\n/);
	});

	it("says what apply did, and what it did not: a start, one by the account that ran it, an instant that has passed, what is stopped", async () => {
		const past = `schedule: { start: 2026-01-01T08:00:00Z }`;
		const path = await file("said.yaml", `${experiment("said")}\n${past}\n`);
		const created = await segue("apply", path);
		expect(created.stderr).toContain(
			"said: warning: schedule.start, 2026-01-01T08:00:00Z, has passed, so nothing will start it",
		);
		const started = await segue("apply", "--start", path);
		expect(started.stdout).toBe(
			"said: nothing changes\n  started: run 1\nsaid: version 1, running; every decider obeys within 2 s\n",
		);
		expect((await get("said")).changed.actor).toBe(
			`${userInfo().username} (command line)`,
		);
		const stop = "/v1/experiments/said/stop";
		expect((await send(instance.url, "POST", stop)).status).toBe(200);
		const again = await segue("apply", "--start", path);
		expect(again.stdout).toContain("said: version 1, stopped");
		expect(again.stderr).toContain(
			"said: warning: it is stopped, and --start starts only drafts: POST /v1/experiments/said/start",
		);
	});

	it("stays paused or held when it is applied again with --start, which says who did it, why, and how a person resumes it", async () => {
		const path = await file("harmful.yaml", experiment("harmful"));
		await segue("apply", "--start", path);
		const resume = "/v1/experiments/harmful/resume";
		const said = async (state: string) => {
			const { code, stdout, stderr } = await segue("apply", "--start", path);
			expect(code, stderr).toBe(0);
			expect(stdout).toBe(
				`harmful: nothing changes\nharmful: version 1, ${state}; every decider obeys within 2 s\n`,
			);
			return stderr;
		};
		const next = `--start starts only drafts: POST ${resume} resumes it, once a person has looked.\n`;
		const pause = "/v1/experiments/harmful/pause";
		await send(instance.url, "POST", pause, { why: "Listeners complain." });
		expect(await said("paused")).toBe(
			`harmful: warning: it is paused, by api: Listeners complain. ${next}`,
		);
		expect((await get("harmful")).state).toBe("paused");

		const store = new Database({
			connectionString: database.connectionString,
			applicationName: "test",
		});
		const trip = async (action: "pause" | "control") => {
			await send(instance.url, "POST", resume);
			const { run } = await get("harmful");
			const why = "Guardrail 1 (skip_rate): 0.6 is above 0.35.";
			await new TripGuardrail(new PostgresDefinitionStore(store)).execute({
				key: "harmful",
				run,
				action,
				why,
			});
		};
		try {
			await trip("pause");
			expect(await said("paused")).toContain(
				`it is paused, by a guardrail: Guardrail 1 (skip_rate): 0.6 is above 0.35. ${next}`,
			);
			await trip("control");
			expect(await said("running")).toContain(
				`it is held at what control gets, by a guardrail: Guardrail 1 (skip_rate): 0.6 is above 0.35. ${next}`,
			);
		} finally {
			await store.close();
		}
		expect(await get("harmful")).toMatchObject({
			state: "running",
			held: true,
		});
	});

	it("applied from two processes at once is what one of them says; the other is told what changed, or had the same in mind", async () => {
		const base = await file("twice.yaml", experiment("twice"));
		await segue("apply", base);
		const paths = await Promise.all(
			["0.7", "0.8", "0.9"].map((alpha) =>
				file(
					`twice-${alpha}.yaml`,
					experiment("twice").replace("alpha: 0.5", `alpha: ${alpha}`),
				),
			),
		);
		const before = (await get("twice/audit")).entries.length;
		const results = await Promise.all(
			paths.map((path) => segue("apply", path)),
		);
		const entries = (await get("twice/audit")).entries.slice(0, -before);
		const won = results.filter(({ code }) => code === 0);
		// Each that came after another had ended applied upon it; whoever was overtaken was told, and wrote nothing.
		expect(entries).toHaveLength(won.length);
		expect(won.length).toBeGreaterThan(0);
		for (const { code, stderr } of results.filter(({ code }) => code !== 0)) {
			expect(code).toBe(1);
			expect(stderr).toMatch(
				/twice: NOT applied\. The experiment "twice" is not what it was at "\d+": policy\.alpha: .* Look at it again with segue experiments plan, then apply it again\.\n$/,
			);
		}
		const both = await Promise.all(
			[0, 1, 2].map(() => segue("apply", "--start", base)),
		);
		for (const { code, stdout, stderr } of both) {
			expect(code, stderr).toBe(0);
			expect(stdout).toContain("twice: version 1, running");
		}
		const { entries: all } = await get("twice/audit");
		expect(
			all.filter(({ action }: { action: string }) => action === "start"),
		).toHaveLength(1);
	});

	it("has an audit and a way back on the command line", async () => {
		const path = await file("back.yaml", experiment("back"));
		await segue("apply", "--actor", "mina", "--why", "first", path);
		await writeFile(path, experiment("back").replace("alpha: 0.5", "alpha: 2"));
		await segue("apply", "--actor", "noor", path);
		const { stdout } = await segue("audit", "back");
		expect(stdout).toMatch(
			/edit by noor\n {4}version 1, draft\n {4}policy\.alpha: 0\.5 → 2\n\d+ .* create by mina: first/,
		);
		const page = JSON.parse((await segue("audit", "back", "--json")).stdout);
		const back = await segue(
			"rollback",
			"back",
			"--to-definition",
			String(page.entries[1].id),
			"--why",
			"too bold",
		);
		expect(back.code, back.stderr).toBe(0);
		expect(back.stdout).toContain(
			"back: is rolled back\n  policy.alpha: 2 → 0.5\n",
		);
		expect((await get("back")).changed).toMatchObject({
			action: "rollback",
			why: "too bold",
		});
		expect(
			(await segue("rollback", "back", "--to-version", "1")).stdout,
		).toContain("is that already");
		for (const [args, says] of [
			[["back"], "Say where to go back to"],
			[["back", "--to-version", "9"], "never had a version 9"],
			[["nobody", "--to-version", "1"], "There is no experiment"],
		] as const) {
			const { code, stderr } = await segue("rollback", ...args);
			expect(code).toBe(1);
			expect(stderr).toContain(says);
		}
	});

	it("starts and stops by its schedule, once, also after a time when nobody was there", async () => {
		const parsed = parseExperimentYaml(experiment("timed"));
		if (!parsed.ok) throw new Error("does not parse");
		const document = renderExperiment(parsed.value);
		const put = async (schedule: object) => {
			const body = { ...document, schedule };
			const path = "/v1/experiments/timed";
			const { status } = await send(instance.url, "PUT", path, body);
			expect([200, 201]).toContain(status);
		};
		const inSeconds = (seconds: number) =>
			new Date(1_000 * (Math.ceil(Date.now() / 1_000) + seconds))
				.toISOString()
				.replace(".000Z", "Z");
		const start = inSeconds(10);
		await put({ start });
		expect(await state("timed")).toBe("draft");
		await waitFor(
			async () => (await state("timed")) === "running",
			60_000,
			() => "it did not start",
		);
		const stop = inSeconds(10);
		await put({ start, stop });
		await instance.stop();
		const left = Date.parse(stop) - Date.now();
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
		instance = await startAgain();
		await waitFor(
			async () => (await state("timed")) === "stopped",
			60_000,
			() => "it did not stop",
		);
		const { entries } = await get("timed/audit");
		expect(
			entries.map(
				({ action, actor }: Record<string, string>) => `${action} ${actor}`,
			),
		).toEqual(["stop schedule", "edit api", "start schedule", "create api"]);
		expect(entries[0].why).toContain(`schedule.stop is ${stop}`);
		expect(entries[2].why).toContain(`schedule.start is ${start}`);
	});
});
