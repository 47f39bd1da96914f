import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	asPart,
	decodeMessage,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeEvents,
	encodePart,
} from "./index.js";
import { rawItems } from "./raw-items.js";

const publisher = { boot: "018bcfe5-6800-7abc-8def-0123456789ff", sequence: 7 };
const utf8 = (text: string) => new TextEncoder().encode(text);
const event: Event = { id: "e1", type: "play", at: 1_000, unit: "u1" };

const packOf = (...items: string[]) =>
	utf8(
		`{ "boot": "${publisher.boot}", "sequence": 7, "note": "\\"events\\": [1]", "events" : [ ${items.join(" , ")} ]}`,
	);

describe("an item that a pack spoils", () => {
	const good = JSON.stringify(event);
	const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;

	it.each([
		["a number beyond float64", '{"id":"e2","value":1e309}', { eventId: "e2" }],
		[
			"a name said twice",
			'{"id":"e2","id":"e3","type":"a,]}\\"b"}',
			{ eventId: "e3" },
		],
		["10,000 levels", deep, {}],
		["__proto__", '{"__proto__":{"id":"e2"}}', {}],
		[
			"letters of several bytes",
			'{"id":"é€😀","type":"play"}',
			{ eventId: "é€😀" },
		],
		[
			"quotes behind any number of backslashes",
			String.raw`["\\",",]\\\"]\\",1e309]`,
			{},
		],
	])(
		"with %s keeps the text it had, to the letter, and spoils none beside it",
		(_, bad, known) => {
			const { items } = decodeMessage(
				EVENT_PACK_SUBJECT,
				packOf(good, bad, good),
			);
			expect(items).toEqual([
				{ ok: true, value: event },
				{ ok: false, reason: expect.any(String), raw: utf8(bad), ...known },
				{ ok: true, value: event },
			]);
		},
	);

	it("becomes a message of the pack's subject again, under the same publisher and for the same reason", () => {
		const bad = '{"id":"e2","type":"play","at":1000,"unit":"u1","value":1e309}';
		const [first] = decodeMessage(EVENT_PACK_SUBJECT, packOf(bad)).items;
		const part = encodePart("events", publisher, utf8(bad));
		expect(decodeMessage(EVENT_PACK_SUBJECT, part)).toEqual({
			kind: "events",
			publisher,
			part: true,
			items: [first],
		});
	});
});

it("a pack marked as a part holds the same items", () => {
	const pack = encodeEvents([event], publisher);
	const whole = decodeMessage(EVENT_PACK_SUBJECT, pack);
	expect(whole).not.toHaveProperty("part");
	expect(decodeMessage(EVENT_PACK_SUBJECT, asPart(pack))).toEqual({
		...whole,
		part: true,
	});
});

const cut = (text: string, key: string) =>
	rawItems(text, key)?.map(([from, to]) => text.slice(from, to)) ?? null;

describe("rawItems", () => {
	it("cuts any list into the texts of its elements", () => {
		fc.assert(
			fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), (list, before) => {
				const text = JSON.stringify({ before, list, behind: before }, null, 1);
				const items = cut(text, "list") as string[];
				expect(items.map((item) => JSON.stringify(JSON.parse(item)))).toEqual(
					list.map((value) => JSON.stringify(value)),
				);
			}),
			{ numRuns: 300, verbose: true },
		);
	});

	it("takes the last of several lists under the key, as JSON.parse does", () => {
		expect(cut('{"list":[1,2],"list":[3]}', "list")).toEqual(["3"]);
		expect(cut('{"other":{"list":[1]}}', "list")).toBeNull();
	});
});
