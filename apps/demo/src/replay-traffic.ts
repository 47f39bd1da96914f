import { setTimeout as sleep } from "node:timers/promises";
import { LearningWatch } from "./learning-watch.js";
import type { OutcomeSender } from "./outcome-sender.js";
import type { SegueApi } from "./segue-api.js";
import type { Traffic, Turn } from "./traffic.js";

/** Decisions that may wait to be learned. */
const UNLEARNED = 100;
/** Decisions asked for at the same moment. */
const CLIENTS = 8;

export interface ReplayResult {
	readonly experiment: string;
	readonly decisions: number;
	readonly events: number;
	/** Client side, milliseconds: of each decision's answer. */
	readonly latencies: readonly number[];
	/** Milliseconds from sending a decision's outcomes until Segue decides with them. */
	readonly learnedWithin: readonly number[];
	/** Per decision whose answer named something degraded: what. */
	readonly degraded: readonly (readonly string[])[];
	readonly seconds: number;
	/** Time ran out before all had asked. */
	readonly cutShort: boolean;
}

export interface ReplayOptions {
	/** Decisions at most. */
	readonly limit: number;
	/** By `performance.now()`: nobody asks after it, so that a slow machine ends in time too. */
	readonly until: number;
	readonly api: SegueApi;
	readonly sender: OutcomeSender;
	readonly signal: AbortSignal;
	readonly progress: (decisions: number) => void;
}

/** Replays traffic as live traffic: eight clients ask, send what happened, and wait while too much is not yet learned. */
export async function replayTraffic(
	traffic: Traffic,
	{ limit, until, api, sender, signal, progress }: ReplayOptions,
): Promise<ReplayResult> {
	const watch = new LearningWatch(
		() => api.posterior(traffic.experiment),
		UNLEARNED,
		signal,
	);
	const latencies: number[] = [];
	const degraded: (readonly string[])[] = [];
	let [started, events] = [0, 0];

	const ask = async (turn: Turn & { kind: "ask" }) => {
		await watch.admit();
		const askedAt = performance.now();
		const decision = await api.decide(turn.request);
		latencies.push(performance.now() - askedAt);
		if (decision.degraded.length > 0) degraded.push(decision.degraded);
		const outcomes = turn.outcomes(decision, Date.now());
		const number = watch.sending();
		await sender.send(outcomes);
		events += outcomes.length;
		turn.sent(number);
		progress(latencies.length);
	};

	const client = async () => {
		for (;;) {
			signal.throwIfAborted();
			const open = started < limit && performance.now() < until;
			const turn = open ? traffic.next(Date.now(), watch.learned) : "over";
			if (turn === "over") return;
			if (turn === "nobody") await sleep(5);
			else if (turn.kind === "signals") {
				await sender.send(turn.events);
				events += turn.events.length;
				turn.sent();
			} else {
				started += 1;
				await ask(turn);
			}
		}
	};

	const begin = performance.now();
	watch.start();
	try {
		await Promise.all(Array.from({ length: CLIENTS }, client));
		await watch.settled();
	} finally {
		await watch.stop();
	}
	const seconds = (performance.now() - begin) / 1000;
	const { learnedWithin } = watch;
	return {
		experiment: traffic.experiment,
		decisions: latencies.length,
		events,
		latencies,
		learnedWithin,
		degraded,
		seconds,
		cutShort: latencies.length < Math.min(limit, traffic.size),
	};
}
