import autocannon from "autocannon";
import { atRate } from "../support/pace.js";
import { Connections, postOf } from "./connections.js";

export interface Load {
	readonly url: string;
	readonly path: string;
	readonly bodies: readonly string[];
	readonly connections: number;
	readonly seconds: number;
}

export interface Measured {
	/** Answers with status 200 a second. */
	readonly perSecond: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly answered: number;
}

const HEADERS = { "content-type": "application/json" };

/** Closed loop: every connection sends its next request when it has its answer. Throws where an answer is not 200. */
export async function closedLoop(load: Load): Promise<Measured> {
	const latencies: number[] = [];
	const result = await new Promise<autocannon.Result>((resolve, reject) => {
		const running = autocannon(
			{
				url: load.url,
				connections: load.connections,
				duration: load.seconds,
				requests: load.bodies.map((body) => ({
					method: "POST" as const,
					path: load.path,
					headers: HEADERS,
					body,
				})),
			},
			(error, result) => (error ? reject(error) : resolve(result)),
		);
		// autocannon's own histogram knows whole milliseconds only.
		running.on("response", (_client, _status, _bytes, ms) =>
			latencies.push(ms),
		);
	});
	if (result.non2xx > 0 || result.errors > 0 || result["2xx"] === 0)
		throw new Error(
			`${load.url}${load.path}: ${result["2xx"]} answers with 2xx, ${result.non2xx} others, ${result.errors} errors.`,
		);
	const quantile = quantilesOf(latencies);
	return {
		perSecond: result["2xx"] / result.duration,
		p50Ms: quantile(0.5),
		p99Ms: quantile(0.99),
		answered: result["2xx"],
	};
}

function quantilesOf(values: readonly number[]): (q: number) => number {
	const sorted = Float64Array.from(values).sort();
	return (q) =>
		sorted[
			Math.min(sorted.length - 1, Math.floor(q * sorted.length))
		] as number;
}

export interface OpenLoop {
	readonly sent: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly maxMs: number;
}

/**
 * Open loop: requests are due at a fixed rate, whatever happens to the earlier ones, and latency counts from when each was due. A
 * request that finds all connections busy waits for one, and that wait counts too; so does the millisecond that a timer is late.
 */
export async function openLoop(
	load: Load,
	perSecond: number,
): Promise<OpenLoop> {
	const { url, path } = load;
	const requests = load.bodies.map((body) => postOf(url, path, body));
	const connections = await Connections.open(url, load.connections);
	const most = Math.floor(perSecond * load.seconds);
	const latencies: number[] = [];
	try {
		await atRate(perSecond, most, async (turn, dueAt) => {
			await connections.post(requests[turn % requests.length] as Buffer);
			latencies.push(performance.now() - dueAt);
		});
	} finally {
		connections.close();
	}
	const quantile = quantilesOf(latencies);
	return {
		sent: most,
		p50Ms: quantile(0.5),
		p99Ms: quantile(0.99),
		maxMs: quantile(1),
	};
}
