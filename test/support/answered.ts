import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect } from "vitest";
import { sampleEvent, sampleRequest, type TestEvent } from "./client.js";
import { segueCli, waitFor } from "./segue.js";

/** What a client was told by a Segue whose surroundings fail: what it may rely on. */
export class Answered {
	/** Unit by decision. */
	readonly decided = new Map<string, string>();
	/** Decision by event. */
	readonly accepted = new Map<string, string>();
	/** Answers that are neither a decision nor an acceptance, in words. */
	readonly refused: string[] = [];
	readonly degraded = new Set<string>();
	/** Of each decision, in ms. */
	readonly latencies: number[] = [];
	#next = 0;

	/** A decision and its event; throws where the server is not there. */
	async one(url: string): Promise<void> {
		const i = this.#next++;
		const request = sampleRequest(i);
		const askedAt = performance.now();
		const decision = await post(`${url}/v1/decisions`, request);
		this.latencies.push(performance.now() - askedAt);
		if (decision.status !== 200) {
			this.refused.push(`${decision.status} ${JSON.stringify(decision.body)}`);
			return;
		}
		const id = decision.body.decisionId as string;
		this.decided.set(id, request.unit);
		for (const reason of decision.body.degraded) this.degraded.add(reason);
		await this.#report(url, [sampleEvent(i, request.unit, id)]);
	}

	/** `count` events of about 2 kB each at once, all of one decision. */
	async heavy(url: string, count: number): Promise<void> {
		const [id, unit] = [...this.decided].at(-1) as [string, string];
		const properties = Object.fromEntries(
			Array.from({ length: 25 }, (_, i) => [`part${i}`, "x".repeat(64)]),
		);
		const events = Array.from({ length: count }, () => ({
			...sampleEvent(this.#next++, unit, id),
			properties,
		}));
		await this.#report(url, events);
	}

	async #report(url: string, events: readonly TestEvent[]): Promise<void> {
		const answer = await post(`${url}/v1/events`, { events });
		if (answer.status === 202 && answer.body.accepted === events.length)
			for (const { id, decisionId } of events)
				this.accepted.set(id, decisionId);
		else this.refused.push(`${answer.status} ${JSON.stringify(answer.body)}`);
	}

	/** Asks on `workers` ways at once until it is stopped, or the server goes away, as one does that is killed. */
	trafficUntilGone(url: string, workers: number): Traffic {
		return running(workers, async (isStopped) => {
			try {
				while (!isStopped()) await this.one(url);
			} catch {
				// Whoever killed it knows.
			}
		});
	}

	/** Asks on `workers` ways at once, with pauses. No answer is a refusal. */
	traffic(url: string, workers: number, pauseMs: number): Traffic {
		return running(workers, async (isStopped) => {
			for (; !isStopped(); await sleep(pauseMs))
				await this.one(url).catch((error) => {
					this.refused.push(`no answer: ${error}`);
				});
		});
	}

	/** Every answered decision is in the log once, every accepted event once, and a replay finds the same sums. */
	async provenOnce(databaseUrl: string, withinMs = 60_000): Promise<void> {
		expect(this.decided.size).toBeGreaterThan(10);
		const client = new pg.Client({ connectionString: databaseUrl });
		await client.connect();
		try {
			const times = async (sql: string, ids: Iterable<string>) => {
				const { rows } = await client.query<{ what: string; n: number }>(sql, [
					[...ids],
				]);
				return new Map(rows.map(({ what, n }) => [what, n]));
			};
			const decisions = () =>
				times(
					"select d.id::text as what, count(*)::int as n from decisions d where d.id = any ($1::uuid[]) group by d.id",
					this.decided.keys(),
				);
			const events = () =>
				times(
					"select o.event_id || ' ' || o.decision_id as what, count(*)::int as n from outcomes o where o.event_id = any ($1::text[]) group by o.event_id, o.decision_id",
					this.accepted.keys(),
				);
			await waitFor(
				async () =>
					(await decisions()).size >= this.decided.size &&
					(await events()).size >= this.accepted.size,
				withinMs,
				() => "what was answered did not all reach the log",
			);
			const counted = await decisions();
			expect(
				[...this.decided.keys()].filter((id) => counted.get(id) !== 1),
			).toEqual([]);
			const learned = await events();
			expect(
				[...this.accepted].filter(
					([event, id]) => learned.get(`${event} ${id}`) !== 1,
				),
			).toEqual([]);
		} finally {
			await client.end();
		}
		const replay = await replayed(databaseUrl);
		expect(replay.differences).toEqual([]);
		expect(replay.equal).toBe(true);
	}
}

export interface Traffic {
	/** Once what is under way is answered. */
	stop(): Promise<unknown>;
}

function running(
	workers: number,
	ask: (isStopped: () => boolean) => Promise<void>,
): Traffic {
	let stopped = false;
	const all = Promise.all(
		Array.from({ length: workers }, () => ask(() => stopped)),
	);
	return {
		stop: () => {
			stopped = true;
			return all;
		},
	};
}

/** What `segue replay --json` says. */
export async function replayed(DATABASE_URL: string) {
	const { stdout } = await segueCli(["replay", "--json"], { DATABASE_URL });
	return JSON.parse(stdout.trim().split("\n").at(-1) as string);
}

/** As a client with a connection kept open: what the answer takes is the server's. */
async function post(url: string, body: unknown) {
	const response = await fetch(url, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	// biome-ignore lint/suspicious/noExplicitAny: refusals have another shape
	const said = (await response.json()) as any;
	return { status: response.status, body: said };
}
