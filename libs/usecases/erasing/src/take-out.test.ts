import { describe, expect, test } from "vitest";
import { encodeDecisions } from "#core/log";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { emptied, namedUnits, takeOut } from "./index.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => bytes(JSON.stringify(value));
const text = (left: unknown) =>
	left instanceof Uint8Array ? new TextDecoder().decode(left) : left;
const of = (...units: string[]) => new Set(units);

describe("taking units out of a message", () => {
	const pack = {
		boot: "b",
		sequence: 7,
		events: [
			{ id: "1", unit: "ann", type: "play" },
			{ id: "2", unit: "bob", value: 0.1, type: "ann" },
			{ id: "3", unit: "ann", type: "skip" },
		],
	};

	test("a pack keeps the others' items and its number", () => {
		expect(text(takeOut(json(pack), of("ann")))).toBe(
			JSON.stringify({ ...pack, events: [pack.events[1]] }),
		);
	});

	test("a pack of theirs alone goes, one of others' alone stays", () => {
		expect(takeOut(json(pack), of("ann", "bob"))).toBe("nothing");
		expect(takeOut(json(pack), of("play"))).toBe("all");
	});

	test("a pack that names a unit beside its items goes", () => {
		expect(takeOut(json({ ...pack, unit: "cid" }), of("cid"))).toBe("nothing");
		expect(
			takeOut(json({ ...pack, boot: "listener-1" }), of("listener-1")),
		).toBe("nothing");
	});

	test("a short unit that is also a word of somebody's event does not take that event along", () => {
		expect(takeOut(json({ unit: "bob", type: "play" }), of("play"))).toBe(
			"all",
		);
		expect(takeOut(json({ unit: "play", type: "play" }), of("play"))).toBe(
			"nothing",
		);
		expect(takeOut(json({ unit: 17, type: "play" }), of("17"))).toBe("nothing");
	});

	test("a short unit is found in a pack of decisions, whose rows have no keys, and in one row of it alone", () => {
		const definition = aDefinition(
			anExperiment({
				key: "taken",
				arms: [{ key: "ann" }],
				policy: { kind: "uniform" },
				reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
			}),
		);
		const row = (i: number, unit: string) =>
			aDecision(definition, { id: idAt(1_000, i), arm: "ann", unit });
		const packed = encodeDecisions([row(1, "ann"), row(2, "bob")], {
			boot: "b",
			sequence: 7,
		});
		const left = JSON.parse(text(takeOut(packed, of("ann"))) as string);
		expect(left.sequence).toBe(7);
		expect(left.decisions).toHaveLength(1);
		expect(left.decisions[0][0]).toBe(idAt(1_000, 2));
		expect(takeOut(packed, of("ann", "bob"))).toBe("nothing");
		const [alone] = JSON.parse(new TextDecoder().decode(packed)).decisions;
		expect(namedUnits(json(alone))).toContain("ann");
		expect(takeOut(json(alone), of("ann"))).toBe("nothing");
		expect(takeOut(json(alone), of("uniform"))).toBe("all");
	});

	test("a unit under a misspelt key is found where it is long enough to be nothing else", () => {
		expect(takeOut(json({ user: "listener-1" }), of("listener-1"))).toBe(
			"nothing",
		);
		expect(takeOut(json({ user: "listener-12" }), of("listener-1"))).toBe(
			"all",
		);
	});

	test("text that is no JSON goes where it names the unit", () => {
		expect(takeOut(bytes('{"unit": "ann",'), of("ann"))).toBe("nothing");
		expect(takeOut(bytes('{"unit": "anna",'), of("ann"))).toBe("all");
		expect(takeOut(bytes("unit=listener-1;"), of("listener-1"))).toBe(
			"nothing",
		);
	});

	test("however JSON spells it, the unit is found", () => {
		for (const unit of ["zoë", 'a"b', "a/b", "日本", "a\\b"]) {
			const spelt = [
				JSON.stringify(unit),
				JSON.stringify(unit).replaceAll("/", "\\/"),
				`"${[...unit].map((c) => (c > "~" ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : JSON.stringify(c).slice(1, -1))).join("")}"`,
			];
			for (const one of spelt)
				expect(takeOut(bytes(`{"unit":${one}}`), of(unit)), one).toBe(
					"nothing",
				);
		}
	});

	test("an escape that nobody needs hides no unit, in JSON and in what is none", () => {
		for (const [unit, spelt] of [
			["ann+tag@example.org", "ann\\u002Btag@example.org"],
			["tom&jerry", "tom\\u0026jerry"],
			["tom&jerry", "\\u0074om&jerry"],
			["ann", "\\u0061nn"],
			["a/b/long-name", "a\\/b/long-name"],
			["zoë-and-日本", "zo\\u00Eb-and-\\u65e5本"],
			["🎧🎧", "\\uD83c\\udfa7🎧"],
		] as const)
			for (const said of [`{"unit":"${spelt}"}`, `{"unit":"${spelt}",`]) {
				expect(takeOut(bytes(said), of(unit)), said).toBe("nothing");
				expect(namedUnits(bytes(said)), said).toContain(unit);
			}
	});

	test("a short unit of any letters is found in text that is no JSON, and no beginning of another", () => {
		expect(takeOut(bytes('{"unit": "zoë",'), of("zoë"))).toBe("nothing");
		expect(takeOut(bytes('{"unit": "zoë",'), of("zo"))).toBe("all");
		expect(takeOut(bytes('{"unit":"a\\"b",'), of('a"b'))).toBe("nothing");
	});

	test("a unit that is a key is found, but for keys of our own", () => {
		const said = { "listener-1": { at: 1 } };
		expect(namedUnits(json(said))).toEqual(["listener-1"]);
		expect(takeOut(json(said), of("listener-1"))).toBe("nothing");
		expect(
			takeOut(json({ events: [said, pack.events[1]] }), of("listener-1")),
		).toEqual(json({ events: [pack.events[1]] }));
		const event = { unit: "bob", decisionId: "1", properties: {}, sequence: 1 };
		expect(
			takeOut(
				json({ events: [event] }),
				of("decisionId", "properties", "sequence"),
			),
		).toBe("all");
	});

	test("10,000 levels are looked through", () => {
		const deep = `${"[".repeat(10_000)}{"unit":"ann"}${"]".repeat(10_000)}`;
		expect(takeOut(bytes(deep), of("ann"))).toBe("nothing");
		expect(takeOut(bytes(deep), of("bob"))).toBe("all");
	});
});

describe("the units that a message may be about", () => {
	test("are found in JSON and in what is none", () => {
		const named = namedUnits(json({ unit: "ann", user: "listener-1" }));
		expect(named?.toSorted()).toEqual(["ann", "listener-1"]);
		expect(namedUnits(bytes('"oops, "unit": "ann"'))).toContain("ann");
		for (const said of ["unit=listener-1;", "unit:listener-1.", "listener-1:"])
			expect(namedUnits(bytes(said)), said).toContain("listener-1");
		expect(namedUnits(bytes(`["${"x".repeat(5_000)}`))?.length).toBeLessThan(3);
		expect(namedUnits(bytes('{"unit": 17,'))).toContain("17");
		expect(namedUnits(bytes('{"unit": "an'))).toContain("an");
		for (const name of ["ann+tag@example.org", "~a1.k-3_kPgRhW0Fq5bX8vZuQ-"])
			expect(namedUnits(bytes(`no unit ${name}: why`)), name).toContain(name);
	});

	test("may have 256 signs of any plane", () => {
		const name = "🎧".repeat(256);
		const escaped = name.replaceAll("🎧", "\\ud83c\\udfa7");
		for (const said of [name, escaped])
			for (const end of ["}", ","]) {
				const text = `{"unit":"${said}"${end}`;
				expect(namedUnits(bytes(text)), text).toContain(name);
				expect(takeOut(bytes(text), of(name)), text).toBe("nothing");
			}
		expect(namedUnits(json({ unit: `${name}🎧` }))).toEqual([]);
	});

	test("are not told where they are more than may be looked up", () => {
		const events = (count: number) =>
			Array.from({ length: count }, (_, i) => ({ unit: `unit-${i}` }));
		expect(namedUnits(json(events(20_000)))).toHaveLength(20_000);
		expect(namedUnits(json(events(20_001)))).toBeNull();
		const torn = (count: number) => bytes(`[${JSON.stringify(events(count))}`);
		expect(namedUnits(torn(19_000))?.length).toBeGreaterThan(19_000);
		expect(namedUnits(torn(20_001))).toBeNull();
	});

	test("are no longer than a name may be, and no lists 10,000 deep", () => {
		const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
		const text = `{"unit":${deep},"item":"${"x".repeat(257)}","user":"listener-1"}`;
		expect(namedUnits(bytes(text))).toEqual(["listener-1"]);
		expect(takeOut(bytes(text), of("listener-1"))).toBe("nothing");
		expect(takeOut(bytes(text), of(..."abcdefghi"))).toBe("all");
	});
});

test("an emptied pack keeps its number and can still be read", () => {
	const pack = { boot: "b", sequence: 7, decisions: [{ unit: "ann" }] };
	expect(text(emptied(json(pack)))).toBe(
		JSON.stringify({ ...pack, decisions: [] }),
	);
});
