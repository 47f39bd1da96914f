import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNotStored } from "#core/context";
import {
	type DecisionRow,
	decodeMessage,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvent,
	encodeEvents,
	eventSubject,
	LOG_SUBJECT,
} from "./index.js";

const ID = "018bcfe5-6800-7abc-8def-0123456789ab";
const publisher = { boot: "018bcfe5-6800-7abc-8def-0123456789ff", sequence: 7 };
const utf8 = (text: string) => new TextEncoder().encode(text);

const row = (changes: Partial<DecisionRow> = {}): DecisionRow => ({
	id: ID,
	experiment: "morning-prompt",
	version: 2,
	definitionId: 31,
	unit: "u1",
	session: null,
	group: "policy",
	arm: "focus",
	propensity: 0.975,
	distribution: "policy",
	context: { activity: "run", taste: [1, 2] },
	x: Float64Array.of(1, -8, 1 / 4096, 8),
	eligible: [0, 2],
	excluded: { energy: "missing: activity" },
	means: Float64Array.of(0.25, -1.5),
	propensities: Float64Array.of(0.975, 0.025),
	policyPropensities: null,
	missing: ["taste"],
	degraded: [],
	decidedAt: 1_700_000_000_000,
	origin: "server",
	parent: null,
	traceId: null,
	requestId: null,
	consent: null,
	privacyVersion: null,
	extra: null,
	revision: 12,
	referenceBucket: 19_675,
	coreVersion: "e1k1d1",
	...changes,
});
const event = (changes: Partial<Event> = {}): Event => ({
	id: "e1",
	type: "play",
	at: 1_700_000_000_000,
	unit: "u1",
	...changes,
});

/** The only item's reason, or "" where it was understood. */
function reason(subject: string, body: Uint8Array): string {
	const { items } = decodeMessage(subject, body);
	expect(items).toHaveLength(1);
	const [item] = items;
	return item === undefined || item.ok ? "" : item.reason;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
	new Uint8Array(buffer, byteOffset, byteLength);
const base64 = (numbers: Int32Array | Float64Array) =>
	Buffer.from(bytesOf(numbers)).toString("base64");
const units = (values: Float64Array) =>
	base64(Int32Array.from(values, (value) => value * 4096));

/** A row by names, as earlier versions wrote it. */
function byNames(value: DecisionRow): Record<string, unknown> {
	return {
		...value,
		x: units(value.x),
		means: units(value.means),
		propensities: base64(value.propensities),
		policyPropensities:
			value.policyPropensities && base64(value.policyPropensities),
	};
}
const packOf = (decisions: readonly unknown[]) =>
	utf8(JSON.stringify({ ...publisher, decisions }));

/** A pack of one row by names, changed. */
function spoilt(change: (wire: Record<string, unknown>) => void): Uint8Array {
	const wire = byNames(row());
	change(wire);
	return packOf([wire]);
}

/** A pack of one row as it is written, changed: fields in their order, the numbers last. */
function spoiltList(change: (wire: unknown[]) => void): Uint8Array {
	const text = new TextDecoder().decode(encodeDecisions([row()], publisher));
	const [wire] = JSON.parse(text).decisions;
	change(wire);
	return packOf([wire]);
}
/** The numbers of a row, changed as bytes. */
const renumbered = (change: (bytes: number[]) => number[]) =>
	spoiltList((wire) => {
		const bytes = Buffer.from(wire.pop() as string, "base64");
		wire.push(Buffer.from(change([...bytes])).toString("base64"));
	});

describe("a pack of decisions", () => {
	it("comes back as it went", () => {
		const rows = [
			row(),
			row({
				session: "s",
				policyPropensities: Float64Array.of(0.5, 0.5),
				extra: { slate: [1] },
				consent: { ads: false },
			}),
		];
		expect(
			decodeMessage(LOG_SUBJECT, encodeDecisions(rows, publisher)),
		).toEqual({
			kind: "decisions",
			publisher,
			items: rows.map((value) => ({ ok: true, value })),
		});
	});

	it("comes back as earlier versions wrote it, by names", () => {
		const value = row({ policyPropensities: Float64Array.of(0.5, 0.5) });
		expect(decodeMessage(LOG_SUBJECT, packOf([byNames(value)])).items).toEqual([
			{ ok: true, value },
		]);
	});

	it("is bit-equal in x, means and propensities", () => {
		const grid = (most: number) =>
			fc
				.integer({ min: -most * 4096, max: most * 4096 })
				.map((units) => units / 4096);
		const arms = fc.integer({ min: 1, max: 40 });
		const random = arms.chain((k) =>
			fc.record({
				x: fc
					.array(grid(8), { minLength: 1, maxLength: 257 })
					.map((list) => Float64Array.from(list)),
				means: fc
					.array(grid(1000), { minLength: k, maxLength: k })
					.map((list) => Float64Array.from(list)),
				policyPropensities: fc.constantFrom(
					null,
					new Float64Array(k).fill(1 / k),
				),
				propensities: fc
					.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), {
						minLength: k,
						maxLength: k,
					})
					.map((list) =>
						Float64Array.from(
							list,
							(value) => value / list.reduce((a, b) => a + b, 0),
						),
					),
				eligible: fc.constant(
					Array.from({ length: k }, (_, index) => index * 3),
				),
			}),
		);
		fc.assert(
			fc.property(random, (changes) => {
				const [item] = decodeMessage(
					LOG_SUBJECT,
					encodeDecisions([row(changes)], publisher),
				).items;
				if (!item?.ok) throw new Error(item?.reason);
				const back = item.value as DecisionRow;
				for (const key of ["x", "means", "propensities"] as const)
					expect(bytesOf(back[key])).toEqual(bytesOf(changes[key]));
			}),
		);
	});

	it("has one bad decision judged without harm to the others", () => {
		const three = [row(), { ...row(), propensity: 0 }, row()];
		const { items } = decodeMessage(
			LOG_SUBJECT,
			encodeDecisions(three, publisher),
		);
		expect(items.map(({ ok }) => ok)).toEqual([true, false, true]);
		expect(items[1]).toMatchObject({
			reason: "bad decision: propensity is not valid",
		});
		const { raw } = items[1] as { raw: Uint8Array };
		expect(JSON.parse(new TextDecoder().decode(raw))).toContain(ID);
	});

	it.each<[string, (wire: Record<string, unknown>) => void, string]>([
		[
			"an id of another version",
			(wire) => (wire.id = ID.replace("-7", "-4")),
			"id is not valid",
		],
		["no unit", (wire) => delete wire.unit, "unit is missing"],
		[
			"a propensity above 1",
			(wire) => (wire.propensity = 1.01),
			"propensity is not valid",
		],
		["x that is no base64", (wire) => (wire.x = "!!!!"), "x is not valid"],
		["x cut in the middle", (wire) => (wire.x = "AAA="), "x is not valid"],
		["empty x", (wire) => (wire.x = ""), "x is not valid"],
		["x beyond ±8", (wire) => (wire.x = "AYAAAA=="), "x is beyond ±8"],
		[
			"x of 258 coordinates",
			(wire) => (wire.x = "A".repeat(1376)),
			"x is not valid",
		],
		[
			"a mean too few",
			(wire) => (wire.means = "AAAAAA=="),
			"means is not one number per eligible arm",
		],
		[
			"propensities that do not sum to 1",
			(wire) => (wire.propensities = "AAAAAAAAAAAAAAAAAAAAAA=="),
			"propensities sums to 0",
		],
		[
			"a propensity of NaN",
			(wire) => (wire.propensities = "AAAAAAAA+H8AAAAAAADwPw=="),
			"propensities is not made of probabilities",
		],
		[
			"eligible arms out of order",
			(wire) => (wire.eligible = [2, 0]),
			"eligible is not valid",
		],
		[
			"no eligible arm",
			(wire) => (wire.eligible = []),
			"eligible is not valid",
		],
		["an unknown group", (wire) => (wire.group = "vip"), "group is not valid"],
		["a unit with a NUL", (wire) => (wire.unit = "\u0000"), "unit Holds a NUL"],
		[
			"a context nested too deep",
			(wire) =>
				(wire.context = { a: JSON.parse("[".repeat(40) + "]".repeat(40)) }),
			"Nested deeper than 32",
		],
		[
			"a __proto__ in its context",
			(wire) => (wire.context = JSON.parse('{"__proto__": 1}')),
			"The key __proto__ is not allowed",
		],
	])("with %s is dead-lettered with the reason", (_, change, expected) => {
		expect(reason(LOG_SUBJECT, spoilt(change))).toContain(expected);
	});

	it.each<[string, Uint8Array, string]>([
		["too few fields", spoiltList((wire) => wire.shift()), "not an object"],
		[
			"a field of a wrong type",
			spoiltList((wire) => (wire[2] = "2")),
			"version is not valid",
		],
		[
			"a __proto__",
			spoiltList((wire) => (wire[10] = JSON.parse('{"__proto__":1}'))),
			"The key __proto__ is not allowed",
		],
		[
			"numbers that are no text",
			spoiltList((wire) => wire.splice(-1, 1, 7)),
			"numbers is not valid",
		],
		[
			"numbers that are no base64",
			spoiltList((wire) => wire.splice(-1, 1, "!")),
			"numbers is not valid",
		],
		[
			"numbers cut short",
			renumbered((bytes) => bytes.slice(0, -1)),
			"numbers is not valid",
		],
		["numbers cut to nothing", renumbered(() => []), "numbers is not valid"],
		[
			"bytes after its numbers",
			renumbered((bytes) => [...bytes, 1]),
			"numbers is not valid",
		],
		[
			"more arms than bytes",
			renumbered(([, ...rest]) => [255, 255, 255, 255, 15, ...rest]),
			"numbers is not valid",
		],
		[
			"a number without end",
			renumbered(() => Array(20).fill(255)),
			"numbers is not valid",
		],
		[
			"no eligible arm",
			renumbered(() => [0, 1, 2, 0]),
			"eligible is not valid",
		],
		[
			"an arm beyond 1,000",
			renumbered(([K, , ...rest]) => [K!, 0xe8, 7, ...rest]),
			"eligible is not valid",
		],
		[
			"x beyond ±8",
			renumbered((bytes) => bytes.with(6, 255).with(7, 255).with(8, 7)),
			"x is beyond ±8",
		],
		[
			"which of two where there are two",
			renumbered((bytes) => bytes.with(-1, 2)),
			"numbers is not valid",
		],
		[
			"propensities that do not sum to 1",
			renumbered((bytes) => bytes.with(-1, 0)),
			"propensities sums to",
		],
	])(
		"in lists with %s is dead-lettered with the reason",
		(_, body, expected) => {
			expect(reason(LOG_SUBJECT, body)).toContain(expected);
		},
	);

	it.each([
		["no publisher", "{}", "bad pack: boot"],
		[
			"a sequence of 0",
			`{"boot":"${publisher.boot}","sequence":0,"decisions":[]}`,
			"bad pack: boot",
		],
		[
			"no list",
			`{"boot":"${publisher.boot}","sequence":1,"decisions":{}}`,
			"bad pack: decisions must be a list",
		],
		["a list at the top", "[]", "bad pack"],
	])("with %s is one poisoned item", (_, text, expected) => {
		expect(reason(LOG_SUBJECT, utf8(text))).toContain(expected);
		expect(decodeMessage(LOG_SUBJECT, utf8(text))).toMatchObject({
			kind: "decisions",
			items: [{ raw: utf8(text) }],
		});
	});
});

describe("events on the stream", () => {
	it("come back one by one on the subject of their type", () => {
		const one = event({ decisionId: ID, value: 0.5, properties: { a: null } });
		expect(decodeMessage(eventSubject("play"), encodeEvent(one))).toEqual({
			kind: "events",
			publisher: null,
			items: [{ ok: true, value: one }],
		});
	});

	it("come back in packs of mixed types, each judged on its own", () => {
		const events = [
			event(),
			event({ type: "skip", at: -1 }),
			event({ type: "save" }),
		];
		const decoded = decodeMessage(
			EVENT_PACK_SUBJECT,
			encodeEvents(events, publisher),
		);
		expect(decoded).toMatchObject({ kind: "events", publisher });
		expect(decoded.items.map(({ ok }) => ok)).toEqual([true, false, true]);
		expect(decoded.items[1]).toMatchObject({
			reason: expect.stringContaining("bad event: at: Must be a time"),
		});
	});

	it("tell of a visit in a pack, and nowhere else", () => {
		const visit = event({ type: "_visit" });
		const packed = encodeEvents([visit], publisher);
		expect(decodeMessage(EVENT_PACK_SUBJECT, packed).items).toEqual([
			{ ok: true, value: visit },
		]);
		const alone = encodeEvent(visit);
		for (const subject of [eventSubject("_visit"), eventSubject("play")])
			expect(decodeMessage(subject, alone).items[0]?.ok, subject).toBe(false);
		const broken = encodeEvents([{ ...visit, unit: "" }], publisher);
		expect(decodeMessage(EVENT_PACK_SUBJECT, broken).items[0]?.ok).toBe(false);
	});

	it.each<[string, string, Uint8Array, string]>([
		[
			"a type that is not the subject's",
			eventSubject("skip"),
			encodeEvent(event()),
			"wrong subject: the event's type is play",
		],
		["no JSON", eventSubject("play"), utf8("{nonsense"), "not JSON"],
		["nothing", eventSubject("play"), utf8(""), "not JSON"],
		[
			"no UTF-8",
			eventSubject("play"),
			Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
			"not UTF-8",
		],
		[
			"a NUL",
			eventSubject("play"),
			utf8('{"id":"\\u0000","type":"play","at":1,"unit":"u"}'),
			"id: Holds a NUL",
		],
		[
			"a __proto__ key",
			eventSubject("play"),
			utf8('{"__proto__":{},"id":"e","type":"play","at":1,"unit":"u"}'),
			"__proto__ is not allowed",
		],
		[
			"1e309",
			eventSubject("play"),
			utf8('{"id":"e","type":"play","at":1,"unit":"u","value":1e309}'),
			"value: Infinity is not a finite number",
		],
		[
			"NaN",
			eventSubject("play"),
			utf8('{"id":"e","type":"play","at":1,"unit":"u","value":NaN}'),
			"not JSON",
		],
		["a list", eventSubject("play"), utf8("[]"), "An event must be an object"],
		[
			"nesting of 10,000",
			eventSubject("play"),
			utf8(`{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`),
			"Nested deeper than 32",
		],
		[
			"nesting of 400,000",
			eventSubject("play"),
			utf8("[".repeat(400_000) + "]".repeat(400_000)),
			"Nested deeper than 32",
		],
		[
			"a pack's item nested 100,000 deep",
			EVENT_PACK_SUBJECT,
			utf8(
				`{"boot":"${publisher.boot}","sequence":1,"events":[${"[".repeat(100_000)}${"]".repeat(100_000)}]}`,
			),
			"Nested deeper than 32",
		],
		[
			"a subject of two tokens",
			"segue.events.a.b",
			encodeEvent(event()),
			"unknown subject",
		],
		[
			"another subject",
			"segue.decide",
			encodeEvent(event()),
			"unknown subject",
		],
	])(
		"with %s is dead-lettered with the reason",
		(_, subject, body, expected) => {
			expect(reason(subject, body)).toContain(expected);
		},
	);

	it("with free text beside a dozen other faults say the free text first", () => {
		const unknown = Object.fromEntries(
			Array.from({ length: 12 }, (_, i) => [`extra${i}`, i]),
		);
		const spoilt = {
			...event({ properties: { note: "call me" } }),
			...unknown,
		};
		const why = reason(eventSubject("play"), utf8(JSON.stringify(spoilt)));
		expect(why).toMatch(/^bad event: properties\.note: note must be a label/);
		expect(isNotStored(why)).toBe(true);
	});

	it.each([
		[
			"decision and id",
			{ id: "e-1", decisionId: ID.toUpperCase(), value: "much" },
			{ eventId: "e-1", decisionId: ID },
		],
		[
			"what is no decision's id",
			{ id: "e-1", decisionId: "mine" },
			{ eventId: "e-1" },
		],
		[
			"what is no event's id",
			{ id: "e\n", decisionId: ID },
			{ decisionId: ID },
		],
		["neither", { id: 7 }, {}],
	])("that are refused are known by %s", (_, fields, known) => {
		const text = JSON.stringify({ type: "play", at: 1, unit: "u", ...fields });
		const whole = decodeMessage(eventSubject("play"), utf8(text));
		const pack = utf8(
			`{"boot":"${publisher.boot}","sequence":1,"events":[${text}]}`,
		);
		for (const { items } of [whole, decodeMessage(EVENT_PACK_SUBJECT, pack)])
			expect(items).toEqual([
				{ ok: false, reason: expect.any(String), raw: utf8(text), ...known },
			]);
	});

	it("keep the whole text of what was not understood", () => {
		const text = '{"id":"e","type":"play","at":1,"unit":"u","extra":1}';
		expect(decodeMessage(eventSubject("play"), utf8(text)).items).toEqual([
			expect.objectContaining({ ok: false, raw: utf8(text) }),
		]);
	});
});

describe("decoding never throws", () => {
	const subjects = fc.constantFrom(
		LOG_SUBJECT,
		EVENT_PACK_SUBJECT,
		eventSubject("play"),
		"segue.events.",
		"x",
	);
	const whole = encodeDecisions([row(), row()], publisher);
	const events = encodeEvents([event(), event({ type: "skip" })], publisher);

	it("on random bytes", () => {
		fc.assert(
			fc.property(
				subjects,
				fc.uint8Array({ maxLength: 200 }),
				(subject, bytes) => {
					expect(decodeMessage(subject, bytes).items.length).toBeGreaterThan(0);
				},
			),
		);
	});

	it("on a pack cut anywhere", () => {
		fc.assert(
			fc.property(
				fc.constantFrom(whole, events),
				fc.double({ min: 0, max: 0.9999, noNaN: true }),
				(pack, share) => {
					const cut = pack.slice(0, Math.floor(share * pack.length));
					const subject = pack === whole ? LOG_SUBJECT : EVENT_PACK_SUBJECT;
					expect(decodeMessage(subject, cut).items).toMatchObject([
						{ ok: false },
					]);
				},
			),
		);
	});

	it("on a pack with one byte changed", () => {
		fc.assert(
			fc.property(
				fc.constantFrom(whole, events),
				fc.nat(),
				fc.integer({ min: 0, max: 255 }),
				(pack, place, byte) => {
					const changed = pack.slice();
					changed[place % pack.length] = byte;
					const subject = pack === whole ? LOG_SUBJECT : EVENT_PACK_SUBJECT;
					expect(decodeMessage(subject, changed).items.length).toBeGreaterThan(
						0,
					);
				},
			),
			{ numRuns: 2000 },
		);
	});

	it("on any JSON", () => {
		const envelope = fc.record({
			boot: fc.constant(publisher.boot),
			sequence: fc.constant(1),
			decisions: fc.array(
				fc.oneof(
					fc.jsonValue(),
					fc.array(fc.oneof(fc.jsonValue(), fc.base64String()), {
						minLength: 26,
						maxLength: 26,
					}),
					fc.dictionary(fc.constantFrom(...Object.keys(row())), fc.jsonValue()),
				),
				{ minLength: 1 },
			),
			events: fc.array(fc.jsonValue(), { minLength: 1 }),
		});
		fc.assert(
			fc.property(
				subjects,
				fc.oneof(fc.jsonValue(), envelope),
				(subject, value) => {
					for (const item of decodeMessage(subject, utf8(JSON.stringify(value)))
						.items)
						if (!item.ok) expect(item.reason).not.toBe("");
				},
			),
		);
	});
});
