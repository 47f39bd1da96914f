import { Agent } from "node:http";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import {
	type Running,
	startDecider,
	startLearner,
	startServers,
	type Undo,
} from "../decide/children.js";
import { atRate } from "./pace.js";
import { post } from "./post.js";

/**
 * How long it takes until a decision knows of an event: a decider and a learner as they are built, a real broker and database, events at
 * an even rate by one of the two doors. Now and then one is of a listener of its own, for whom decisions are asked one after another,
 * from the instant the event was to be sent, until one has counted it. Time counts from that instant to that decision's answer: what the
 * sender is late counts, and so does the decision itself.
 */

export type Door = "POST /v1/events" | "NATS";

export interface EventToDecision {
	readonly door: Door;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly maxMs: number;
	/** Events that were waited for. */
	readonly probes: number;
	readonly eventsPerSecond: number;
	readonly decisionsPerSecond: number;
	/** Of the decider's, on the average, and of one that may be 1. */
	readonly processor: number;
}

export interface LoadOfEvents {
	readonly eventsPerSecond: number;
	readonly seconds: number;
}

const KEY = "bench-context";
const UNITS = 20_000;
/** Events of a request, as a listener's app gathers them. */
const A_REQUEST = 5;
const PROBES_A_SECOND = 50;
/** Sent before, not counted. */
const WARM_UP_SECONDS = 5;
const LONGEST_MS = 10_000;

const live = { from: "live", kind: "number", event: "skip", scale: 5 };
const experiment = {
	key: KEY,
	arms: [{ key: "focus" }, { key: "energy" }, { key: "calm" }].map((arm) => ({
		...arm,
		payload: { text: arm.key },
	})),
	context: {
		features: [
			{ ...live, name: "skips30s", window: "30s" },
			{ ...live, name: "skips5m", window: "5m" },
			{ ...live, name: "dwell5m", window: "5m", aggregate: "mean" },
			{ ...live, name: "sinceSkip", window: "1h", aggregate: "timeSince" },
		],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
};

/** By each door in turn, against one decider. */
export async function measureEventToDecision(
	load: LoadOfEvents,
	say: (line: string) => void,
	undo: Undo,
): Promise<readonly EventToDecision[]> {
	const servers = await startServers(undo);
	await startLearner(servers, undo);
	const decider = await startDecider(servers, undo);
	const agent = new Agent({ keepAlive: true, maxSockets: 128 });
	undo.add(async () => agent.destroy());
	const path = `/v1/experiments/${KEY}`;
	await post(agent, decider.url + path, experiment, "PUT");
	await post(agent, `${decider.url}${path}/start`, {});
	const connection = await connect({ servers: servers.natsUrl });
	undo.add(() => connection.close());
	const stream = jetstream(connection);

	const doors: Record<Door, Send> = {
		"POST /v1/events": async (events) => {
			const { accepted } = (await post(agent, `${decider.url}/v1/events`, {
				events,
			})) as { accepted: number };
			if (accepted !== events.length)
				throw new Error(`${accepted} of ${events.length} were accepted.`);
		},
		NATS: async (events) => {
			const kept = events.map((event) =>
				stream.publish("segue.events.skip", JSON.stringify(event)),
			);
			await Promise.all(kept);
		},
	};
	const found: EventToDecision[] = [];
	for (const door of ["POST /v1/events", "NATS"] as const) {
		say(`${load.eventsPerSecond} events/s by ${door}`);
		found.push(await byDoor(door, doors[door], load, decider, agent));
	}
	return found;
}

type Send = (events: readonly object[]) => Promise<void>;

async function byDoor(
	door: Door,
	send: Send,
	{ eventsPerSecond, seconds }: LoadOfEvents,
	decider: Running,
	agent: Agent,
): Promise<EventToDecision> {
	const perSecond = eventsPerSecond / A_REQUEST;
	const warmUp = perSecond * WARM_UP_SECONDS;
	const probeEvery = Math.round(perSecond / PROBES_A_SECOND);
	const waits: number[] = [];
	let decisions = 0;
	let begunAt = 0;
	let serial = 0;
	const eventOf = (unit: string) => ({
		id: `${door === "NATS" ? "n" : "p"}-${serial++}`,
		type: "skip",
		unit,
		at: new Date().toISOString(),
		value: (serial % 40) / 8,
	});
	await atRate(perSecond, warmUp + perSecond * seconds, async (turn, dueAt) => {
		if (turn === warmUp) {
			begunAt = performance.now();
			decisions = 0;
			await decider.ask("reset");
		}
		const isProbe = turn % probeEvery === 0;
		const unit = isProbe
			? `${door === "NATS" ? "n" : "p"}-probe-${turn}`
			: `listener-${(turn * 7_919) % UNITS}`;
		// The one that is waited for comes last, as the others of its request are somebody's.
		const sending = send(
			Array.from({ length: A_REQUEST }, (_, i) =>
				eventOf(i === A_REQUEST - 1 ? unit : `listener-${(turn + i) % UNITS}`),
			),
		);
		if (isProbe) {
			const asked = await untilCounted(agent, decider.url, unit, dueAt);
			decisions += asked;
			if (turn >= warmUp) waits.push(performance.now() - dueAt);
		}
		await sending;
	});
	const lasted = (performance.now() - begunAt) / 1e3;
	const { processorMs } = (await decider.ask("pauses")) as {
		processorMs: number;
	};
	const sorted = Float64Array.from(waits).sort();
	const quantile = (q: number) =>
		sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
	return {
		door,
		p50Ms: quantile(0.5),
		p99Ms: quantile(0.99),
		maxMs: quantile(1),
		probes: sorted.length,
		eventsPerSecond: (perSecond * seconds * A_REQUEST) / lasted,
		decisionsPerSecond: decisions / lasted,
		processor: processorMs / 1e3 / lasted,
	};
}

/** Asks for decisions of the unit, one after another, until one knows of its event; how many there were. */
async function untilCounted(
	agent: Agent,
	url: string,
	unit: string,
	dueAt: number,
): Promise<number> {
	const request = { experiment: KEY, unit, explain: true };
	for (let asked = 1; performance.now() < dueAt + LONGEST_MS; asked++) {
		const { explanation } = (await post(
			agent,
			`${url}/v1/decisions`,
			request,
		)) as {
			explanation: { features: { name: string; value: unknown }[] };
		};
		const skips = explanation.features.find(({ name }) => name === "skips30s");
		if (skips?.value === 1) return asked;
	}
	throw new Error(`An event of ${unit} was in no decision within 10 s.`);
}
