import type { Definition } from "#core/experiment";
import type { RewardForm } from "../model/commands.js";
import { encoded, type Message, type Sent } from "../model/messages.js";
import type { PlainDecision, PlainEvent } from "../model/plain-fold.js";
import type { Published } from "./broker.js";
import { aDecision, idAt } from "./builders.js";
import { shuffled } from "./random.js";

const DECISIONS_EACH = 3;
const MOST_ITEMS = 12;
const SECOND = 1_000;
const AFTER = [SECOND, 5 * SECOND, 30 * SECOND, 50 * SECOND];
const TYPES = ["play", "skip", "rate", "impression", "retract"] as const;

type Decided = Extract<Sent, { readonly row: unknown }>;

export interface PastOptions {
	readonly definition: Definition;
	readonly reward: RewardForm;
	readonly units: number;
	/** Of the decisions; what happened after them is at most a minute later. */
	readonly at: number;
	/** Units to which everything happens that may. */
	readonly thorough: ReadonlySet<string>;
	readonly random: () => number;
}

export const unitName = (i: number): string =>
	`listener-${String(i).padStart(5, "0")}`;

/**
 * What happened to many units, as messages: decisions, outcomes, signals, outcomes of decisions that have not come, events of
 * strangers, and what cannot be learned but names them.
 */
export class UnitsPast {
	/** Everything in the order of chance, units mixed in packs. */
	readonly first: Message[] = [];
	/** Other bodies under ids of events, to come when those are stored. */
	readonly contradictions: Message[] = [];
	/** The decisions that did not come. */
	readonly heldBack: Message[] = [];
	#decisions = 0;
	#messages = 0;
	readonly #random: () => number;

	constructor(private readonly options: PastOptions) {
		const { units, thorough } = options;
		this.#random = options.random;
		const log: Sent[] = [];
		const events: Sent[] = [];
		const poison: Sent[] = [];
		for (const i of Array.from({ length: units }, (_, i) => i)) {
			const unit = unitName(i);
			const happens = (share: number) =>
				thorough.has(unit) || this.#random() < share;
			const decided = Array.from({ length: DECISIONS_EACH }, () =>
				this.#decide(unit),
			);
			log.push(...decided);
			for (const { decision } of decided)
				for (let n = 0; this.#random() < 0.7 && n < 4; n++)
					events.push({ event: this.#happen(decision, n) });
			const [one] = decided as [Decided];
			// Whatever else it was by chance, it was seen.
			if (thorough.has(unit)) events.push({ event: this.#seen(one.decision) });
			if (happens(0.2)) {
				const waited = this.#decide(unit);
				events.push({ event: this.#happen(waited.decision, 0) });
				this.#publish("decisions", [waited], this.heldBack);
			}
			if (happens(0.3))
				events.push({ event: { ...this.#signal(unit), id: `s-${i}` } });
			if (happens(0.1)) {
				const stranger = unitName((i + 1) % units);
				const event = this.#happen(one.decision, 8);
				events.push({ event: { ...event, unit: stranger } });
			}
			if (happens(0.1)) {
				const event = this.#happen(one.decision, 9);
				events.push({ event });
				const other = { ...event, at: event.at - 1 };
				this.#publish("one event", [{ event: other }], this.contradictions);
			}
			if (happens(0.1)) {
				const text = JSON.stringify({ ...this.#signal(unit), at: "never" });
				poison.push({ poison: true, unit, text });
			}
			if (happens(0.1)) {
				const text = `{"id":"torn","unit":"${unit}",`;
				this.#publish("poison", [{ poison: true, unit, text }], this.first);
			}
		}
		this.#pack("decisions", log);
		this.#pack("events", [...events, ...poison]);
		this.first.splice(0, Infinity, ...shuffled(this.first, this.#random));
	}

	#decide(unit: string): Decided {
		const { definition, reward, at } = this.options;
		const i = this.#decisions++;
		const id = idAt(at, i);
		const arm = this.#random() < 0.5 ? "a" : "b";
		const v = Math.floor(64 * this.#random()) / 4 - 8;
		const row = aDecision(definition, { id, arm, unit, context: { v } });
		const { decidedAt, group, version } = row;
		const plain = { id, idTime: at, decidedAt, unit, group, version, arm };
		return { decision: { ...plain, v, reward }, row };
	}

	#happen({ id, idTime, unit }: PlainDecision, n: number): PlainEvent {
		const type = TYPES[Math.floor(TYPES.length * this.#random())] as string;
		const after = AFTER[Math.floor(AFTER.length * this.#random())] as number;
		return {
			id: `e${n}`,
			type,
			at: idTime + after,
			unit,
			decisionId: id,
			idTime,
			...(type === "rate" && { value: 0.5 }),
			...(type === "retract" && { retracts: `e${n - 1}` }),
		};
	}

	#seen({ id, idTime, unit }: PlainDecision): PlainEvent {
		const at = idTime + SECOND;
		return { id: "seen", type: "impression", at, unit, decisionId: id, idTime };
	}

	#signal(unit: string): PlainEvent {
		return { id: "s", type: "skip", at: this.options.at, unit };
	}

	#pack(kind: "decisions" | "events", items: readonly Sent[]): void {
		const mixed = shuffled(items, this.#random);
		for (let from = 0; from < mixed.length; ) {
			const to = from + 1 + Math.floor(this.#random() * MOST_ITEMS);
			this.#publish(kind, mixed.slice(from, to), this.first);
			from = to;
		}
	}

	#publish(kind: Message["kind"], items: Sent[], into: Message[]): void {
		const position = this.#messages++;
		into.push({ position, storedAt: Date.now(), kind, items });
	}
}

export const asPublished = (messages: readonly Message[]): Published[] =>
	messages.map(encoded);

/** Whom it is of; an event also of the one whose decision it names. */
export function unitOf(item: Sent): string {
	if ("decision" in item) return item.decision.unit;
	return "event" in item ? item.event.unit : item.unit;
}
