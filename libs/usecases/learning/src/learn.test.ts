import fc from "fast-check";
import { expect, test } from "vitest";
import {
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import {
	aDecision,
	aDefinition,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import {
	type Batch,
	type Committed,
	Learn,
	type LearnableMessage,
	type LearningLedger,
} from "./index.js";

const T = Date.UTC(2026, 0, 5, 12);
const definition = aDefinition(
	anExperiment({
		key: "learn",
		arms: [{ key: "a" }, { key: "b" }],
		context: { features: [{ name: "v", from: "request", kind: "number" }] },
		policy: { kind: "linucb", alpha: 0.5 },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	}),
);

/** What a message holds: something that is learned, or that nobody can read. */
type Kind = "decision" | "event" | "letter";
/** What a database would say of it: nothing, that it is refused, or that its dead letter is refused as well. */
type Fate = "taken" | "refused" | "unstorable";

class Refusal extends Error {}

/** Commits all of a batch or, as a transaction, nothing. */
class StrictLedger implements LearningLedger {
	readonly taken: number[] = [];
	readonly letters = new Map<number, { reason: string; bytes: number }>();

	constructor(private readonly fates: readonly Fate[]) {}

	async commit({ decisions, events, deadLetters }: Batch): Promise<Committed> {
		const items = [...decisions, ...events].map(
			({ source }) => source.position,
		);
		for (const at of items)
			if (this.fates[at] !== "taken") throw new Refusal("22P02");
		for (const { source, payload } of deadLetters)
			if (this.fates[source.position] === "unstorable" && payload.length > 0)
				throw new Refusal("22P02");
		this.taken.push(...items);
		for (const { source, reason, payload } of deadLetters) {
			expect(this.letters.has(source.position), "stored twice").toBe(false);
			this.letters.set(source.position, { reason, bytes: payload.length });
		}
		return {} as Committed;
	}
}

function messageOf(kind: Kind, position: number): LearnableMessage {
	const row = aDecision(definition, { id: idAt(T, position), arm: "a" });
	const publisher = {
		boot: "018bcfe5-6800-7abc-8def-0123456789ff",
		sequence: 1 + position,
	};
	const [subject, body] =
		kind === "decision"
			? [LOG_SUBJECT, encodeDecisions([row], publisher)]
			: [
					eventSubject("play"),
					kind === "event"
						? encodeEvent(anEvent(row, "play"))
						: new TextEncoder().encode("{"),
				];
	return { subject, body, storedAt: T, position };
}

test("of a batch that is refused only what is refused becomes a dead letter, and only a letter that is refused loses its words", async () => {
	const delivery = fc.record({
		kind: fc.constantFrom<Kind>("decision", "event", "letter"),
		fate: fc.oneof(
			{ weight: 8, arbitrary: fc.constant<Fate>("taken") },
			{ weight: 1, arbitrary: fc.constantFrom<Fate>("refused", "unstorable") },
		),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(delivery, { maxLength: 40 }), async (all) => {
			const ledger = new StrictLedger(all.map(({ fate }) => fate));
			const learn = new Learn(ledger, (error) => error instanceof Refusal);
			await learn.execute(all.map(({ kind }, i) => messageOf(kind, i)));
			const places = [...all.keys()];
			const isTaken = (i: number) =>
				all[i]?.kind !== "letter" && all[i]?.fate === "taken";
			expect(ledger.taken.sort((a, b) => a - b)).toEqual(
				places.filter(isTaken),
			);
			const letters = places.filter((i) => !isTaken(i));
			expect([...ledger.letters.keys()].sort((a, b) => a - b)).toEqual(letters);
			for (const i of letters) {
				const { reason, bytes } = ledger.letters.get(i) as {
					reason: string;
					bytes: number;
				};
				const { kind, fate } = all[i] as { kind: Kind; fate: Fate };
				expect(reason).toMatch(
					fate === "unstorable"
						? /^unstorable: /
						: kind === "letter"
							? /^not JSON: /
							: /^refused by the database: 22P02$/,
				);
				expect(bytes > 0).toBe(fate !== "unstorable");
			}
		}),
	);
});
