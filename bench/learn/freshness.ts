import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "#adapters/postgres";
import { randomNumbers, requestOf } from "../decide/experiment.js";

/** A second's load: each decision gets five events. */
const DECISIONS_A_SECOND = 200;
const EVENT_TYPES = ["impression", "play", "dwell", "save", "skip"];
/** Between a decision and its events. */
const LISTENED_MS = 1_000;
/** Decisions go on after the last event, so that each event finds one that uses it. */
const TAIL_MS = 2_000;

export interface Freshness {
	/** Milliseconds from an event's being sent to the first decision made with a posterior that it had moved. */
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly maxMs: number;
	readonly events: number;
	readonly eventsPerSecond: number;
}

/** Sends decisions and events at an even pace, and then asks the log which decision was the first to use each event. */
export async function measureFreshness(
	url: string,
	database: Database,
	seconds: number,
): Promise<Freshness> {
	const startedAt = Date.now();
	const random = randomNumbers(startedAt);
	const pending: Promise<void>[] = [];
	const decisions = DECISIONS_A_SECOND * (seconds + TAIL_MS / 1_000);
	const listening = DECISIONS_A_SECOND * (seconds - LISTENED_MS / 1_000);
	const began = performance.now();
	let lastEventAt = startedAt;
	for (let i = 0; i < decisions; i++) {
		const due = began + (i * 1_000) / DECISIONS_A_SECOND;
		const early = due - performance.now();
		if (early > 1) await sleep(early);
		const listens = i < listening;
		pending.push(
			decideAndListen(url, random, listens).then((sentAt) => {
				lastEventAt = Math.max(lastEventAt, sentAt);
			}),
		);
	}
	await Promise.all(pending);
	const sent = EVENT_TYPES.length * listening;
	const waits = await untilUsed(database, startedAt, sent);
	return {
		p50Ms: quantile(waits, 0.5),
		p99Ms: quantile(waits, 0.99),
		maxMs: quantile(waits, 1),
		events: waits.length,
		eventsPerSecond:
			(1_000 * waits.length) / (lastEventAt - startedAt - LISTENED_MS),
	};
}

/** Returns when the events were sent; 0 for none. */
async function decideAndListen(
	url: string,
	random: () => number,
	listens: boolean,
): Promise<number> {
	const request = requestOf(random);
	const answer = (await post(`${url}/v1/decisions`, request)) as {
		decisionId: string;
	};
	if (!listens) return 0;
	await sleep(LISTENED_MS);
	const { decisionId } = answer;
	const at = Date.now();
	const events = EVENT_TYPES.map((type) => ({
		id: `${type}-${decisionId}`,
		type,
		at,
		unit: request.unit,
		decisionId,
	}));
	await post(`${url}/v1/events`, { events });
	return at;
}

async function post(url: string, body: unknown): Promise<unknown> {
	const answer = await fetch(url, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!answer.ok)
		throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
	return answer.json();
}

/** Of each event that was sent, milliseconds until a decision was made with its revision; ascending. */
async function untilUsed(
	database: Database,
	since: number,
	sent: number,
): Promise<Float64Array> {
	const decisions = await database.query<{ at: number; revision: number }>(
		`select 1000 * date_part('epoch', d.decided_at) as at, d.revision from decisions d
		where d.id >= segue_id_floor(to_timestamp($1 / 1000.0)) and d.decided_at >= to_timestamp($1 / 1000.0) order by d.decided_at`,
		[since],
	);
	const events = await database.query<{ at: number; revision: number }>(
		`select 1000 * date_part('epoch', o.at) as at, l.revision from outcomes o join revision_log l on l.batch = o.batch
		where o.decision_id >= segue_id_floor(to_timestamp($1 / 1000.0)) and o.at >= to_timestamp($1 / 1000.0) order by l.revision`,
		[since],
	);
	// A decision may be made with an older posterior than another decider's before it; the first use is the first that is as new.
	const waits: number[] = [];
	let next = 0;
	for (const event of events) {
		while ((decisions[next]?.revision ?? Infinity) < event.revision) next++;
		waits.push((decisions[next]?.at ?? Infinity) - event.at);
	}
	// What was not learned by now is not left out.
	while (waits.length < sent) waits.push(Infinity);
	return Float64Array.from(waits).sort();
}

function quantile(sorted: Float64Array, q: number): number {
	const place = Math.ceil(q * sorted.length) - 1;
	return sorted[Math.max(0, place)] ?? Number.NaN;
}
