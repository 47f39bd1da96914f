import { fork } from "node:child_process";
import { Agent } from "node:http";
import { connect } from "@nats-io/transport-node";
import {
	type Running,
	type Servers,
	startDecider,
	startLearner,
	startServers,
	type Undo,
} from "../decide/children.js";
import { atRate } from "../support/pace.js";
import type { CrowdDone, CrowdTask } from "./crowd.js";
import { byNats, byPost, type Door, type Send } from "./doors.js";
import { post } from "./post.js";
import { skips } from "./skips.js";
import { Standstills } from "./standstills.js";

/**
 * How long it takes until a decision knows of an event: a decider and a learner as they are built, a real broker and database, events at
 * an even rate by one of the two doors, from a process of their own (crowd.ts). Fifty a second are sent from here, each of a listener of
 * its own, for whom decisions are asked one after another, from the instant the event was to be sent, until one has counted it. Time
 * counts from that instant to that decision's answer: what the sender is late counts, and so does the decision itself.
 */

export interface EventToDecision {
	readonly door: Door;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly maxMs: number;
	/** Events that were waited for. */
	readonly probes: number;
	/** The 99th percentile without the time that the waiting process itself had no turn. */
	readonly p99OfOthersMs: number;
	readonly eventsPerSecond: number;
	readonly decisionsPerSecond: number;
	/** How late the crowd's requests were, 99 of 100. */
	readonly crowdLateMs: number;
	/** Of the decider's, on the average, and of one that may be 1. */
	readonly processor: number;
}

export interface LoadOfEvents {
	readonly eventsPerSecond: number;
	readonly seconds: number;
}

const KEY = "bench-context";
const PROBES_A_SECOND = 50;
/** Sent before, not counted: programs that have just started are still being compiled. */
const WARM_UP_SECONDS = 10;
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
	const connection = await connect({
		servers: servers.natsUrl,
		noAsyncTraces: true,
	});
	undo.add(() => connection.close());
	const standstills = new Standstills();
	undo.add(async () => standstills.stop());
	const doors: Record<Door, Send> = {
		"POST /v1/events": byPost(agent, decider.url),
		NATS: byNats(connection),
	};
	const found: EventToDecision[] = [];
	for (const door of ["POST /v1/events", "NATS"] as const) {
		say(`${load.eventsPerSecond} events/s by ${door}`);
		const crowd = sendCrowd(door, load, servers, decider, undo);
		const measured = await probe(door, load.seconds, {
			send: doors[door],
			decider,
			agent,
			standstills,
		});
		const { events, lateMs } = await crowd;
		found.push({
			...measured,
			door,
			eventsPerSecond:
				events / (WARM_UP_SECONDS + load.seconds) + PROBES_A_SECOND,
			crowdLateMs: lateMs,
		});
	}
	return found;
}

/** Sends what nobody waits for, during warm-up and measurement. */
function sendCrowd(
	door: Door,
	{ eventsPerSecond, seconds }: LoadOfEvents,
	{ natsUrl }: Servers,
	{ url }: Running,
	undo: Undo,
): Promise<CrowdDone> {
	const child = fork(new URL("./crowd.js", import.meta.url));
	undo.add(async () => void child.kill());
	const task: CrowdTask = {
		door,
		url,
		natsUrl,
		eventsPerSecond: eventsPerSecond - PROBES_A_SECOND,
		seconds: WARM_UP_SECONDS + seconds,
	};
	return new Promise((resolve, reject) => {
		child.once("message", (done) => resolve(done as CrowdDone));
		child.once("exit", (code) =>
			reject(new Error(`The crowd's process ended early (${code}).`)),
		);
		child.send(task);
	});
}

interface Prober {
	readonly send: Send;
	readonly decider: Running;
	readonly agent: Agent;
	readonly standstills: Standstills;
}

async function probe(
	door: Door,
	seconds: number,
	{ send, decider, agent, standstills }: Prober,
): Promise<Omit<EventToDecision, "door" | "eventsPerSecond" | "crowdLateMs">> {
	const warmUp = PROBES_A_SECOND * WARM_UP_SECONDS;
	const waits: number[] = [];
	const ofOthers: number[] = [];
	let decisions = 0;
	let begunAt = 0;
	let reset: Promise<unknown> = Promise.resolve();
	const skip = skips(`probe-${door.slice(0, 1)}`);
	await atRate(
		PROBES_A_SECOND,
		warmUp + PROBES_A_SECOND * seconds,
		async (turn, dueAt) => {
			if (turn === warmUp) {
				begunAt = performance.now();
				decisions = 0;
				reset = decider.ask("reset");
			}
			const unit = `${door.slice(0, 1)}-probe-${turn}`;
			const sending = send([skip(unit)]);
			decisions += await untilCounted(agent, decider.url, unit, dueAt);
			const countedAt = performance.now();
			if (turn >= warmUp) {
				waits.push(countedAt - dueAt);
				ofOthers.push(countedAt - dueAt - standstills.within(dueAt, countedAt));
			}
			await sending;
		},
	);
	await reset;
	const lasted = (performance.now() - begunAt) / 1e3;
	const { processorMs } = (await decider.ask("pauses")) as {
		processorMs: number;
	};
	return {
		p50Ms: quantile(waits, 0.5),
		p99Ms: quantile(waits, 0.99),
		maxMs: quantile(waits, 1),
		probes: waits.length,
		p99OfOthersMs: quantile(ofOthers, 0.99),
		decisionsPerSecond: decisions / lasted,
		processor: processorMs / 1e3 / lasted,
	};
}

function quantile(values: readonly number[], q: number): number {
	const sorted = Float64Array.from(values).sort();
	const place = Math.min(sorted.length - 1, Math.floor(q * sorted.length));
	return sorted[place] ?? Number.NaN;
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
