import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "#core/experiment";
import {
	canonicalEvent,
	isDecisionId,
	parseEvent,
	parseInstant,
	timeOfId,
	uuidAtTime,
} from "./index.js";

const ID = "018bcfe5-6800-7abc-8def-0123456789ab";
const present = (event: object) =>
	Object.keys(JSON.parse(JSON.stringify(event)));

const minimal = { id: "e1", type: "play", at: 1_700_000_000_000, unit: "u1" };

function problems(raw: unknown, path?: string): string[] {
	const parsed = parseEvent(raw, path);
	return parsed.ok
		? []
		: parsed.problems.map(({ path: at, message }) => `${at}: ${message}`);
}
function accepted(raw: unknown) {
	const parsed = parseEvent(raw);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

describe("an event", () => {
	it("needs id, type, at and unit, no more", () => {
		expect(accepted(minimal)).toEqual(minimal);
		expect(
			present(accepted({ ...minimal, value: null, session: undefined })),
		).toEqual(["id", "type", "at", "unit"]);
		expect(problems({})).toEqual(
			["type", "id", "at", "unit"].map(
				(key) => `${key}: Required, but missing.`,
			),
		);
	});

	it("may carry all that the contract names", () => {
		const whole = {
			...minimal,
			decisionId: ID,
			value: 0.5,
			session: "s",
			item: "track-1",
			slot: 3,
			properties: { source: "car", volume: 0.7, loud: true, note: null },
		};
		expect(accepted(whole)).toEqual(whole);
		expect(
			accepted({ ...whole, decisionId: ID.toUpperCase() }).decisionId,
		).toBe(ID);
		expect(
			accepted({ ...minimal, type: "retract", decisionId: ID, retracts: "e0" })
				.retracts,
		).toBe("e0");
	});

	it("has its value rounded to the grid", () => {
		expect(accepted({ ...minimal, value: 0.3 }).value).toBe(1229 / 4096);
		expect(Object.is(accepted({ ...minimal, value: -0 }).value, 0)).toBe(true);
	});

	it("may not carry unknown keys", () => {
		expect(problems({ ...minimal, valeu: 1 }, "events[3]")).toEqual([
			'events[3].valeu: Unknown key "valeu": did you mean "value"?',
		]);
		expect(
			problems(
				JSON.parse(
					'{"id":"e","type":"play","at":1,"unit":"u","__proto__":{"value":1}}',
				),
			)[0],
		).toContain("__proto__: Unknown key");
	});

	it.each<[string, object, string]>([
		["an empty id", { id: "" }, "id: Must be 1 to 256 printable characters."],
		["an id of 257 characters", { id: "x".repeat(257) }, "id: "],
		["a unit with a line break", { unit: "a\nb" }, "unit: "],
		["a unit with a NUL", { unit: "a\u0000" }, "unit: "],
		["half a surrogate pair", { unit: "\ud800" }, "unit: "],
		["a number as unit", { unit: 3 }, "unit: "],
		["a type with a dot", { type: "a.b" }, "type: Must be 1 to 64 letters"],
		["a type that is a wildcard", { type: ">" }, "type: "],
		["the pack's name as type", { type: "_pack" }, "type: "],
		[
			"a time without offset",
			{ at: "2026-01-05T07:30:00" },
			"at: Must be a time with offset",
		],
		["half a millisecond", { at: 1.5 }, "at: "],
		["a time of NaN", { at: Number.NaN }, "at: "],
		[
			"a decision id of another version",
			{ decisionId: "018bcfe5-6800-4abc-8def-0123456789ab" },
			"decisionId: ",
		],
		[
			"an infinite value",
			{ value: Number.POSITIVE_INFINITY },
			"value: Must be a finite number within ±1048576.",
		],
		["a NaN value", { value: Number.NaN }, "value: "],
		["a text value", { value: "1" }, "value: "],
		["a value of 2 million", { value: 2e6 }, "value: "],
		["a negative slot", { slot: -1 }, "slot: "],
		["half a slot", { slot: 0.5 }, "slot: "],
		[
			"nested properties",
			{ properties: { a: { b: 1 } } },
			"properties: Must be an object of labels",
		],
		[
			"3 KB of properties",
			{ properties: { a: "x".repeat(3000) } },
			"properties: ",
		],
		[
			"properties that reach a prototype",
			{ properties: JSON.parse('{"__proto__": 1}') },
			"properties: ",
		],
		[
			"free text in properties",
			{ properties: { note: "call me at nine" } },
			"properties.note: note must be a label of at most 64 characters without spaces, invisible characters or @, since free text is not stored.",
		],
		[
			"an address in properties",
			{ properties: { contact: "me@example.org" } },
			"properties.contact: contact must be a label",
		],
		[
			"a precise location in properties",
			{ properties: { latitude: 52.52 } },
			"properties.latitude: latitude names a precise location, which is not stored: use a place (home, gym, commute) or a region instead.",
		],
		[
			"free text for a property's name, which is not repeated",
			{ properties: { depth: 1, "call me at nine": true } },
			"properties: The name of property 2 must be a label of at most 64 characters without spaces, invisible characters or @, since free text is not stored.",
		],
		[
			"coordinates for a property's name, which are not repeated",
			{ properties: { "52.52000,13.40500": 1 } },
			"properties: The name of property 1 is a pair of coordinates, a precise location, which is not stored",
		],
		[
			"a precise location and its number in a property's name",
			{ properties: { lat52520: 1 } },
			"properties: The name of property 1 names a precise location, which is not stored",
		],
		[
			"coordinates in properties",
			{ properties: { position: "52.52000,13.40500" } },
			"properties.position: position is a pair of coordinates, a precise location, which is not stored: use a place (home, gym, commute) or a region instead.",
		],
		[
			"a precise location in parts of a name",
			{ properties: { homeLat: 52.52 } },
			"properties.homeLat: homeLat names a precise location",
		],
		["a NUL in properties", { properties: { a: "\u0000" } }, "properties: "],
		["a list of properties", { properties: [] }, "properties: "],
		[
			"a retract without decision",
			{ type: "retract", retracts: "e0" },
			"decisionId: A retract must name the decision",
		],
		[
			"a retract without event",
			{ type: "retract", decisionId: ID },
			"retracts: A retract must name the id",
		],
		[
			"a play that retracts",
			{ retracts: "e0" },
			"retracts: Only an event of type retract",
		],
	])("with %s is refused", (_, changes, expected) => {
		const found = problems({ ...minimal, ...changes });
		expect(found).toHaveLength(1);
		expect(found[0]).toContain(expected);
	});

	it("that is no object is refused", () => {
		for (const raw of [null, [], "x", 3, undefined, new Map()])
			expect(problems(raw, "events[0]")).toEqual([
				"events[0]: An event must be an object.",
			]);
	});

	it("has all its problems named at once", () => {
		expect(problems({ ...minimal, id: "", at: "now", slot: "1" })).toHaveLength(
			3,
		);
	});

	it("is parsed without a throw, whatever comes", () => {
		const keys = [
			"id",
			"type",
			"at",
			"unit",
			"decisionId",
			"value",
			"properties",
			"retracts",
			"slot",
			"item",
		];
		const anything = fc.oneof(
			fc.anything(),
			fc.dictionary(fc.constantFrom(...keys), fc.anything()),
		);
		fc.assert(
			fc.property(anything, (raw) => {
				expect(typeof parseEvent(raw).ok).toBe("boolean");
			}),
		);
	});
});

describe("an instant", () => {
	it.each([
		["2026-01-05T07:30:00Z", Date.UTC(2026, 0, 5, 7, 30)],
		["2026-01-05T07:30:00.123Z", Date.UTC(2026, 0, 5, 7, 30, 0, 123)],
		["2026-01-05T07:30:00.123999Z", Date.UTC(2026, 0, 5, 7, 30, 0, 123)],
		["2026-01-05T07:30:00.5+02:00", Date.UTC(2026, 0, 5, 5, 30, 0, 500)],
		["2026-01-05T07:30-0530", Date.UTC(2026, 0, 5, 13, 0)],
		["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
		["1970-01-01T00:00:00Z", 0],
		["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
	])("%s is read", (text, expected) => {
		expect(parseInstant(text)).toBe(expected);
	});

	it.each([
		"2026-01-05T07:30:00",
		"2026-01-05",
		"2026-02-30T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-05T24:00:00Z",
		"2026-01-05T00:60:00Z",
		"2026-01-05T00:00:60Z",
		"2026-01-05T00:00:00+24:00",
		"1969-12-31T23:59:59Z",
		"yesterday",
		"",
		1.5,
		-1,
		Number.NaN,
		1e20,
		null,
		{},
	])("%j is refused", (raw) => {
		expect(parseInstant(raw)).toBeNull();
	});

	it("agrees with the platform's calendar", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (at) => {
				expect(parseInstant(new Date(at).toISOString())).toBe(at);
			}),
		);
	});
});

describe("the canonical content of an event", () => {
	it("does not depend on the order of keys or on absent fields", () => {
		const one = accepted({ ...minimal, properties: { a: 1, b: 2 }, value: 1 });
		const other = accepted({
			properties: { b: 2, a: 1 },
			value: 1,
			unit: "u1",
			at: "2023-11-14T22:13:20Z",
			type: "play",
			id: "e1",
		});
		expect(canonicalEvent(other)).toBe(
			canonicalEvent({ ...one, session: undefined }),
		);
	});

	it("is the JSON of the event with its keys sorted, as stored hashes were made", () => {
		const event = accepted({
			id: "e1",
			unit: "u1",
			type: "retract",
			decisionId: ID,
			at: 1_700_000_000_000,
			value: 0.5,
			session: "s",
			item: "track-1",
			slot: 3,
			properties: { z: 1, a: "two", m: true },
			retracts: "e0",
		});
		expect(canonicalEvent(event)).toBe(canonicalJson(event));
	});

	it("differs with any field", () => {
		const contents = [
			{},
			{ value: 1 },
			{ at: 2 },
			{ unit: "u2" },
			{ session: "s" },
			{ properties: { a: 1 } },
			{ properties: { a: "1" } },
		].map((changes) => canonicalEvent(accepted({ ...minimal, ...changes })));
		expect(new Set(contents).size).toBe(contents.length);
	});
});

describe("a decision id", () => {
	it("holds its time", () => {
		expect(timeOfId(ID)).toBe(1_700_000_000_000);
		expect(timeOfId(uuidAtTime(1_700_000_000_001))).toBe(1_700_000_000_001);
	});

	it("of a time is the lowest of that time", () => {
		expect(isDecisionId(uuidAtTime(0))).toBe(true);
		expect(uuidAtTime(1_700_000_000_000) < ID).toBe(true);
		expect(uuidAtTime(1_700_000_000_001) > ID).toBe(true);
		expect(timeOfId(uuidAtTime(Number.POSITIVE_INFINITY))).toBe(2 ** 48 - 1);
		expect(timeOfId(uuidAtTime(-5))).toBe(0);
	});

	it("is a UUIDv7 in lower case", () => {
		expect(
			[ID, ID.toUpperCase(), ID.replace("-7", "-4"), `${ID}0`, ""].map(
				isDecisionId,
			),
		).toEqual([true, false, false, false, false]);
	});
});
