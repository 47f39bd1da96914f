import { describe, expect, test } from "vitest";
import {
	type Event,
	encodeDecisions,
	eventSubject,
	LOG_SUBJECT,
	uuidAtTime,
} from "#core/log";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import {
	admit,
	type Batch,
	type DeadLetter,
	eventHash,
	type LoggedEvent,
	namesIn,
	refusedEvent,
} from "./index.js";

const MINUTE = 60_000;
/** When the unit was erased. */
const T = Date.UTC(2026, 0, 5, 12);
const ERASED = "listener-1";
const SUBJECT = eventSubject("play");

const definition = aDefinition(
	anExperiment({
		key: "admitted",
		arms: [{ key: "a" }],
		policy: { kind: "uniform" },
		reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
	}),
);

/** What is left of a batch where one unit was erased. */
function admitted(batch: Partial<Batch>) {
	const whole = { decisions: [], events: [], deadLetters: [], ...batch };
	return admit(whole, {
		horizon: uuidAtTime(T - 24 * 60 * MINUTE),
		erasedAt: (unit) => (unit === ERASED ? T : undefined),
		named: namesIn(whole.deadLetters),
		definition: () => definition,
	});
}

const source = (storedAt: number, subject = SUBJECT) => ({
	...{ position: 7, index: 0, subject, storedAt },
});

function letter(
	payload: unknown,
	storedAt: number,
	reason = "bad event: at: Must be a time.",
): DeadLetter {
	const text = typeof payload === "string" ? payload : JSON.stringify(payload);
	const bytes = new TextEncoder().encode(text);
	return { source: source(storedAt), reason, payload: bytes };
}

function logged(fields: Partial<Event>, storedAt: number): LoggedEvent {
	const event = { id: "e", type: "play", unit: ERASED, at: T, ...fields };
	return {
		event,
		bodyHash: eventHash(event),
		publisher: null,
		source: source(storedAt),
	};
}

const many = (count: number) =>
	Array.from({ length: count }, (_, i) => ({ unit: `u${i}` }));

const wordless = (storedAt: number, kind: string, subject = SUBJECT) => ({
	source: source(storedAt, subject),
	reason: `${kind}: its words may name an erased unit and are not kept`,
	payload: new Uint8Array(),
});

describe("of what cannot be understood and names an erased unit", () => {
	const said = { unit: ERASED, type: "play", at: "never" };

	test("nothing is kept where it came before the erasure", () => {
		const { deadLetters, erased } = admitted({
			deadLetters: [letter(said, T)],
		});
		expect(deadLetters).toEqual([]);
		expect(erased).toEqual({ decisions: 0, events: 1 });
	});

	test("only that it was is kept where it came after it: it may be of before it, sent again", () => {
		const after = T + MINUTE;
		const torn = `{"unit":"${ERASED}",`;
		const { deadLetters, erased } = admitted({
			deadLetters: [
				letter(said, after),
				letter({ user: ERASED }, after),
				letter(torn, after, `not JSON: Unexpected end of ${torn}`),
				letter("", after, `bad event: ${ERASED}: No such property.`),
			],
		});
		expect(deadLetters).toEqual([
			wordless(after, "bad event"),
			wordless(after, "bad event"),
			wordless(after, "not JSON"),
			wordless(after, "bad event"),
		]);
		expect(erased.events).toBe(0);
	});

	test("others' items are kept, also those beside it in a pack", () => {
		const other = { unit: "listener-2", at: "never" };
		const letters = [
			letter(other, T + MINUTE),
			letter({ events: [said, other] }, T + MINUTE, "bad pack: no boot"),
		];
		const { deadLetters } = admitted({ deadLetters: letters });
		expect(deadLetters).toEqual([
			letters[0],
			letter({ events: [other] }, T + MINUTE, "bad pack: no boot"),
		]);
	});

	test("nothing but the reason is kept of what names more units than are looked up", () => {
		const { deadLetters } = admitted({
			deadLetters: [letter({ events: many(20_001) }, T, "bad pack: no boot")],
		});
		expect(deadLetters).toEqual([wordless(T, "bad pack")]);
	});

	test("of a batch that names more than are looked up, what names fewest is kept", () => {
		const large = letter({ events: many(20_000) }, T, "bad pack: no boot");
		const small = letter({ unit: "listener-2" }, T);
		const { deadLetters } = admitted({
			deadLetters: [large, { ...large }, { ...large }, small],
		});
		const { length } = large.payload;
		expect(deadLetters.map(({ payload }) => payload.length)).toEqual([
			length,
			length,
			0,
			small.payload.length,
		]);
		expect(deadLetters[2]).toEqual(wordless(T, "bad pack"));
	});

	test("text of thousands of words that name nobody erased is kept as it came", () => {
		const words = Array.from({ length: 5_000 }, (_, i) => `listened-${i}`);
		const torn = letter(`{"words":"${words.join(" ")}`, T, "not JSON: torn");
		expect(admitted({ deadLetters: [torn] }).deadLetters).toEqual([torn]);
	});

	test("no escape hides the name, and no key", () => {
		const after = T + MINUTE;
		const { deadLetters } = admitted({
			deadLetters: [
				letter('{"unit":"listener\\u002d1","at":"never"}', after),
				letter('{"unit":"\\u006Cistener-1",', after, "not JSON: torn"),
				letter({ "listener\u002d1": {} }, after),
				letter(
					{ "listener-1": {} },
					after,
					'bad event: listener-1: Unknown key "listener-1".',
				),
			],
		});
		expect(deadLetters).toEqual([
			wordless(after, "bad event"),
			wordless(after, "not JSON"),
			wordless(after, "bad event"),
			wordless(after, "bad event"),
		]);
	});

	test("a reason that quotes the name, beside a payload that does not, is not kept", () => {
		const { deadLetters } = admitted({
			deadLetters: [
				letter({ at: 1 }, T + MINUTE, `bad event: ${ERASED}: Unknown.`),
			],
		});
		expect(deadLetters).toEqual([wordless(T + MINUTE, "bad event")]);
	});
});

describe("of what was understood and refused", () => {
	test("an instant of the year 3000 does not show that it is of after the erasure", () => {
		const after = T + MINUTE;
		const year3000 = Date.UTC(3000, 0, 1);
		const id = idAt(year3000, 1);
		const row = aDecision(definition, { id, arm: "a", unit: ERASED });
		const publisher = { boot: "b", sequence: 1 };
		const { deadLetters } = admitted({
			decisions: [{ row, publisher, source: source(after, LOG_SUBJECT) }],
			events: [
				logged({ at: year3000 }, after),
				logged({ decisionId: id }, after),
			],
		});
		expect(deadLetters).toEqual([
			wordless(after, "future", LOG_SUBJECT),
			wordless(after, "future"),
			wordless(after, "future"),
		]);
		const others = { ...row, unit: "listener-2" };
		const [kept] = admitted({
			decisions: [{ row: others, publisher, source: source(after) }],
		}).deadLetters;
		expect(kept?.payload.length).toBeGreaterThan(
			encodeDecisions([others], publisher).length,
		);
	});

	test("a unit that returned has its letters whole", () => {
		const back = logged({ at: T + 1 }, T + MINUTE);
		const refused = refusedEvent(back, "refused by the database: 22003");
		expect(admitted({ deadLetters: [refused] }).deadLetters).toEqual([refused]);
		const before = logged({ at: T }, T + MINUTE);
		const { deadLetters, erased } = admitted({
			deadLetters: [refusedEvent(before, "refused by the database: 22003")],
		});
		expect(deadLetters).toEqual([]);
		expect(erased.events).toBe(1);
	});
});
