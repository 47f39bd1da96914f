import { randomUUID } from "node:crypto";
import { type Definition, RETRACT } from "#core/experiment";
import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvent,
	encodeEvents,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import { aDecision, idAt } from "../builders.js";
import { shuffled } from "../random.js";

/** A message of the stream, as deciders and clients publish it. */
export interface Outgoing {
	readonly subject: string;
	readonly body: Uint8Array;
}

const REPEATED = 0.2;
const EARLY = 0.05;
/** Of a burst that is spread: decisions that are published with the next one, and decisions of earlier ones that come again. */
const HELD_BACK = 0.05;
const DECIDED_AGAIN = 0.05;
/** Outcomes that are taken back, of a burst that is spread. */
const RETRACTED = 0.08;
export const MOST_ITEMS = 20;
const TYPES = ["play", "skip", "complete", "impression"] as const;
const DEVICES = ["phone", "desktop", "speaker"] as const;

/** Everything that a test publishes, and so what the log must hold in the end. */
export class History {
	readonly decisions: DecisionRow[] = [];
	readonly outcomes: Event[] = [];
	/** Items published, repeats included. */
	readonly sent = { decision: 0, event: 0 };
	/** Events published that nobody can read. */
	letters = 0;
	/** Of `decisions`, those that were published. */
	readonly #published: DecisionRow[] = [];
	#heldBack: DecisionRow[] = [];
	readonly #boot = randomUUID();
	#packs = 0;

	constructor(
		/** Decisions are of these by turns. */
		private readonly definitions: readonly Definition[],
		private readonly random: () => number,
	) {}

	get experiments(): string[] {
		return this.definitions.map(({ experiment }) => experiment.key);
	}

	/** Events published whose decision was not. */
	get waiting(): number {
		const absent = new Set(this.#heldBack.map(({ id }) => id));
		return this.outcomes.filter(({ decisionId }) =>
			absent.has(decisionId as string),
		).length;
	}

	/** New decisions and their outcomes in packs: a twentieth of the outcomes first, then the decisions, then the rest in any order, a fifth twice. */
	burst(size: { decisions: number; outcomesEach: number }): Outgoing[] {
		const rows = Array.from({ length: size.decisions }, () => this.#decide());
		const outcomes = shuffled(
			rows.flatMap((row) =>
				Array.from({ length: size.outcomesEach }, () => this.#happen(row)),
			),
			this.random,
		);
		const early = Math.round(outcomes.length * EARLY);
		const again = outcomes.slice(-Math.round(outcomes.length * REPEATED));
		const rest = shuffled([...outcomes.slice(early), ...again], this.random);
		return [
			...this.#packed(outcomes.slice(0, early), (some) => this.#events(some)),
			...this.#packed(rows, (some) => this.#decided(some)),
			...this.#packed(rest, (some) => this.#events(some)),
		];
	}

	/**
	 * As `burst`, with what earlier ones leave: a twentieth of its decisions comes with the next burst, long after their outcomes; what
	 * comes twice is of any burst so far, decisions too; some outcomes are taken back, some of them before they come.
	 */
	spreadBurst(size: { decisions: number; outcomesEach: number }): Outgoing[] {
		const rows = Array.from({ length: size.decisions }, () => this.#decide());
		const happened = rows.flatMap((row) =>
			Array.from({ length: size.outcomesEach }, () => this.#happen(row)),
		);
		const retracts = this.#someOf(happened, RETRACTED).map((event) =>
			this.#takeBack(event),
		);
		const outcomes = shuffled([...happened, ...retracts], this.random);
		const count = Math.round(outcomes.length * REPEATED);
		const again = Array.from({ length: count }, () =>
			this.#anyOf(this.outcomes),
		);
		const decidedAgain = this.#someOf(rows, DECIDED_AGAIN).flatMap(() =>
			this.#published.length === 0 ? [] : [this.#anyOf(this.#published)],
		);
		const late = this.#heldBack;
		const held = Math.ceil(rows.length * HELD_BACK);
		this.#heldBack = rows.slice(0, held);
		const onTime = [...late, ...rows.slice(held)];
		this.#published.push(...onTime);
		const decided = shuffled([...onTime, ...decidedAgain], this.random);
		const early = Math.round(outcomes.length * EARLY);
		const rest = shuffled([...outcomes.slice(early), ...again], this.random);
		return [
			...this.#packed(outcomes.slice(0, early), (some) => this.#events(some)),
			...this.#packed(decided, (some) => this.#decided(some)),
			...this.#packed(rest, (some) => this.#events(some)),
		];
	}

	/** The decisions that the last spread burst held back. */
	remaining(): Outgoing[] {
		const late = this.#heldBack;
		this.#heldBack = [];
		this.#published.push(...late);
		return this.#packed(late, (some) => this.#decided(some));
	}

	/** One more outcome of each decision so far. */
	another(): { messages: Outgoing[]; events: readonly Event[] } {
		const events = this.decisions.map((row) => this.#happen(row));
		const messages = this.#packed(events, (some) => this.#events(some));
		return { messages, events };
	}

	/** A pack of an outcome that comes again and of an event that nobody can read: one batch has both. */
	halfUnreadable(): Outgoing {
		this.letters += 1;
		this.sent.event += 2;
		const good = encodeEvents([this.#anyOf(this.outcomes)], this.#publisher());
		const body = Buffer.concat([
			good.subarray(0, -2),
			Buffer.from(`, {"id": "broken-${this.letters}"}]}`),
		]);
		return { subject: EVENT_PACK_SUBJECT, body };
	}

	#decide(): DecisionRow {
		const i = this.decisions.length;
		const definition = this.definitions[
			i % this.definitions.length
		] as Definition;
		const arms = definition.experiment.arms;
		const row = aDecision(definition, {
			id: idAt(Date.now(), i),
			arm: arms[Math.floor(this.random() * arms.length)]?.key as string,
			unit: `unit-${i % 97}`,
			context: {
				tempo: 60 + Math.floor(120 * this.random()),
				device: DEVICES[i % DEVICES.length] as string,
			},
		});
		this.decisions.push(row);
		return row;
	}

	#happen(row: DecisionRow): Event {
		const i = this.outcomes.length;
		const event = {
			id: `e-${i}`,
			type: this.#anyOf(TYPES),
			at: row.decidedAt + Math.floor(2_000 * this.random()),
			unit: row.unit,
			decisionId: row.id,
		};
		this.outcomes.push(event);
		return event;
	}

	#takeBack({ id, at, unit, decisionId }: Event): Event {
		const event: Event = {
			id: `e-${this.outcomes.length}`,
			type: RETRACT,
			at,
			unit,
			...(decisionId !== undefined && { decisionId }),
			retracts: id,
		};
		this.outcomes.push(event);
		return event;
	}

	#anyOf<T>(items: readonly T[]): T {
		return items[Math.floor(this.random() * items.length)] as T;
	}

	#someOf<T>(items: readonly T[], share: number): T[] {
		return items.filter(() => this.random() < share);
	}

	#packed<T>(
		items: readonly T[],
		pack: (some: readonly T[]) => Outgoing,
	): Outgoing[] {
		const messages: Outgoing[] = [];
		for (let from = 0; from < items.length; ) {
			const to = from + 1 + Math.floor(this.random() * MOST_ITEMS);
			messages.push(pack(items.slice(from, to)));
			from = to;
		}
		return messages;
	}

	#decided(rows: readonly DecisionRow[]): Outgoing {
		this.sent.decision += rows.length;
		const body = encodeDecisions(rows, this.#publisher());
		return { subject: LOG_SUBJECT, body };
	}

	/** One alone goes as clients publish it. */
	#events(events: readonly Event[]): Outgoing {
		this.sent.event += events.length;
		const [first] = events as [Event];
		return events.length === 1
			? { subject: eventSubject(first.type), body: encodeEvent(first) }
			: {
					subject: EVENT_PACK_SUBJECT,
					body: encodeEvents(events, this.#publisher()),
				};
	}

	#publisher() {
		return { boot: this.#boot, sequence: ++this.#packs };
	}
}
