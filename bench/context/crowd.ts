import { Agent } from "node:http";
import { connect } from "@nats-io/transport-node";
import { atRate } from "../support/pace.js";
import { byNats, byPost, type Door } from "./doors.js";
import { skips } from "./skips.js";

/**
 * Everybody whom nobody waits for: a process of its own, since who sends thousands of events a second stands still now and then to
 * collect its garbage, and whoever waits for a decision there would count that as the decision's.
 */

export interface CrowdTask {
	readonly door: Door;
	readonly url: string;
	readonly natsUrl: string;
	readonly eventsPerSecond: number;
	readonly seconds: number;
}

export interface CrowdDone {
	readonly events: number;
	/** Milliseconds that 99 of 100 requests were late at most. */
	readonly lateMs: number;
	readonly processorMs: number;
}

const LISTENERS = 20_000;
/** Events of a request, as a listener's app gathers them. */
const A_REQUEST = 5;

async function send(task: CrowdTask): Promise<CrowdDone> {
	const agent = new Agent({ keepAlive: true, maxSockets: 128 });
	const connection = await connect({
		servers: task.natsUrl,
		noAsyncTraces: true,
	});
	const keep =
		task.door === "NATS" ? byNats(connection) : byPost(agent, task.url);
	const skip = skips(`crowd-${task.door.slice(0, 1)}`);
	const requests = Math.round(
		(task.eventsPerSecond * task.seconds) / A_REQUEST,
	);
	const late = new Float64Array(requests);
	const before = process.cpuUsage();
	await atRate(
		task.eventsPerSecond / A_REQUEST,
		requests,
		async (turn, dueAt) => {
			late[turn] = performance.now() - dueAt;
			await keep(
				Array.from({ length: A_REQUEST }, (_, i) =>
					skip(`listener-${(turn * 7_919 + i) % LISTENERS}`),
				),
			);
		},
	);
	agent.destroy();
	await connection.close();
	const { user, system } = process.cpuUsage(before);
	return {
		events: requests * A_REQUEST,
		lateMs: late.sort()[Math.floor(0.99 * requests)] ?? Number.NaN,
		processorMs: (user + system) / 1e3,
	};
}

process.once("message", (task: CrowdTask) => {
	void send(task).then((done) => {
		process.send?.(done);
		process.disconnect();
	});
});
