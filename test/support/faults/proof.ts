import { expect } from "vitest";
import { PostgresPosteriorSource } from "#adapters/postgres";
import { RETRACT } from "#core/experiment";
import { timeOfId } from "#core/log";
import { replayed } from "../answered.js";
import type { Ground } from "./ground.js";
import { type History, MOST_ITEMS } from "./history.js";

const DAY_MS = 86_400_000;
const VALUES: { readonly [type: string]: number } = {
	play: 0.3,
	complete: 0.7,
	skip: -0.2,
	impression: 0,
};

/** A multiple of 2⁻¹², ties upward (DESIGN §5). */
const q = (value: number): number => Math.round(4096 * value) / 4096;
const bits = (sums: ArrayLike<number>): string =>
	Buffer.from(Float64Array.from(sums).buffer).toString("hex");

/** [n, b, lower triangle of A by rows] by experiment, arm and day, folded without anything of the product but the logged x. */
function plainFold({ decisions, outcomes }: History): Map<string, string> {
	const takenBack = new Set(outcomes.map(({ retracts }) => retracts));
	const standing = outcomes.filter(
		({ id, type }) => type !== RETRACT && !takenBack.has(id),
	);
	const rewards = new Map<string, number>();
	for (const { decisionId, type } of standing) {
		const before = rewards.get(decisionId as string) ?? 0;
		rewards.set(decisionId as string, before + q(VALUES[type] as number));
	}
	const sums = new Map<string, number[]>();
	for (const { experiment, id, arm, x } of decisions) {
		const earned = rewards.get(id);
		if (earned === undefined) continue;
		const reward = Math.min(2, Math.max(-1, earned));
		const gains = [1, ...[...x].map((xi) => reward * xi)];
		for (const [i, xi] of x.entries())
			for (const xj of x.slice(0, i + 1)) gains.push(xi * xj);
		const key = `${experiment} ${arm} ${Math.floor(timeOfId(id) / DAY_MS)}`;
		const before = sums.get(key) ?? gains.map(() => 0);
		sums.set(
			key,
			before.map((sum, i) => sum + (gains[i] as number)),
		);
	}
	return new Map([...sums].map(([key, sum]) => [key, bits(sum)]));
}

/**
 * All that was published is in the log once, or a dead letter where it cannot be read; the sums are those of a plain fold and of a
 * replay, bit by bit, and the counts of verdicts add up to the deliveries. Returns what happened, in words.
 */
export async function proven(ground: Ground): Promise<string> {
	const { history, database } = ground;
	const decisions = await database.query<{ name: string }>(
		"select d.id::text as name from decisions d",
	);
	sameNames(
		decisions,
		history.decisions.map(({ id }) => id),
	);
	const outcomes = await database.query<{ name: string }>(
		"select o.event_id || ' ' || o.decision_id as name from outcomes o",
	);
	sameNames(
		outcomes,
		history.outcomes.map(({ id, decisionId }) => `${id} ${decisionId}`),
	);
	const letters = await database.query("select from dead_letters");
	expect(letters.length, "dead letters").toBe(history.letters);
	const source = new PostgresPosteriorSource(database);
	const stored = new Map<string, string>();
	for (const experiment of history.experiments) {
		const { buckets } = await source.everyVersion(experiment);
		for (const { arm, bucket, sums } of buckets)
			stored.set(`${experiment} ${arm} ${bucket}`, bits(sums));
	}
	expect(Object.fromEntries(stored)).toEqual(
		Object.fromEntries(plainFold(history)),
	);
	const replay = await replayed(ground.databaseUrl);
	expect(replay.differences).toEqual([]);
	expect(replay.equal).toBe(true);
	const { again, counted } = await deliveriesAddUp(ground);
	expect(await deadlocks(ground), "deadlocks").toBe(0);
	return `${decisions.length} decisions and ${outcomes.length} outcomes in the log once, ${letters.length} dead letters; ${counted} deliveries counted of ${history.sent.decision + history.sent.event} items, ${again} messages delivered again`;
}

/** As lists, since a difference of large sets takes long to print. */
function sameNames(
	stored: readonly { readonly name: string }[],
	sent: readonly string[],
): void {
	const known = new Set(sent);
	const found = new Set(stored.map(({ name }) => name));
	expect(sent.filter((name) => !found.has(name)).slice(0, 10), "lost").toEqual(
		[],
	);
	expect(
		[...found].filter((name) => !known.has(name)).slice(0, 10),
		"never sent",
	).toEqual([]);
	expect(stored.length, "rows").toBe(found.size);
}

/** Each item is counted once with its verdict, each further delivery of it as a duplicate; those that a killed learner held may not be counted. */
async function deliveriesAddUp(ground: Ground) {
	const { history } = ground;
	const { sent } = history;
	const { decision, event } = await deliveriesCounted(ground);
	expect(decision.total - decision.repeated).toBe(history.decisions.length);
	expect(event.total - event.repeated).toBe(
		history.outcomes.length + history.letters,
	);
	expect(decision.total).toBeGreaterThanOrEqual(sent.decision);
	expect(event.total).toBeGreaterThanOrEqual(sent.event);
	const { again } = await ground.consumer();
	const counted = decision.total + event.total;
	expect(counted).toBeLessThanOrEqual(
		sent.decision + sent.event + again * MOST_ITEMS,
	);
	return { counted, again };
}

interface Deliveries {
	readonly total: number;
	readonly repeated: number;
	/** Of `total`, those that name a decision that has not come. */
	readonly waiting: number;
}

/** What the ledger says was delivered. */
export async function deliveriesCounted({
	database,
}: Ground): Promise<{ decision: Deliveries; event: Deliveries }> {
	const rows = await database.query<Deliveries & { kind: string }>(
		`select v.kind, sum(v.count)::int8 as total, coalesce(sum(v.count) filter (where v.verdict = 'duplicate'), 0)::int8 as repeated,
			coalesce(sum(v.count) filter (where v.verdict = 'unknown decision (waiting)'), 0)::int8 as waiting
		from verdict_counts v group by v.kind order by v.kind`,
	);
	expect(rows.map(({ kind }) => kind)).toEqual(["decision", "event"]);
	const [decision, event] = rows as [(typeof rows)[0], (typeof rows)[0]];
	return { decision, event };
}

async function deadlocks({ database }: Ground): Promise<number | undefined> {
	const [row] = await database.query<{ deadlocks: number }>(
		"select d.deadlocks from pg_stat_database d where d.datname = current_database()",
	);
	return row?.deadlocks;
}

/** One more burst that no fault meets: each of its deliveries is counted, and nothing else; needs a backlog of nothing. */
export async function countedExactly(
	ground: Ground,
	publish: () => Promise<void>,
): Promise<void> {
	const { sent } = ground.history;
	const published = { ...sent };
	const { again } = await ground.consumer();
	const before = await deliveriesCounted(ground);
	await publish();
	await ground.backlogBelow(1, 60_000);
	const after = await deliveriesCounted(ground);
	expect((await ground.consumer()).again, "delivered again").toBe(again);
	expect(after.decision.total - before.decision.total).toBe(
		sent.decision - published.decision,
	);
	expect(after.event.total - before.event.total).toBe(
		sent.event - published.event,
	);
}
