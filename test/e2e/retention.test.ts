import { afterAll, beforeAll, expect, test } from "vitest";
import type { Receipt } from "#usecases/erasing";
import { idAt } from "../support/builders.js";
import { send } from "../support/client.js";
import { DaysOfLog, dayOf } from "../support/days-of-log.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const MINUTE = 60_000;
/** Two days stay, yesterday and today: as few as may. */
const LOG_DAYS = "2";

let log: DaysOfLog;
let instance: Instance;
let env: Record<string, string>;
beforeAll(async () => {
	log = await DaysOfLog.learn(4);
	env = {
		DATABASE_URL: log.ledger.connectionString,
		SEGUE_LOG_DAYS: LOG_DAYS,
	};
	instance = await startSegue({ env });
});
afterAll(async () => {
	await instance?.stop();
	await log?.close();
});

const get = (path: string) => send(instance.url, "GET", path);
const segue = (...args: string[]) =>
	segueCli(args, { SEGUE_DATA: instance.folder, ...env });
/** Names the decision that never came, on a day of the log. */
const waitedFor = (day: number) =>
	`/v1/decisions/${idAt((log.days[day] as number) + 1_000, 900)}`;

test("the days before SEGUE_LOG_DAYS go, their sums stay, replay says that it begins from them, and what waited there has expired", async () => {
	let said = "";
	// A day goes once reports have counted it.
	await waitFor(
		async () => {
			const run = await segue("retention", "run");
			said += run.stdout + run.stderr;
			return (
				run.code === 0 && said.includes(`Dropped ${dayOf(log.days[1] ?? 0)}`)
			);
		},
		60_000,
		() => `nothing was dropped:\n${said}\n${instance.output()}`,
	);
	for (const day of log.days.slice(0, 2))
		expect(said).toContain(
			`Dropped ${dayOf(day)}: 40 decisions, 33 outcomes, 1 events of no decision, 1 that waited for a decision.\n`,
		);
	expect(said).not.toContain(`Dropped ${dayOf(log.days[2] as number)}`);
	expect(said).toContain(
		"Their sums stay, added up into one row per arm, bucket and chunk; replay begins from them.\n",
	);

	const replayed = await segue("replay");
	expect(replayed.code, replayed.stdout + replayed.stderr).toBe(0);
	expect(replayed.stdout).toContain("Decisions folded: 80, outcomes: 64; ");
	expect(replayed.stdout).toMatch(
		/^retention begins from what retention folded away: 64 decisions that taught, in \d+ sums that were proved when their rows were dropped\.$/m,
	);
	expect(replayed.stdout).toContain(
		"Equal: every stored sum is bit for bit what the log says.\n",
	);

	const { events } = (await get("/v1/experiments/-/ledger")).body;
	expect(events).toMatchObject({
		"unknown decision (expired)": 2,
		"unknown decision (waiting)": 2,
	});
	const expired = await get(waitedFor(0));
	expect(expired.status).toBe(404);
	expect(expired.body).not.toHaveProperty("events");
	const waiting = await get(waitedFor(2));
	expect(waiting.status).toBe(404);
	expect(waiting.body.events).toMatchObject([
		{ type: "play", verdict: "unknown decision (waiting)" },
	]);
});

test("a unit that was in days that went is erased from the others; the receipt says which cannot be subtracted, and of all that remains until when", async () => {
	const at = Date.now();
	const signals = ["unit-1", "unit-2", "unit-3"].map((unit) => ({
		id: `pack-${unit}`,
		type: "skip",
		unit,
		at,
	}));
	const sent = await send(instance.url, "POST", "/v1/events", {
		events: signals,
	});
	expect(sent.body).toEqual({ accepted: 3, rejected: [] });
	await waitFor(
		async () =>
			(await get("/v1/experiments/-/ledger")).body.events.signal === 4 + 3,
		30_000,
		() => `the pack was not learned:\n${instance.output()}`,
	);

	const asked = Date.now();
	const answer = await send(instance.url, "DELETE", "/v1/units/unit-1");
	const answered = Date.now();
	expect(answer.status).toBe(200);
	const receipt = answer.body as Receipt;
	expect(receipt.removed).toMatchObject({ decisions: 12, signals: 1 });
	const until = new Map(
		receipt.remains.map((one) => [one.where, one.until] as const),
	);
	expect([...until.keys()]).toEqual([
		"backups and write-ahead log of the database",
		"stream",
		"spools of other deciders",
		"memory of deciders",
		"sums of days that retention folded away",
		"decisions on their way",
	]);
	const within = (where: string, ms: number) => {
		const instant = Date.parse(until.get(where) ?? "");
		expect(instant).toBeGreaterThanOrEqual(asked + ms);
		expect(instant).toBeLessThanOrEqual(answered + ms);
	};
	// The most that live windows of an hour may ask for, and it is purged once a minute.
	within("stream", (2 * 66 + 10 + 1) * MINUTE);
	within("memory of deciders", 66 * MINUTE);
	expect(until.get("decisions on their way")).toBe(
		new Date(Date.parse(receipt.erasedAt) + 2_000).toISOString(),
	);
	for (const where of ["backups", "spools", "sums"])
		expect([...until].find(([name]) => name.startsWith(where))?.[1]).toBeNull();
	const folded = receipt.remains.find(({ where }) => where.startsWith("sums"));
	expect(folded?.why).toContain(
		`Decisions before ${new Date(log.days[2] as number).toISOString()} are no longer in the log.`,
	);
	expect(folded?.why).toContain("cannot be subtracted");
	const stays = receipt.remains.find(({ where }) => where === "stream");
	expect(stays?.why).toContain("with other units' events");

	const replayed = await segue("replay", "--json");
	expect(JSON.parse(replayed.stdout)).toMatchObject({
		equal: true,
		decisions: 80 - 12,
		closed: [{ experiment: "retention", learned: 64 }],
	});
});
