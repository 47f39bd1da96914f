import { Agent, request } from "node:http";
import autocannon from "autocannon";

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
 * request that finds all connections busy waits for one, and that wait counts too.
 */
export async function openLoop(
	load: Load,
	perSecond: number,
): Promise<OpenLoop> {
	const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
	const most = Math.floor(perSecond * load.seconds);
	const begunAt = performance.now();
	const latencies: number[] = [];
	let due = 0;
	await new Promise<void>((resolve, reject) => {
		const send = () => {
			const now = performance.now();
			while (due < most && begunAt + (due / perSecond) * 1e3 <= now) {
				const dueAt = begunAt + (due / perSecond) * 1e3;
				const body = load.bodies[due % load.bodies.length] as string;
				due++;
				post(agent, load, body).then(() => {
					latencies.push(performance.now() - dueAt);
					if (latencies.length === most) resolve();
				}, reject);
			}
			if (due < most) setImmediate(send);
		};
		send();
	});
	agent.destroy();
	const quantile = quantilesOf(latencies);
	return {
		sent: most,
		p50Ms: quantile(0.5),
		p99Ms: quantile(0.99),
		maxMs: quantile(1),
	};
}

function post(agent: Agent, { url, path }: Load, body: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const headers = { ...HEADERS, "content-length": Buffer.byteLength(body) };
		const sending = request(
			url + path,
			{ method: "POST", agent, headers },
			(answer) => {
				answer.resume();
				answer.once("end", () =>
					answer.statusCode === 200
						? resolve()
						: reject(new Error(`${path} answered ${answer.statusCode}.`)),
				);
			},
		);
		sending.once("error", reject);
		sending.end(body);
	});
}
