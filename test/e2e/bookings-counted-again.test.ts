import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const KEY = "booked";
const UNITS = 40;
const DECISIONS = 200;

let nats: TestNats;
let database: TestDatabase;
let segue: Instance;
let client: pg.Client;

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	segue = await startSegue({
		app: "segue",
		env: { NATS_URL: nats.url, DATABASE_URL: database.connectionString },
	});
	client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	await runExperiment(segue.url, {
		...sampleExperiment,
		key: KEY,
		reward: {
			learn: "impression",
			window: "10s",
			range: [0, 1],
			outcomes: [{ type: "play", value: 1 }],
		},
	} as unknown as typeof sampleExperiment);
});
afterAll(async () => {
	await client?.end();
	await segue?.stop();
	await nats?.stop();
	await database?.drop();
});

interface Decided {
	readonly decisionId: string;
	readonly unit: string;
	readonly at: string;
}

async function tell(type: string, told: readonly Decided[]): Promise<void> {
	const events = told.map(({ decisionId, unit, at }) => ({
		id: `${type}-${decisionId}`,
		type,
		at,
		unit,
		decisionId,
	}));
	const { body } = await send(segue.url, "POST", "/v1/events", { events });
	expect(body).toEqual({ accepted: events.length, rejected: [] });
}

/** Decisions of all units in turn, each shown; every other one is played. */
async function serve(): Promise<readonly Decided[]> {
	const decisions = Array.from({ length: DECISIONS }, (_, i) => ({
		experiment: KEY,
		unit: `listener-${i % UNITS}`,
		context: { tempo: 120, device: i % 3 === 0 ? "phone" : "desktop" },
	}));
	const { body } = await send(segue.url, "POST", "/v1/decisions/batch", {
		decisions,
	});
	const at = new Date().toISOString();
	const decided = decisions.map(({ unit }, i) => ({
		decisionId: body.decisions[i].decisionId as string,
		unit,
		at,
	}));
	await tell("impression", decided);
	await tell(
		"play",
		decided.filter((_, i) => i % 2 === 0),
	);
	return decided;
}

/** The value of a gauge of the experiment; null where nobody says it. */
async function gauge(name: string): Promise<number | null> {
	const text = await (await fetch(`${segue.url}/metrics`)).text();
	const line = text
		.split("\n")
		.find((one) => one.startsWith(`${name}{experiment="${KEY}"}`));
	return line === undefined ? null : Number(line.split(" ").at(-1));
}
const reaches = (name: string, value: number) =>
	waitFor(
		async () => (await gauge(name)) === value,
		60_000,
		() => `${name} is not ${value}:\n${segue.output()}`,
	);

const recount = (...more: string[]) =>
	segueCli(["replay", "--bookings", ...more], {
		DATABASE_URL: database.connectionString,
	});
describe("what a running learner booked", () => {
	let decided: readonly Decided[] = [];

	it("is said by metrics: decisions wait while their windows are open, and none does afterwards", async () => {
		await reaches("segue_booking_waiting_decisions", 0);
		decided = await serve();
		await reaches("segue_booking_waiting_decisions", DECISIONS);
		await reaches("segue_booking_waiting_decisions", 0);
		expect(await gauge("segue_booking_unbooked_decisions")).toBe(0);
		expect(await gauge("segue_booking_lag_seconds")).toBe(0);
	}, 150_000);

	it("is counted again by segue replay --bookings: equal, exit code 0", async () => {
		const { code, stdout, stderr } = await recount();
		expect(stderr).toBe("");
		expect(stdout).toContain(
			`${KEY}: ${DECISIONS} booked decisions counted again, ${UNITS} units.`,
		);
		expect(stdout).toContain("Equal: every rollup is what the log says");
		expect(code).toBe(0);
	}, 60_000);

	it("has its decisions that changed too late counted as such, and is equal all the same", async () => {
		// Played in time, but told only now.
		const late = decided.filter((_, i) => i % 2 === 1).slice(0, 3);
		await tell("play", late);
		await reaches("segue_booking_unbooked_decisions", late.length);
		const { code, stdout } = await recount("--json", "--experiment", KEY);
		expect(JSON.parse(stdout)).toEqual({
			equal: true,
			experiments: [
				{
					experiment: KEY,
					decisions: DECISIONS,
					units: UNITS,
					partial: null,
					differences: [],
				},
			],
		});
		expect(code).toBe(0);
	}, 90_000);

	it("is unequal, exit code 1, where a hand was in the database: each rollup is named, until it is undone", async () => {
		const ofKey = `where experiment = '${KEY}'`;
		const ofHour = `${ofKey} and (hour, "group", arm) = (select h.hour, h."group", h.arm from booking_hours h ${ofKey} order by 1, 2, 3 limit 1)`;
		const move = async (by: number) => {
			for (const statement of [
				`update booking_sums set units = units + $1 ${ofKey} and slice = 'all' and side = 'policy'`,
				`update booking_hours set shown = shown + $1 ${ofHour}`,
			])
				expect((await client.query(statement, [by])).rowCount).toBe(1);
		};
		await move(1);
		const { code, stdout } = await recount();
		const different = stdout
			.split("\n")
			.filter((line) => line.startsWith("DIFFERENT"));
		expect(different.sort(), stdout).toEqual([
			expect.stringMatching(
				`^DIFFERENT: ${KEY}: hour .* (policy|control) [abc]: shown: \\d+ is stored, \\d+ counted$`,
			),
			expect.stringMatching(
				`^DIFFERENT: ${KEY}: sums .* policy all: units: \\d+ is stored, \\d+ counted$`,
			),
		]);
		expect(stdout).toContain('"Replay is unequal" in docs/runbook.md');
		expect(stdout).not.toContain("Equal");
		expect(code).toBe(1);
		await move(-1);
		expect((await recount()).code).toBe(0);
	}, 120_000);

	it("is not said to be equal where there is no such experiment: exit code 2", async () => {
		const { code, stderr } = await recount("--experiment", "bookd");
		expect(stderr).toContain('There is no experiment "bookd"');
		expect(code).toBe(2);
	}, 60_000);
});
