import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReportView } from "#usecases/reporting";
import { send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { seededRandom } from "../support/random.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

const KEY = "reported";
const SEED = Number(process.env.SEED ?? 20261126);
const UNITS = 400;
const DECISIONS = 1_500;

let nats: TestNats;
let database: TestDatabase;
let segue: Instance;

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	segue = await startSegue({
		app: "segue",
		env: { NATS_URL: nats.url, DATABASE_URL: database.connectionString },
	});
	const put = await send(segue.url, "PUT", `/v1/experiments/${KEY}`, {
		key: KEY,
		name: `=Reported <b>"loudly"</b>`,
		arms: [{ key: "quiet" }, { key: "loud" }, { key: "middling" }],
		context: {
			features: [
				{
					name: "device",
					from: "request",
					kind: "category",
					levels: ["phone", "desktop"],
				},
			],
		},
		policy: { kind: "linucb", alpha: 0.3, explore: 0.1 },
		reward: {
			window: "4s",
			range: [0, 1],
			outcomes: [{ type: "play", value: 1 }],
		},
		traffic: { control: 0.4 },
		metrics: {
			primary: {
				metric: "reward",
				smallestEffect: 0.05,
				plannedUnits: 2_000,
				expected: 0.5,
			},
			secondary: ["play_rate"],
		},
		segments: ["device"],
	});
	expect(put.status, JSON.stringify(put.body)).toBe(201);
	await send(segue.url, "POST", `/v1/experiments/${KEY}/start`, {
		why: "to be reported",
	});
});
afterAll(async () => {
	await segue?.stop();
	await nats?.stop();
	await database?.drop();
});

interface Logged {
	readonly unit: string;
	readonly group: string;
	readonly arm: string;
	readonly device: string;
	readonly reward: number;
}

/** Decisions whose listeners answer at once: phones like it loud, desktops quiet. */
async function listen(count: number): Promise<Logged[]> {
	const random = seededRandom(SEED);
	const logged: Logged[] = [];
	for (let from = 0; from < count; from += 100) {
		const decisions = Array.from({ length: 100 }, () => ({
			experiment: KEY,
			unit: `listener-${Math.floor(UNITS * random())}`,
			context: { device: random() < 0.5 ? "phone" : "desktop" },
		}));
		const { body } = await send(segue.url, "POST", "/v1/decisions/batch", {
			decisions,
		});
		const events = decisions.flatMap(({ unit, context }, i) => {
			const { decisionId, arm, group } = body.decisions[i];
			const liked = context.device === "phone" ? "loud" : "quiet";
			const plays = random() < (arm === liked ? 0.9 : 0.1);
			logged.push({
				unit,
				group,
				arm,
				device: context.device,
				reward: plays ? 1 : 0,
			});
			const event = (type: string) => ({
				id: `${type}-${decisionId}`,
				type,
				at: new Date().toISOString(),
				unit,
				decisionId,
			});
			return [event("impression"), ...(plays ? [event("play")] : [])];
		});
		const accepted = await send(segue.url, "POST", "/v1/events", { events });
		expect(accepted.body.rejected).toEqual([]);
	}
	return logged;
}

const report = async (): Promise<ReportView> =>
	(await send(segue.url, "GET", `/v1/experiments/${KEY}/report`)).body;

/** Mean by group, counted here from what was sent. */
function meanOf(logged: readonly Logged[], group: string, device?: string) {
	const own = logged.filter(
		(one) =>
			one.group === group && (device === undefined || one.device === device),
	);
	return own.reduce((sum, { reward }) => sum + reward, 0) / own.length;
}

describe(`a report over real parts (SEED=${SEED})`, () => {
	let logged: Logged[] = [];

	it("says that nothing can be said while windows are open, and counts what there is", async () => {
		logged = await listen(DECISIONS);
		const early = await report();
		expect(early.answer.verdict).toBe("cannot tell");
		expect(early.plan).toMatchObject({ metric: "reward", plannedUnits: 2_000 });
		expect(early.lift.estimate).toBeNull();
		expect(early.timeline.marks.map(({ action }) => action)).toEqual([
			"create",
			"start",
		]);
	});

	it("once they are closed, tells what a plain count of what was sent tells", async () => {
		let last: ReportView | null = null;
		await waitFor(
			async () => {
				last = await report();
				return (
					last.freshness.waiting === 0 &&
					last.policy.n + last.control.n === DECISIONS
				);
			},
			90_000,
			() => `the report is ${JSON.stringify(last?.freshness)}`,
		);
		const full = await report();
		const [policy, control] = [
			meanOf(logged, "policy"),
			meanOf(logged, "control"),
		];
		expect(full.policy.mean).toBeCloseTo(policy, 12);
		expect(full.control.mean).toBeCloseTo(control, 12);
		expect(full.lift.estimate).toBeCloseTo(policy - control, 12);
		expect(full.lift.low).toBeLessThan(policy - control);
		expect(full.uniformExpected).toBeCloseTo(control, 12);
		expect(full.answer.verdict).toBe("ship");
		const plays = full.metrics.find(({ metric }) => metric === "play_rate");
		expect(plays).toMatchObject({ role: "secondary" });
		expect(plays?.lift.estimate).toBeCloseTo(policy - control, 12);
		for (const { level, lift } of full.segments)
			expect(lift.estimate).toBeCloseTo(
				meanOf(logged, "policy", level) - meanOf(logged, "control", level),
				12,
			);
		for (const arm of ["quiet", "loud", "middling"]) {
			const own = logged.filter(
				(one) => one.arm === arm && one.group === "policy",
			);
			expect(full.arms.find((one) => one.arm === arm)?.decisions).toBe(
				own.length,
			);
		}
		const truth = { quiet: 0.5, loud: 0.5, middling: 0.1 };
		for (const { arm, value } of full.armValues) {
			const worth = truth[arm as keyof typeof truth];
			// The arm that nearly nobody likes may still rest on a few plays.
			if (arm === "middling" && value.withheld !== null) continue;
			expect(value.low).toBeLessThan(worth);
			expect(value.high).toBeGreaterThan(worth);
		}
		for (const { check, status } of full.checks)
			expect(status, check).not.toBe("failed");
	});

	it("is the same as a table and as a page, where nothing that people typed is a formula or markup", async () => {
		const path = `/v1/experiments/${KEY}/report`;
		const csv = await fetch(`${segue.url}${path}?format=csv`);
		const table = await csv.text();
		expect(table).not.toMatch(/(^|,)[=@]/m);
		expect(table).toContain("lift (policy minus control)");
		const page = await (await fetch(`${segue.url}${path}?format=html`)).text();
		expect(page).toContain("=Reported &lt;b&gt;&quot;loudly&quot;&lt;/b&gt;");
		expect(page).not.toContain('<b>"loudly"');
		expect(page).toContain("Ship.");
		expect(page).toContain("Values of arms on one axis");
	});

	it("forgets an erased unit", async () => {
		const before = await report();
		const { unit } = logged[0] as Logged;
		const erased = await send(segue.url, "DELETE", `/v1/units/${unit}`);
		expect(erased.status, JSON.stringify(erased.body)).toBe(200);
		const rest = logged.filter((one) => one.unit !== unit);
		const after = await report();
		expect(before.policy.units + before.control.units).toBe(
			after.policy.units + after.control.units + 1,
		);
		expect(after.freshness.waiting).toBe(0);
		expect(after.lift.estimate).toBeCloseTo(
			meanOf(rest, "policy") - meanOf(rest, "control"),
			12,
		);
	});
});
