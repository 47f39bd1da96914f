import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stream } from "#usecases/ingesting";
import type { Running } from "../decide/children.js";
import type { Pauses } from "../decide/watch.js";
import { type Message, type Pair, type Pairs, publishAll } from "./pairs.js";
import type { PlainInserts } from "./plain-inserts.js";

/** A learner behind a stream, and plain inserts of the same pairs. */
export interface Sides {
	readonly learner: Running;
	readonly stream: Stream;
	readonly plain: PlainInserts;
	/** The same over two connections at once. */
	readonly plainTwice: PlainInserts;
	readonly pairs: Pairs;
}

export interface Lengths {
	readonly rounds: number;
	/** In a round. */
	readonly pairs: number;
	/** Decisions between a decision and its outcome. */
	readonly lag: number;
}

export interface Compared {
	/** Pairs a second, of each round. */
	readonly ours: readonly number[];
	readonly baseline: readonly number[];
	readonly twice: readonly number[];
	/** Of the learner, microseconds a pair. */
	readonly processorUs: number;
}

const BOOT = "019b0000-0000-7000-8000-000000000001";
const LONGEST_ROUND_MS = 300_000;

export class Rounds {
	/** Pairs so far. */
	learned = 0;
	#published = 0;

	constructor(
		private readonly sides: Sides,
		private readonly lengths: Lengths,
	) {}

	/** Learns a round's pairs and measures nothing. */
	async first(): Promise<void> {
		const pairs = await this.sides.pairs.make(this.lengths.pairs);
		await this.#learn(pairs.length, this.#packed(pairs));
	}

	/** Rounds of all in turn, the order changing each time; a first one does not count. */
	async compare(say: (words: string) => void): Promise<Compared> {
		const { rounds, pairs: count } = this.lengths;
		const { learner, pairs: maker, plain, plainTwice } = this.sides;
		const ours: number[] = [];
		const baseline: number[] = [];
		const twice: number[] = [];
		let processorMs = 0;
		for (let round = -1; round < rounds; round++) {
			const pairs = await maker.make(count);
			// That is a decider's work.
			const messages = this.#packed(pairs);
			const rates = { learn: 0, inserts: 0, twice: 0 };
			const learn = async () => {
				await learner.ask("reset");
				rates.learn = await rate(count, () => this.#learn(count, messages));
				const spent = (await learner.ask("pauses")) as Pauses;
				if (round >= 0) processorMs += spent.processorMs;
			};
			const insert = async () => {
				rates.inserts = await rate(count, () => plain.insert(pairs));
			};
			const insertTwice = async () => {
				rates.twice = await rate(count, () => plainTwice.insert(pairs));
			};
			const sides = [learn, insert, insertTwice];
			for (const side of round % 2 === 0 ? sides : sides.reverse())
				await side();
			if (round >= 0) {
				ours.push(rates.learn);
				baseline.push(rates.inserts);
				twice.push(rates.twice);
			}
			say(
				`  ${round < 0 ? "first, not counted" : `round ${round + 1}`}: learn ${Math.round(rates.learn)}/s, inserts ${Math.round(rates.inserts)}/s, over two connections ${Math.round(rates.twice)}/s (load ${loadavg()[0]?.toFixed(1)})`,
			);
		}
		return {
			ours,
			baseline,
			twice,
			processorUs: (processorMs * 1e3) / (rounds * count),
		};
	}

	#packed(pairs: readonly Pair[]): readonly Message[] {
		return this.sides.pairs.encode(pairs, this.lengths.lag, BOOT);
	}

	/** From the first publish until the last message is acknowledged, which is after its commit. */
	async #learn(pairs: number, messages: readonly Message[]): Promise<void> {
		const { stream } = this.sides;
		const deadline = performance.now() + LONGEST_ROUND_MS;
		await publishAll(stream, messages, `bench-${this.#published++}`);
		while ((await stream.backlog()) > 0) {
			if (performance.now() > deadline)
				throw new Error(
					`The learner did not get through a round in ${LONGEST_ROUND_MS / 60_000} minutes.`,
				);
			await sleep(10);
		}
		this.learned += pairs;
	}
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
	const startedAt = performance.now();
	await work();
	return (1_000 * count) / (performance.now() - startedAt);
}
