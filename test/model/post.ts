import { type Database, isRefusal } from "#adapters/postgres";
import { Learn, type LearningLedger } from "#usecases/learning";
import type { Delivery } from "./commands.js";
import type { Learners } from "./learners.js";
import { contradict, encoded, type Message, type Sent } from "./messages.js";
import type { PlainFold } from "./plain-fold.js";

class Crash extends Error {}

/** The way of messages from whoever sends them to the learners: what waits, what is held back, what has been delivered. */
export class Post {
	/** How often what was delivered took a decision's exposure back. */
	withdrawn = 0;
	#messages = 0;
	#waiting: Message[] = [];
	readonly #held: Message[] = [];
	readonly #delivered: Message[] = [];

	constructor(
		private readonly learners: Learners,
		private readonly database: Database,
		private readonly model: PlainFold,
		/** Of the first message. */
		private readonly position: number,
	) {}

	/** In the newest message that is not delivered yet where it is a pack of the same instant, else in one of its own. */
	send(kind: Message["kind"], now: number, item: Sent, pack = false): void {
		const last = this.#waiting.at(-1);
		const joins =
			pack &&
			(kind === "decisions" || kind === "events") &&
			last?.kind === kind &&
			last.storedAt === now &&
			!this.#delivered.includes(last);
		if (joins) last.items.push(item);
		else this.#publish(kind, now, [item]);
	}

	publishAgain(number: number, now: number): void {
		const sent = [...this.#delivered, ...this.#waiting, ...this.#held];
		const again = pick(sent, number);
		if (again) this.#publish(again.kind, now, [...again.items]);
	}

	redeliver(number: number): void {
		const again = pick(this.#delivered, number);
		if (again) this.#waiting.push(again);
	}

	holdBack(number: number): void {
		const at = number % Math.max(1, this.#waiting.length);
		this.#held.push(...this.#waiting.splice(at, 1));
	}

	release(): void {
		this.#waiting.push(...this.#held.splice(0));
	}

	/** What is still on its way arrives. */
	async drain(): Promise<void> {
		this.release();
		while (this.#waiting.length > 0) await this.deliver(0, 5, "acknowledged");
	}

	deliverNewest(): Promise<void> {
		return this.deliver(this.#waiting.length - 1, 1, "acknowledged");
	}

	async deliver(from: number, count: number, how: Delivery): Promise<void> {
		if (this.#waiting.length === 0) return;
		const at = from % this.#waiting.length;
		const taken = this.#waiting.splice(at, count);
		switch (how) {
			case "crash in the transaction":
				await this.#crash(taken);
				this.#waiting.push(...taken);
				return;
			case "crash at its end":
				return this.#crashAtTheEnd(taken);
			case "crash before the acknowledgement":
				await this.#learn(this.learners.first, taken);
				this.#committed(taken);
				this.#waiting.push(...taken);
				return this.learners.restart();
			case "to two learners":
				return this.#learnInTwo(taken.slice(1), taken.slice(0, 1));
			case "acknowledged":
				await this.#learn(this.learners.first, taken);
				this.#committed(taken);
		}
	}

	#publish(kind: Message["kind"], storedAt: number, items: Sent[]): void {
		const position = this.position + this.#messages++;
		this.#waiting.push({ position, storedAt, kind, items });
	}

	/** At once, but where it matters which comes first. */
	async #learnInTwo(one: Message[], other: Message[]): Promise<void> {
		const { first, second } = this.learners;
		if (contradict(one, other)) {
			await this.#learn(second, one);
			await this.#learn(first, other);
		} else
			await Promise.all([this.#learn(second, one), this.#learn(first, other)]);
		this.#committed(one);
		this.#committed(other);
	}

	/** The learner is gone when all is stored but the sums. */
	async #crash(messages: readonly Message[]): Promise<void> {
		const { learners } = this;
		const crashing: LearningLedger = {
			commit: (batch) =>
				learners.first.commit(batch, () => {
					throw new Crash();
				}),
		};
		try {
			await this.#learn(crashing, messages);
		} catch (error) {
			if (!(error instanceof Crash)) throw error;
			this.#knownAsDelivered(messages);
			return learners.restart();
		}
		throw new Error("The crash did not happen.");
	}

	/** Where it takes its revision; without one there is nothing to crash at. */
	async #crashAtTheEnd(messages: readonly Message[]): Promise<void> {
		await this.#wish(true);
		try {
			await this.#learn(this.learners.first, messages);
			this.#committed(messages);
		} catch (error) {
			if (!String(error).includes("crash wished for")) throw error;
			this.#waiting.push(...messages);
			this.#knownAsDelivered(messages);
		} finally {
			await this.#wish(false);
		}
	}

	/** Whether the session is ended where it takes a revision (see makeCrashable). */
	async #wish(crash: boolean): Promise<void> {
		await this.database.query("update crash_wish set wished = $1", [crash]);
	}

	async #learn(
		ledger: LearningLedger,
		messages: readonly Message[],
	): Promise<void> {
		if (messages.length > 0)
			await new Learn(ledger, isRefusal).execute(messages.map(encoded));
	}

	#committed(messages: readonly Message[]): void {
		if (messages.length === 0) return;
		const was = this.model.taught();
		this.model.commit(
			messages.map((one) => ({ ...one, items: [...one.items] })),
		);
		const is = this.model.taught();
		for (const id of was) if (!is.has(id)) this.withdrawn++;
		this.#delivered.push(...messages);
	}

	#knownAsDelivered(messages: readonly Message[]): void {
		for (const one of messages)
			if (!this.#delivered.includes(one)) this.#delivered.push(one);
	}
}

export function pick<T>(from: readonly T[], number: number): T | undefined {
	return from[number % Math.max(1, from.length)];
}
