import { randomUUID } from "node:crypto";
import type { Definition } from "#core/experiment";
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
export const MOST_ITEMS = 20;
const TYPES = ["play", "skip", "complete", "impression"] as const;
const DEVICES = ["phone", "desktop", "speaker"] as const;

/** Everything that a test publishes, and so what the log must hold in the end. */
export class History {
	readonly decisions: DecisionRow[] = [];
	readonly outcomes: Event[] = [];
	/** Items published, repeats included. */
	readonly sent = { decision: 0, event: 0 };
	readonly #boot = randomUUID();
	#packs = 0;

	constructor(
		private readonly definition: Definition,
		private readonly random: () => number,
	) {}

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

	/** One more outcome of each decision so far. */
	another(): { messages: Outgoing[]; events: readonly Event[] } {
		const events = this.decisions.map((row) => this.#happen(row));
		const messages = this.#packed(events, (some) => this.#events(some));
		return { messages, events };
	}

	#decide(): DecisionRow {
		const i = this.decisions.length;
		const arms = this.definition.experiment.arms;
		const row = aDecision(this.definition, {
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
			type: TYPES[Math.floor(this.random() * TYPES.length)] as string,
			at: row.decidedAt + Math.floor(2_000 * this.random()),
			unit: row.unit,
			decisionId: row.id,
		};
		this.outcomes.push(event);
		return event;
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
