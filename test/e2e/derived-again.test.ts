import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { seededRandom } from "../support/random.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const ROUNDS = 100;
const A_ROUND = 105;
const DECISIONS = ROUNDS * A_ROUND;

const { policy, traffic, reward } = sampleExperiment;
const inside = { ...traffic, share: 0.9 };
const arms = sampleExperiment.arms.map((arm, i) => ({
	...arm,
	features: [1, i / 2],
}));
const experiments = [
	{ ...sampleExperiment, key: "disjoint", traffic: inside },
	{
		...sampleExperiment,
		key: "hybrid",
		arms,
		policy: { ...policy, kind: "hybrid-linucb" },
	},
	{
		...sampleExperiment,
		key: "thompson",
		policy: { ...policy, kind: "thompson" },
	},
	{
		...sampleExperiment,
		key: "uniform",
		policy: { kind: "uniform", ridge: 1, explore: 0.1 },
	},
	{
		...sampleExperiment,
		key: "forgetting",
		policy: { ...policy, halfLife: "16m" },
	},
	{ ...sampleExperiment, key: "edited" },
	{ ...sampleExperiment, key: "paused", traffic: inside },
];

const put = (url: string, change: object) =>
	send(url, "PUT", "/v1/experiments/edited", {
		...sampleExperiment,
		key: "edited",
		...change,
	});
const clipped = { ...reward, range: [-1, 1] };

/** What happens to the experiments while they are decided by: new alpha, new version, another kind, a pause and a stop. */
const edits: Record<number, (url: string) => ReturnType<typeof send>> = {
	20: (url) => put(url, { policy: { ...policy, alpha: 2 } }),
	40: (url) => put(url, { reward: clipped }),
	50: (url) => send(url, "POST", "/v1/experiments/paused/pause", {}),
	60: (url) =>
		put(url, {
			arms: arms.map((arm, i) => (i === 0 ? { ...arm, state: "paused" } : arm)),
			reward: clipped,
			policy: { ...policy, kind: "hybrid-linucb" },
		}),
	80: (url) =>
		send(url, "POST", "/v1/experiments/paused/stop", { winner: "b" }),
};

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
/** Explanations as they were served, by decision id. */
const served = new Map<string, Record<string, unknown>>();
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let instance: Instance;
let client: pg.Client;

beforeAll(async () => {
	console.log(`derived-again: SEED=${seed}`);
	database = await createTestDatabase();
	instance = await startSegue({
		env: {
			DATABASE_URL: database.connectionString,
			SEGUE_STREAM: "postgres",
		},
	});
	client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	for (const experiment of experiments)
		await runExperiment(instance.url, experiment);
	for (let round = 0; round < ROUNDS; round++) {
		const edited = await edits[round]?.(instance.url);
		expect(edited?.status ?? 200, JSON.stringify(edited?.body)).toBe(200);
		await decideAndTell(round);
	}
	await waitFor(
		async () => (await counted("decisions")) === DECISIONS,
		30_000,
		() => "not all decisions were stored",
	);
});
afterAll(async () => {
	await client?.end();
	await instance?.stop();
	await database?.drop();
});

async function counted(table: "decisions" | "revision_log"): Promise<number> {
	const { rows } = await client.query(
		`select count(*)::int as count from ${table}`,
	);
	return rows[0].count;
}

/** Decides for every experiment in turn, some with an explanation, and sends what came of it. */
async function decideAndTell(round: number): Promise<void> {
	const decisions = Array.from({ length: A_ROUND }, (_, i) => ({
		experiment: experiments[i % experiments.length]?.key,
		unit: `unit-${(round * A_ROUND + i) % 997}`,
		context: {
			tempo: 60 + Math.floor(random() * 120),
			...(random() < 0.9 && {
				device: ["phone", "desktop", "speaker", "fridge"][
					Math.floor(random() * 4)
				],
			}),
		},
		// b is never ruled out, so neither are all.
		...(random() < 0.1 && { eligible: ["b", "c"] }),
		...(i < experiments.length && { explain: true }),
	}));
	const { status, body } = await send(
		instance.url,
		"POST",
		"/v1/decisions/batch",
		{ decisions },
	);
	expect(status).toBe(200);
	const events = body.decisions.flatMap(
		(
			answer: { decisionId: string; arm: string; explanation?: never },
			i: number,
		) => {
			expect(answer).toHaveProperty("decisionId");
			if (answer.explanation) served.set(answer.decisionId, answer.explanation);
			const likes = answer.arm === "b" ? 0.7 : 0.3;
			return ["impression", "play", "complete", "skip"]
				.filter((type) => random() < (type === "skip" ? 0.2 : likes))
				.map((type) => ({
					id: `${type}-${round}-${i}`,
					type,
					at: new Date().toISOString(),
					unit: decisions[i]?.unit,
					decisionId: answer.decisionId,
				}));
		},
	);
	const told = await send(instance.url, "POST", "/v1/events", { events });
	expect(told.body.rejected).toEqual([]);
}

/** The built command line, in a process of its own. */
async function segue(...args: string[]) {
	const { code, stdout, stderr } = await segueCli(args, {
		DATABASE_URL: database.connectionString,
	});
	expect(stderr).toBe("");
	return { code, stdout };
}

describe("10,000 decisions of a Segue that learned while it made them", () => {
	it("are all derived again, in another process, equal to what was served", async () => {
		expect(await counted("revision_log")).toBeGreaterThan(150);
		const { code, stdout } = await segue(
			"replay",
			"--decisions",
			"10000",
			"--json",
		);
		expect(JSON.parse(stdout)).toEqual({
			decisions: 10_000,
			equal: 10_000,
			different: [],
			differing: 0,
			skipped: [],
		});
		expect(code).toBe(0);
		const { rows } = await client.query(
			`select count(distinct (d.experiment, d.revision))::int as revisions, count(distinct d.assigned_group)::int as groups,
				count(distinct d.definition_id)::int as definitions, count(distinct d.version)::int as versions from decisions d`,
		);
		expect(rows[0].revisions).toBeGreaterThan(100);
		expect(rows[0]).toMatchObject({ groups: 3, versions: 2 });
		expect(rows[0].definitions).toBeGreaterThanOrEqual(experiments.length + 5);
	});

	it("are explained later as they were when they were served, number by number", async () => {
		const ids = [...served.keys()];
		const some = ids.filter((_, i) => i % Math.ceil(ids.length / 15) === 0);
		for (const id of some) {
			const { status, body } = await send(
				instance.url,
				"GET",
				`/v1/decisions/${id}?explain=true`,
			);
			expect(status).toBe(200);
			expect(body.rederived).toMatchObject({ equal: true, differences: [] });
			expect(body.explanation).toEqual(served.get(id));
		}
	});

	it("are explained on the command line, for people and as JSON", async () => {
		const id = [...served.keys()].at(-8) as string;
		const { code, stdout } = await segue("explain", id);
		expect(stdout).toContain(
			String((served.get(id) as { sentence: string }).sentence),
		);
		expect(stdout).toContain("equal to what was served, bit for bit.");
		expect(code).toBe(0);
		const json = await segue("explain", id, "--json");
		expect(JSON.parse(json.stdout)).toMatchObject({
			explanation: served.get(id),
			rederived: { equal: true },
		});
	});
});

describe("a log that was tampered with", () => {
	it("is found out: exit code 1, the decision and what is different", async () => {
		const { rows } = await client.query(
			"select d.id from decisions d where d.experiment = 'hybrid' and d.propensity < 0.99 order by d.id desc limit 1",
		);
		const { id } = rows[0];
		const flip = () =>
			client.query(
				`update decisions d set policy_propensities = case when d.policy_propensities is null then null
						else set_byte(d.policy_propensities, 0, get_byte(d.policy_propensities, 0) # 1) end,
					propensities = set_byte(d.propensities, 0, get_byte(d.propensities, 0) # 1) where d.id = $1`,
				[id],
			);
		await flip();
		const replayed = await segue(
			"replay",
			"--decisions",
			"--experiment",
			"hybrid",
			"--json",
		);
		expect(replayed.code).toBe(1);
		expect(JSON.parse(replayed.stdout)).toMatchObject({
			equal: DECISIONS / experiments.length - 1,
			differing: 1,
			different: [{ decisionId: id, experiment: "hybrid" }],
		});
		const told = await segue("explain", id);
		expect(told.code).toBe(1);
		expect(told.stdout).toMatch(
			/DIFFERENT at revision \d+: The policy's propensity of \w+: 0\.\d+ was logged, 0\.\d+ is derived\./,
		);
		await flip();
	});

	it("is not held against decisions under whose revision something was erased: they are counted apart, with the oldest that can", async () => {
		const { rows } = await client.query(
			"update revisions set floor = revision where experiment = 'disjoint' returning floor::int",
		);
		const { floor } = rows[0];
		const { code, stdout } = await segue(
			"replay",
			"--decisions",
			"--experiment",
			"disjoint",
			"--json",
		);
		const { equal, differing, skipped } = JSON.parse(stdout);
		expect([code, differing]).toEqual([0, 0]);
		const count = skipped.reduce(
			(sum: number, one: { count: number }) => sum + one.count,
			0,
		);
		expect(count).toBeGreaterThan(1_000);
		expect(equal + count).toBe(DECISIONS / experiments.length);
		expect(skipped[0].why).toContain(
			`decisions of revision ${floor} or later can be derived again`,
		);
		await client.query(
			"update revisions set floor = 0 where experiment = 'disjoint'",
		);
	});
});

describe("a unit that was erased", () => {
	const LATER = 10;
	/** Of each experiment that the unit had a part in, the revision that took it out. */
	let floors: Record<string, number>;

	beforeAll(async () => {
		const erased = await send(instance.url, "DELETE", "/v1/units/unit-5");
		expect(erased.status).toBe(200);
		const { revisions, removed } = erased.body;
		floors = revisions;
		expect(Object.keys(floors).length).toBeGreaterThan(2);
		for (const [experiment, floor] of Object.entries(floors))
			await waitFor(
				async () => {
					const ask = { experiment, unit: "anyone", mode: "best" };
					const { body } = await send(
						instance.url,
						"POST",
						"/v1/decisions",
						ask,
					);
					return body.revision >= floor;
				},
				10_000,
				() => `${experiment} is still decided by what was erased`,
			);
		served.clear();
		for (let round = ROUNDS; round < ROUNDS + LATER; round++)
			await decideAndTell(round);
		const stored = DECISIONS - removed.decisions + LATER * A_ROUND;
		await waitFor(
			async () => (await counted("decisions")) === stored,
			30_000,
			() => "not all later decisions were stored",
		);
	});

	it("is in no later decision: all of them are derived again, in another process, and those before it told of with the oldest that can", async () => {
		const { code, stdout } = await segue("replay", "--decisions", "--json");
		const { decisions, equal, differing, skipped } = JSON.parse(stdout);
		expect([code, differing]).toEqual([0, 0]);
		const { rows } = await client.query(
			`select d.experiment, d.revision::int, count(*)::int as n from decisions d
			join jsonb_each_text($1::jsonb) as f (experiment, floor) using (experiment)
			where d.revision > 0 and d.revision < f.floor::int group by d.experiment, d.revision`,
			[JSON.stringify(floors)],
		);
		expect(rows.length).toBeGreaterThan(100);
		const told = rows.map(({ experiment, revision, n }) => ({
			why: `Something that revision ${revision} of ${experiment} was made of has been erased or dropped since: decisions of revision ${floors[experiment]} or later can be derived again.`,
			count: n,
		}));
		const byWhy = (one: { why: string }, other: { why: string }) =>
			one.why < other.why ? -1 : 1;
		expect(skipped.sort(byWhy)).toEqual(told.sort(byWhy));
		const below = rows.reduce((sum, { n }) => sum + n, 0);
		expect(equal).toBe(decisions - below);
		expect(equal).toBeGreaterThan(LATER * A_ROUND);
	});

	it("leaves later decisions explained as they were served, and one before it with the reason why not", async () => {
		const later = [...served.keys()].slice(-experiments.length);
		for (const id of later) {
			const { body } = await send(
				instance.url,
				"GET",
				`/v1/decisions/${id}?explain=true`,
			);
			expect(body.rederived).toMatchObject({ equal: true, differences: [] });
			expect(body.explanation).toEqual(served.get(id));
		}
		const told = await segue("explain", later[0] as string);
		expect(told.code).toBe(0);
		expect(told.stdout).toContain("equal to what was served, bit for bit.");

		const [experiment, floor] = Object.entries(floors)[0] as [string, number];
		const { rows } = await client.query(
			"select d.id, d.revision::int from decisions d where d.experiment = $1 and d.revision > 0 and d.revision < $2 order by d.id desc limit 1",
			[experiment, floor],
		);
		const why = `Something that revision ${rows[0].revision} of ${experiment} was made of has been erased or dropped since: decisions of revision ${floor} or later can be derived again.`;
		const before = await segue("explain", rows[0].id);
		expect(before.code).toBe(2);
		expect(before.stdout).toContain(`Not derived again: ${why}`);
		const { body } = await send(
			instance.url,
			"GET",
			`/v1/decisions/${rows[0].id}?explain=true`,
		);
		expect(body.rederived).toMatchObject({
			equal: null,
			oldestRevision: floor,
			why,
		});
	});
});
