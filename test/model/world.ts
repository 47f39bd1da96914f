import {
	type Database,
	type PostgresDefinitionStore,
	PostgresErasure,
	PostgresOpenWindows,
} from "#adapters/postgres";
import { EraseUnit } from "#usecases/erasing";
import { CloseWindows } from "#usecases/learning";
import { aDecision, idAt } from "../support/builders.js";
import {
	BEFORE_NOW_MS,
	type Command,
	type RewardForm,
	UNITS,
} from "./commands.js";
import type { Learners } from "./learners.js";
import { Owner } from "./owner.js";
import {
	type PlainDecision,
	type PlainEvent,
	PlainFold,
} from "./plain-fold.js";
import { Post, pick } from "./post.js";

/** What a run works on: a database of its shard, and what is its own in it. */
export interface Ground {
	readonly database: Database;
	readonly store: PostgresDefinitionStore;
	readonly learners: Learners;
	/** Tells runs apart: in keys, units, ids and positions. */
	readonly run: number;
}

const POSITIONS_A_RUN = 1_000;

/** One experiment of the product and of the model, to which commands happen. */
export class World {
	readonly model = new PlainFold();
	readonly key: string;
	readonly decided: PlainDecision[] = [];
	readonly orphanId: string;
	/** The stream's time. The minute is whole, so that a run's buckets are the same whenever it is replayed. */
	#now = Math.floor(Date.now() / 60_000) * 60_000 - BEFORE_NOW_MS;
	readonly #start = this.#now;
	#ids = 0;
	readonly #owner: Owner;
	readonly #post: Post;
	/** Id of the newest event of each decision. */
	readonly #lastOf = new Map<string, string>();

	constructor(
		readonly ground: Ground,
		reward: RewardForm,
	) {
		const { store, learners, database, run } = ground;
		this.key = `model-${run}`;
		this.#owner = new Owner(store, this.key, reward);
		const [first] = this.positions;
		this.#post = new Post(learners, database, this.model, first);
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

	/** How often what was delivered took a decision's exposure back. */
	get withdrawn(): number {
		return this.#post.withdrawn;
	}

	begin(): Promise<void> {
		return this.#owner.begin();
	}

	drain(): Promise<void> {
		return this.#post.drain();
	}

	async apply(command: Command): Promise<void> {
		switch (command.what) {
			case "decide":
				return this.#decide(command);
			case "happen":
				return this.#happen(command);
			case "signal":
				return this.#signal(command);
			case "poison":
				return this.#poison(command);
			case "publish again":
				return this.#post.publishAgain(command.message, this.#now);
			case "redeliver":
				return this.#post.redeliver(command.message);
			case "hold back":
				return this.#post.holdBack(command.message);
			case "release":
				return this.#post.release();
			case "deliver":
				return this.#post.deliver(command.from, command.count, command.how);
			case "restart":
				return this.ground.learners.restart();
			case "erase":
				return this.#erase(command);
			case "pause or resume":
				return this.#owner.pauseOrResume();
			case "add an arm":
				return this.#owner.addArm();
			case "retire or return an arm":
				return this.#owner.retireOrReturn(command.arm);
			case "change the reward":
				return this.#owner.payByDefault(command.byDefault);
			case "close windows":
				return this.#closeWindows();
			case "clock":
				// Not before the day that the partitions begin with.
				this.#now = Math.max(
					this.#start - BEFORE_NOW_MS,
					this.#now + command.by,
				);
		}
	}

	async #decide(command: Extract<Command, { what: "decide" }>): Promise<void> {
		const id = this.#mint(command.ahead);
		const { definition, reward, active } = this.#owner;
		const arm = pick(active, command.arm)?.key as string;
		const group = definition.state === "running" ? command.group : "outside";
		const v = command.v / 4;
		const idTime = this.#now + command.ahead;
		const decidedAt = idTime - command.madeBefore;
		const row = aDecision(definition, {
			id,
			arm: group === "outside" ? "a" : arm,
			unit: this.unit(command.unit),
			group,
			context: { v },
			decidedAt,
			origin: command.madeBefore === 0 ? "server" : "edge",
		});
		const { unit, version } = row;
		const plain = { id, idTime, decidedAt, unit, group, version, v, reward };
		const decision = { ...plain, arm: row.arm };
		this.decided.push(decision);
		this.#post.send("decisions", this.#now, { decision, row }, command.pack);
		if (command.atOnce) await this.#post.deliverNewest();
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
		this.#post.send(kind, this.#now, { event }, command.pack);
		if (command.atOnce) await this.#post.deliverNewest();
	}

	#signal(command: Extract<Command, { what: "signal" }>): void {
		const event = {
			id: `s${command.id}`,
			type: "skip",
			at: this.#now + command.after,
			unit: this.unit(command.unit),
		};
		this.#post.send("one event", this.#now, { event });
	}

	#poison(command: Extract<Command, { what: "poison" }>): void {
		const unit = this.unit(command.unit);
		const kind = command.form === "in a pack" ? "events" : "poison";
		if (command.form === "no JSON") {
			const text = `{"id":"x","unit":"${unit}",`;
			this.#post.send(kind, this.#now, { poison: true, unit, text }, true);
			return;
		}
		const decisionId =
			command.decision === null
				? undefined
				: this.decided.at(-1 - command.decision)?.id;
		const event = { id: "x", type: "play", at: "never", unit, decisionId };
		const text = JSON.stringify(event);
		this.#post.send(kind, this.#now, { poison: true, unit, text }, true);
	}

	async #closeWindows(): Promise<void> {
		const { database, learners } = this.ground;
		const windows = new PostgresOpenWindows(database);
		await new CloseWindows(windows, learners.first).execute(this.#now);
		this.model.closeWindows(this.#now);
	}

	async #erase(command: Extract<Command, { what: "erase" }>): Promise<void> {
		const unit = this.unit(command.unit);
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
		if (command.mayReturn)
			this.#now = Math.max(this.#now, this.#start + BEFORE_NOW_MS + 120_000);
	}

	#mint(ahead: number): string {
		return idAt(
			this.#now + ahead,
			this.ground.run * POSITIONS_A_RUN + this.#ids++,
		);
	}
}
