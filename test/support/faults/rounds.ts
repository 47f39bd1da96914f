import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { sampleRequest } from "../client.js";
import type { Instance } from "../segue.js";

/** Rounds with a fault and without it by turns. */
interface Rounds {
	readonly name: string;
	readonly rounds: number;
	/** Of the quiet and the failing half of a round alike. */
	readonly lengthMs: (round: number) => number;
	/** After a fault, for what waited. */
	readonly settleMs: number;
	/** Of what is asked all the time; emptied for each half. */
	readonly latencies: number[];
	/** Beside the requests that are measured, in both halves. */
	readonly meanwhile?: () => Promise<unknown>;
	/** Makes the fault, and says how it ends. */
	readonly fail: (round: number) => Promise<() => Promise<unknown>>;
}

/** How much slower the slowest hundredth is while it fails: the median over the rounds, each half coming first every other time. */
export async function slowness({
	name,
	rounds,
	lengthMs,
	settleMs,
	latencies,
	meanwhile,
	fail,
}: Rounds): Promise<number> {
	const measured = async (ms: number) => {
		latencies.length = 0;
		const passed = sleep(ms).then(() => p99(latencies));
		await meanwhile?.();
		return passed;
	};
	const half = {
		quiet: (round: number) => measured(lengthMs(round)),
		failing: async (round: number) => {
			const end = await fail(round);
			const slowest = await measured(lengthMs(round));
			await end();
			await sleep(settleMs);
			return slowest;
		},
	};
	const all: { quiet: number; failing: number }[] = [];
	for (let round = 0; round < rounds; round++) {
		const slowest = { quiet: 0, failing: 0 };
		const order = ["quiet", "failing"] as const;
		for (const one of round % 2 === 0 ? order : order.toReversed())
			slowest[one] = await half[one](round);
		all.push(slowest);
	}
	const ratio = quantile(
		all.map((one) => one.failing / one.quiet),
		0.5,
	);
	const said = all.map(
		(one) => `${one.quiet.toFixed(1)} → ${one.failing.toFixed(1)}`,
	);
	console.log(
		`${name}: p99 of decisions in ms ${said.join(", ")}; median ratio ${ratio.toFixed(2)}.`,
	);
	return ratio;
}

function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length * share)] as number;
}

const p99 = (latencies: readonly number[]) => quantile(latencies, 0.99);

/** What a process holds of the machine's memory, looked at each second. */
export class Memory {
	readonly #first: number;
	#most: number;
	readonly #timer: NodeJS.Timeout;

	private constructor(
		private readonly of: Instance,
		first: number,
	) {
		this.#first = first;
		this.#most = first;
		this.#timer = setInterval(() => void this.#look(), 1_000);
	}

	static async watch(of: Instance): Promise<Memory> {
		return new Memory(of, await residentBytes(of));
	}

	async #look(): Promise<void> {
		const now = await residentBytes(this.of).catch(() => 0);
		this.#most = Math.max(this.#most, now);
	}

	/** How much more than at first it held at most, said too. */
	async grown(name: string): Promise<number> {
		clearInterval(this.#timer);
		await this.#look();
		console.log(
			`${name}: ${mebibytes(this.#first)} before, at most ${mebibytes(this.#most)}.`,
		);
		return this.#most - this.#first;
	}
}

const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(0)} MiB`;

async function residentBytes({ process: { pid } }: Instance): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1_024;
}

/** Decisions that are asked for by a requestId, each twice: unlike plain ones these ask the database before they are answered. */
export class NamedRequests {
	/** Of the first asks, in ms. */
	readonly latencies: number[] = [];
	/** Answers that are no decision, and second ones that are another's although the database was heard both times. */
	readonly wrong: string[] = [];
	/** Answers that went without the database. */
	unheard = 0;
	#next = 0;

	/** @param onDecided gets each decision and its unit. */
	constructor(private readonly onDecided: (id: string, unit: string) => void) {}

	async one(url: string): Promise<void> {
		const i = this.#next++;
		const request = { ...sampleRequest(i), requestId: `named-${i}` };
		const askedAt = performance.now();
		const first = await this.#ask(url, request);
		this.latencies.push(performance.now() - askedAt);
		const second = await this.#ask(url, request);
		if (first !== null && second !== null && first !== second)
			this.wrong.push(`${request.requestId}: ${first}, then ${second}`);
	}

	/** Asks until it is stopped. */
	traffic(url: string, pauseMs: number): { stop(): Promise<void> } {
		let stopped = false;
		const asking = (async () => {
			while (!stopped) {
				await this.one(url);
				await sleep(pauseMs);
			}
		})();
		// Whoever stops it is told; where a test failed before, nobody does.
		asking.catch(() => {});
		return {
			stop: () => {
				stopped = true;
				return asking;
			},
		};
	}

	/** Of the first asks, in ms. */
	p99(): number {
		return p99(this.latencies);
	}

	said(): string {
		const { length } = this.latencies;
		return `${length} requests with a requestId, each twice: first answers after ${quantile(this.latencies, 0.5).toFixed(1)} ms (p50), ${this.p99().toFixed(1)} ms (p99); ${this.unheard} answers without the database.`;
	}

	/** The decision; null where it may be another at the next ask. */
	async #ask(
		url: string,
		request: ReturnType<typeof sampleRequest>,
	): Promise<string | null> {
		const response = await fetch(`${url}/v1/decisions`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(request),
		});
		// biome-ignore lint/suspicious/noExplicitAny: refusals have another shape
		const body = (await response.json()) as any;
		if (response.status !== 200) {
			this.wrong.push(`${response.status} ${JSON.stringify(body)}`);
			return null;
		}
		this.onDecided(body.decisionId, request.unit);
		if (!body.degraded.includes("retry")) return body.decisionId;
		this.unheard++;
		return null;
	}
}
