import { afterAll, beforeAll, expect, test } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database, PostgresBookedReads } from "./index.js";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 4, 1, 7);

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	database = new Database({
		connectionString: own.connectionString,
		applicationName: "hours",
	});
});
afterAll(async () => {
	await database?.close();
	await own?.drop();
});

/** Decisions of every hour, 1 of the first, 2 of the second, …, in each group of two of the arms; of its second half in another epoch. */
async function booked(key: string, hours: number, arms: number) {
	await database.query(
		`with made as (
			insert into booking_hours (experiment, version, run, epoch, hour, "group", arm, decisions, shown, learned, reward)
			select $1, 1, 1, 1 + 2 * h / $2, $4::timestamptz + make_interval(hours => h), g, 'arm-' || a, h + 1, h, h, 4096 * (h + 1)
			from generate_series(0, $2 - 1) h, unnest(array['policy', 'control']) g, generate_series(1, 2) a
			returning *
		), days as (
			insert into booking_days (experiment, version, run, epoch, day, "group", arm, decisions, shown, learned, reward)
			select m.experiment, 1, 1, m.epoch, date_trunc('day', m.hour, 'UTC'), m."group", m.arm,
				sum(m.decisions), sum(m.shown), sum(m.learned), sum(m.reward) from made m group by 1, 2, 3, 4, 5, 6, 7
		)
		insert into booking_draws (experiment, version, run, epoch, side, arm, eligible, drawn, expected, variance)
		select $1, 1, 1, e, g, 'arm-' || a, 0, 0, 0, 0
		from generate_series(1, 2) e, unnest(array['policy', 'control']) g, generate_series(1, $3) a`,
		[key, hours, arms, new Date(START)],
	);
	const counts = await new PostgresBookedReads(database).counts(key, 1, 1);
	const arm = counts.hours.filter(
		(one) => one.arm === "arm-1" && one.group === "policy",
	);
	return { all: counts.hours, arm };
}

const sumOf = (values: readonly number[]) =>
	values.reduce((sum, value) => sum + value, 0);

test("a few hours are told one by one", async () => {
	const { arm } = await booked("few", 30, 2);
	expect(arm).toHaveLength(30);
	expect(arm[29]).toEqual({
		epoch: 2,
		hour: START + 29 * HOUR,
		group: "policy",
		arm: "arm-1",
		decisions: 30,
		shown: 29,
		learned: 29,
		reward: 30,
	});
});

test.each([
	["hours", 1_001, 2, 6],
	["days", 1_001, 590, 24],
	["several days", 2_001, 1_000, 96],
])(
	"many are told by %s, and add up to the same; the first and the last hour are told as they are",
	async (key, hours, arms, width) => {
		const { all, arm } = await booked(key, hours, arms);
		const total = (hours * (hours + 1)) / 2;
		expect(sumOf(arm.map(({ decisions }) => decisions))).toBe(total);
		expect(sumOf(arm.map(({ reward }) => reward))).toBe(total);
		expect(sumOf(arm.map(({ shown }) => shown))).toBe(total - hours);
		expect(sumOf(all.map(({ decisions }) => decisions))).toBe(4 * total);
		expect(arm[0]?.hour).toBe(START);
		expect(arm.at(-1)).toMatchObject({
			hour: START + (hours - 1) * HOUR,
			decisions: hours,
		});
		const inner = new Set(arm.slice(1, -1).map(({ hour }) => hour));
		const origin = width < 24 ? START : 0;
		for (const hour of inner) expect((hour - origin) % (width * HOUR)).toBe(0);
		// One more span may be cut by the change of the epoch, and one is of the last hour.
		expect(arm.length).toBeGreaterThanOrEqual(Math.floor(hours / width));
		expect(arm.length).toBeLessThanOrEqual(Math.ceil(hours / width) + 3);
	},
);
