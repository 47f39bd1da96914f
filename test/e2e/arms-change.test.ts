import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, runExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

/** What a change of a definition may take to reach every decider. */
const OBEYED_MS = 2_000;
/** Enough that an arm which may still be chosen is: the odds against are below 1e-6, whatever was learned, by the control group alone. */
const ASKS = 200;

const keys = ["a", "b", "c", "d"];
type Arm = { key: string; state?: string };
const documentOf = (key: string, arms: readonly Arm[]) => ({
	key,
	arms: arms.map((arm) => ({ ...arm, payload: { text: arm.key } })),
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5, explore: 0.1 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 0.5 }] },
	traffic: { share: 1, control: 0.2, baseline: "uniform" },
});

let database: TestDatabase;
let folder: string;
let one: Instance;
let two: Instance;
let learner: Instance;
let env: Record<string, string>;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-arms-"));
	database = await createTestDatabase();
	env = {
		DATABASE_URL: database.connectionString,
		SEGUE_STREAM: "postgres",
		// A slow machine would else put decisions into the spool.
		SEGUE_DECIDE_DEADLINE_MS: "5000",
	};
	// The first to come makes the tables.
	learner = await startSegue({ app: "learner", env });
	[one, two] = await Promise.all([
		startSegue({ app: "decider", env }),
		startSegue({ app: "decider", env }),
	]);
});
afterAll(async () => {
	await Promise.all([one, two].map((decider) => decider?.stop()));
	await learner?.stop();
	await database?.drop();
	await rm(folder, { recursive: true, force: true });
});

type Change = (key: string, arms: readonly Arm[]) => Promise<void>;

const byApi: Change = async (key, arms) => {
	const document = documentOf(key, arms);
	const path = `/v1/experiments/${key}`;
	const { status, body } = await send(one.url, "PUT", path, document);
	expect(status, JSON.stringify(body)).toBe(200);
	expect(body.newVersion).toBe(false);
};

const byCommandLine: Change = async (key, arms) => {
	const file = join(folder, `${key}.yaml`);
	await writeFile(file, JSON.stringify(documentOf(key, arms)));
	const applied = await segueCli(["experiments", "apply", file], env);
	expect(applied.code, applied.stderr).toBe(0);
	expect(applied.stdout).toContain(`${key}: version 1, running`);
};

describe.each([
	["the API of another decider", "arms-api", byApi],
	["the command line", "arms-cli", byCommandLine],
])("arms changed by %s", (_, key, change) => {
	/** The arms as they were changed last. */
	let arms: Arm[] = keys.slice(0, 3).map((arm) => ({ key: arm }));
	let units = 0;

	const decide = (on: Instance, body: object = {}) =>
		send(on.url, "POST", "/v1/decisions", {
			experiment: key,
			unit: `u${++units}`,
			context: { v: 0.5 },
			...body,
		});

	async function decided(on: Instance, body: object): Promise<Answer["body"]> {
		const answer = await decide(on, body);
		expect(answer.status, JSON.stringify(answer.body)).toBe(200);
		return answer.body;
	}

	/** Both deciders answer requests for that arm alone with that status, within the time that a change may take. */
	const obeyed = (arm: string, status: number) =>
		Promise.all(
			[one, two].map((on) =>
				waitFor(
					async () => (await decide(on, { eligible: [arm] })).status === status,
					OBEYED_MS,
					() => `${arm} was not answered with ${status} in time`,
				),
			),
		);

	/** Which arms a decider chooses, and among which it says it chose. */
	async function choices(on: Instance) {
		const chosen = new Set<string>();
		const decisions = Array.from({ length: ASKS }, () => ({
			experiment: key,
			unit: `u${++units}`,
			context: { v: 0.5 },
		}));
		const { body } = await send(on.url, "POST", "/v1/decisions/batch", {
			decisions,
		});
		for (const { arm } of body.decisions) chosen.add(arm);
		const id = body.decisions.at(-1).decisionId;
		let logged: Answer | undefined;
		await waitFor(
			async () => {
				logged = await send(on.url, "GET", `/v1/decisions/${id}`);
				return logged.status === 200;
			},
			20_000,
			() => `${id} was not logged`,
		);
		const among: { arm: string; propensity: number }[] = logged?.body.arms;
		const total = among.reduce((sum, { propensity }) => sum + propensity, 0);
		expect(Math.abs(total - 1)).toBeLessThanOrEqual(1e-12);
		return {
			chosen: [...chosen].sort(),
			among: among.map(({ arm }) => arm),
		};
	}

	beforeAll(async () => {
		await runExperiment(one.url, documentOf(key, arms));
		await waitFor(
			async () => (await decide(two)).status === 200,
			10_000,
			() => "the other decider does not know the experiment",
		);
	});

	test("an arm added is chosen by both deciders within 2 s", async () => {
		expect((await decide(two, { eligible: ["d"] })).status).toBe(422);
		arms = keys.map((arm) => ({ key: arm }));
		await change(key, arms);
		await obeyed("d", 200);
		for (const on of [one, two])
			expect(await choices(on)).toEqual({ chosen: keys, among: keys });
	});

	test.each([
		["paused", "b"],
		["retired", "c"],
	])(
		"an arm %s is chosen by neither decider 2 s later, propensities are those of the others, and its outcomes still land",
		async (state, arm) => {
			const before = await decided(two, { unit: state, eligible: [arm] });
			arms = arms.map((old) => (old.key === arm ? { ...old, state } : old));
			await change(key, arms);
			await obeyed(arm, 409);
			const left = arms.flatMap((one) =>
				one.state === undefined ? [one.key] : [],
			);
			for (const on of [one, two])
				expect(await choices(on)).toEqual({ chosen: left, among: left });

			const { decisionId } = before;
			const event = {
				id: `late-${state}`,
				type: "play",
				at: new Date().toISOString(),
				unit: state,
				decisionId,
			};
			await send(one.url, "POST", "/v1/events", { events: [event] });
			await waitFor(
				async () => {
					const path = `/v1/experiments/${key}/posterior?arm=${arm}`;
					const { body } = await send(two.url, "GET", path);
					return body.arms[0].n === 1 && body.arms[0].b[0] === 0.5;
				},
				20_000,
				() => `the sums of the ${state} arm did not gain the outcome`,
			);
			const path = `/v1/decisions/${decisionId}`;
			const { body } = await send(two.url, "GET", path);
			expect(body).toMatchObject({ exposed: true, reward: 0.5 });
		},
	);

	test("a paused arm that goes on is chosen by both deciders within 2 s", async () => {
		arms = arms.map((arm) => (arm.key === "b" ? { key: "b" } : arm));
		await change(key, arms);
		await obeyed("b", 200);
		const left = ["a", "b", "d"];
		for (const on of [one, two])
			expect(await choices(on)).toEqual({ chosen: left, among: left });
	});

	test("what was learned and decided meanwhile is what the log says", async () => {
		const experiment = ["--experiment", key, "--json"];
		const folded = await segueCli(["replay", ...experiment], env);
		expect(JSON.parse(folded.stdout)).toMatchObject({ equal: true });
		const again = await segueCli(["replay", "--decisions", ...experiment], env);
		const replayed = JSON.parse(again.stdout);
		expect(replayed).toMatchObject({ differing: 0, skipped: [] });
		expect(replayed.equal).toBe(replayed.decisions);
		expect(replayed.decisions).toBeGreaterThan(ASKS);
	});
});
