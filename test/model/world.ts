// Longer than 300 lines: each command once, told to the product and to the model side by side.
import {
	type Database,
	isRefusal,
	type PostgresDefinitionStore,
	PostgresErasure,
	PostgresOpenWindows,
} from "#adapters/postgres";
import { EraseUnit } from "#usecases/erasing";
import { CloseWindows, Learn, type LearningLedger } from "#usecases/learning";
import { aDecision, idAt } from "../support/builders.js";
import { type Command, type RewardForm, UNITS } from "./commands.js";
import type { Learners } from "./learners.js";
import { contradict, encoded, type Message, type Sent } from "./messages.js";
import { Owner } from "./owner.js";
import {
	type PlainDecision,
	type PlainEvent,
	PlainFold,
} from "./plain-fold.js";

/** What a run works on: a database of its shard, and what is its own in it. */
export interface Ground {
	readonly database: Database;
	readonly store: PostgresDefinitionStore;
	readonly learners: Learners;
	/** Tells runs apart: in keys, units, ids and positions. */
	readonly run: number;
}

class Crash extends Error {}

const POSITIONS_A_RUN = 1_000;
const BEFORE_NOW_MS = 33 * 60_000;

/** One experiment of the product and of the model, to which commands happen. */
export class World {
	readonly model = new PlainFold();
	readonly key: string;
	readonly decided: PlainDecision[] = [];
	readonly orphanId: string;
	/** How often what was delivered took a decision's exposure back. */
	withdrawn = 0;
	/** The stream's time. The minute is whole, so that a run's buckets are the same whenever it is replayed. */
	#now = Math.floor(Date.now() / 60_000) * 60_000 - BEFORE_NOW_MS;
	readonly #start = this.#now;
	#messages = 0;
	#ids = 0;
	readonly #owner: Owner;
	#waiting: Message[] = [];
	#held: Message[] = [];
	readonly #delivered: Message[] = [];
	/** Id of the newest event of each decision. */
	readonly #lastOf = new Map<string, string>();

	constructor(
		readonly ground: Ground,
		reward: RewardForm,
	) {
		this.key = `model-${ground.run}`;
		this.#owner = new Owner(ground.store, this.key, reward);
		this.orphanId = this.#mint(0);
	}

	unit(number: number): string {
		return `unit-${this.ground.run}-${number}-of-the-model`;
	}

	/** Positions of the run's messages, the second not included. */
	get positions(): readonly [number, number] {
		const first = this.ground.run * POSITIONS_A_RUN;
		return [first, first + POSITIONS_A_RUN];
	}

	begin(): Promise<void> {
		return this.#owner.begin();
	}

	async apply(command: Command): Promise<void> {
		switch (command.what) {
			case "decide":
				return this.#decide(command);
			case "happen":
				return this.#happen(command);
			case "signal":
				return this.#send("one event", {
					event: {
						id: `s${command.id}`,
						type: "skip",
						at: this.#now + command.after,
						unit: this.unit(command.unit),
					},
				});
			case "poison":
				return this.#poison(command);
			case "publish again": {
				const again = this.#pick(this.#sent(), command.message);
				if (again) this.#publish(again.kind, [...again.items]);
				return;
			}
			case "redeliver": {
				const again = this.#pick(this.#delivered, command.message);
				if (again) this.#waiting.push(again);
				return;
			}
			case "hold back": {
				const at = command.message % Math.max(1, this.#waiting.length);
				this.#held.push(...this.#waiting.splice(at, 1));
				return;
			}
			case "release":
				this.#waiting.push(...this.#held.splice(0));
				return;
			case "deliver":
				return this.#deliver(command);
			case "restart":
				return this.ground.learners.restart();
			case "erase":
				await this.#erase(this.unit(command.unit));
				if (command.mayReturn)
					this.#now = Math.max(
						this.#now,
						this.#start + BEFORE_NOW_MS + 120_000,
					);
				return;
			case "pause or resume":
				return this.#owner.pauseOrResume();
			case "add an arm":
				return this.#owner.addArm();
			case "retire or return an arm":
				return this.#owner.retireOrReturn(command.arm);
			case "change the reward":
				return this.#owner.payByDefault(command.byDefault);
			case "close windows":
				await new CloseWindows(
					new PostgresOpenWindows(this.ground.database),
					this.ground.learners.first,
				).execute(this.#now);
				return this.model.closeWindows(this.#now);
			case "clock":
				// Not before the day that the partitions begin with.
				this.#now = Math.max(
					this.#start - BEFORE_NOW_MS,
					this.#now + command.by,
				);
		}
	}

	/** What is still on its way arrives. */
	async drain(): Promise<void> {
		await this.apply({ what: "release" });
		while (this.#waiting.length > 0)
			await this.#deliver({ from: 0, count: 5, how: "acknowledged" });
	}

	async #decide(command: Extract<Command, { what: "decide" }>): Promise<void> {
		const id = this.#mint(command.ahead);
		const { definition, reward, active } = this.#owner;
		const arm = this.#pick(active, command.arm)?.key as string;
		const group = definition.state === "running" ? command.group : "outside";
		const v = command.v / 4;
		const row = aDecision(definition, {
			id,
			arm: group === "outside" ? "a" : arm,
			unit: this.unit(command.unit),
			group,
			context: { v },
		});
		const { decidedAt, unit, version } = row;
		const idTime = this.#now + command.ahead;
		const plain = { id, idTime, decidedAt, unit, group, version, v, reward };
		const decision = { ...plain, arm: row.arm };
		this.decided.push(decision);
		this.#send("decisions", { decision, row }, command.pack);
		if (command.atOnce) await this.#deliverNewest();
	}

	async #happen(command: Extract<Command, { what: "happen" }>): Promise<void> {
		const decision = this.decided.at(-1 - command.decision) ?? this.decided[0];
		if (!decision) return;
		const { idTime, decidedAt } = decision;
		const named = command.orphan
			? { decisionId: this.orphanId, idTime: this.#start }
			: { decisionId: decision.id, idTime };
		const { type, value } = command;
		const last = this.#lastOf.get(decision.id);
		const id = `${type === "retract" && command.last ? "r" : "e"}${command.id}`;
		this.#lastOf.set(decision.id, id);
		const event: PlainEvent = {
			id,
			type,
			at: decidedAt + command.after,
			unit:
				command.by === "its unit"
					? decision.unit
					: this.unit(command.id % UNITS),
			...named,
			...(value !== null && type !== "retract" && { value }),
			...(type === "retract" && { retracts: (command.last && last) || "e1" }),
		};
		const kind = command.pack ? "events" : "one event";
		this.#send(kind, { event }, command.pack);
		if (command.atOnce) await this.#deliverNewest();
	}

	#poison(command: Extract<Command, { what: "poison" }>): void {
		const unit = this.unit(command.unit);
		const text =
			command.form === "no JSON"
				? `{"id":"x","unit":"${unit}",`
				: JSON.stringify({ id: "x", type: "play", at: "never", unit });
		const kind = command.form === "in a pack" ? "events" : "poison";
		this.#send(kind, { poison: true, unit, text }, true);
	}

	/** In the newest message that is not delivered yet where it is a pack of the same instant, else in one of its own. */
	#send(kind: Message["kind"], item: Sent, pack = false): void {
		const last = this.#waiting.at(-1);
		const joins =
			pack &&
			(kind === "decisions" || kind === "events") &&
			last?.kind === kind &&
			last.storedAt === this.#now &&
			!this.#delivered.includes(last);
		if (joins) last.items.push(item);
		else this.#publish(kind, [item]);
	}

	#publish(kind: Message["kind"], items: Sent[]): void {
		const position = this.positions[0] + this.#messages++;
		this.#waiting.push({ position, storedAt: this.#now, kind, items });
	}

	#deliverNewest(): Promise<void> {
		const from = this.#waiting.length - 1;
		return this.#deliver({ from, count: 1, how: "acknowledged" });
	}

	async #deliver({
		from,
		count,
		how,
	}: Omit<Extract<Command, { what: "deliver" }>, "what">): Promise<void> {
		if (this.#waiting.length === 0) return;
		const at = from % this.#waiting.length;
		const taken = this.#waiting.splice(at, count);
		const { learners } = this.ground;
		switch (how) {
			case "crash in the transaction":
				await this.#crash(taken);
				this.#waiting.push(...taken);
				return;
			case "crash at its end":
				await this.#wish(true);
				try {
					await this.#learn(learners.first, taken);
					this.#committed(taken);
				} catch (error) {
					if (!String(error).includes("crash wished for")) throw error;
					this.#waiting.push(...taken);
					for (const one of taken)
						if (!this.#delivered.includes(one)) this.#delivered.push(one);
				} finally {
					await this.#wish(false);
				}
				return;
			case "crash before the acknowledgement":
				await this.#learn(learners.first, taken);
				this.#committed(taken);
				this.#waiting.push(...taken);
				return learners.restart();
			case "to two learners": {
				const [one, other] = [taken.slice(1), taken.slice(0, 1)];
				if (contradict(one, other)) {
					await this.#learn(learners.second, one);
					await this.#learn(learners.first, other);
				} else
					await Promise.all([
						this.#learn(learners.second, one),
						this.#learn(learners.first, other),
					]);
				this.#committed(one);
				this.#committed(other);
				return;
			}
			case "acknowledged":
				await this.#learn(learners.first, taken);
				this.#committed(taken);
		}
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

	async #learn(
		ledger: LearningLedger,
		messages: readonly Message[],
	): Promise<void> {
		if (messages.length > 0)
			await new Learn(ledger, isRefusal).execute(messages.map(encoded));
	}

	/** The learner is gone when all is stored but the sums. */
	async #crash(messages: readonly Message[]): Promise<void> {
		const { learners } = this.ground;
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
			for (const one of messages)
				if (!this.#delivered.includes(one)) this.#delivered.push(one);
			return learners.restart();
		}
		throw new Error("The crash did not happen.");
	}

	/** Whether the session is ended where it takes a revision (see makeCrashable). */
	async #wish(crash: boolean): Promise<void> {
		await this.ground.database.query("update crash_wish set wished = $1", [
			crash,
		]);
	}

	async #erase(unit: string): Promise<void> {
		const { database } = this.ground;
		const erase = new EraseUnit(
			{
				erasure: new PostgresErasure(database),
				// Everything in it stays, to be delivered again.
				stream: {
					erase: async () => ({
						deleted: 0,
						shortened: 0,
						left: 0,
						complete: true,
					}),
					announce: () => {},
				},
				spool: { rewrite: async () => 0 },
				memory: { forget: () => {} },
				clock: { now: () => Date.now() },
			},
			() => {},
			0,
		);
		const { erasedAt } = await erase.execute(unit);
		this.model.erase(unit, Date.parse(erasedAt));
	}

	#mint(ahead: number): string {
		return idAt(
			this.#now + ahead,
			this.ground.run * POSITIONS_A_RUN + this.#ids++,
		);
	}

	#sent(): Message[] {
		return [...this.#delivered, ...this.#waiting, ...this.#held];
	}

	#pick<T>(from: readonly T[], number: number): T | undefined {
		return from[number % Math.max(1, from.length)];
	}
}
