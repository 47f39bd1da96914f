import { describe, expect, it } from "vitest";
import { diffExperiment, parseExperiment, renderExperiment } from "./index.js";

const track = { name: "track", from: "request", kind: "attribute" };
const live = {
	name: "skips",
	from: "live",
	kind: "number",
	event: "skip",
	window: "5m",
};

const document = (...features: object[]) => ({
	key: "sample",
	arms: [{ key: "focus" }, { key: "energy" }],
	context: { features: [track, ...features] },
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
});

function parse(...features: object[]) {
	const parsed = parseExperiment(document(...features));
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

/** What the live feature became. */
function declared(change: object) {
	const feature = parse({ ...live, ...change }).context.features[1];
	return feature?.kind === "number" ? feature.live : undefined;
}

function problems(change: object, without: string[] = []): string[] {
	const feature = Object.fromEntries(
		Object.entries({ ...live, ...change }).filter(
			([key]) => !without.includes(key),
		),
	);
	const parsed = parseExperiment(document(feature));
	return parsed.ok
		? []
		: parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("a live feature", () => {
	const base = { event: "skip", windowMs: 300_000 };

	it("counts the unit's events unless it says otherwise", () => {
		expect(declared({})).toEqual({ ...base, aggregate: "count", by: "unit" });
	});

	it.each([
		[{ aggregate: "rate" }, {}],
		[{ aggregate: "sum" }, { of: "value" }],
		[{ aggregate: "mean", of: "slot" }, {}],
		[{ aggregate: "last" }, { of: "value" }],
		[{ aggregate: "timeSince", by: "session" }, {}],
		[{ aggregate: "distinct" }, { of: "item" }],
		[{ aggregate: "distinct", of: "unit", by: "experiment" }, {}],
		[{ aggregate: "count", by: "item", item: "track" }, {}],
		[{ aggregate: "count", by: "arm", arm: "focus" }, {}],
	])("may be %j, which fills in %j", (said, filled) => {
		expect(declared(said)).toEqual({ ...base, by: "unit", ...said, ...filled });
	});

	it("comes back from the document form", () => {
		const experiment = parse(
			{ ...live, aggregate: "mean" },
			{ ...live, name: "plays", by: "item", item: "track" },
			{ ...live, name: "saves", by: "arm", arm: "focus" },
		);
		const again = parseExperiment(renderExperiment(experiment));
		expect(again).toMatchObject({ ok: true, value: experiment });
	});

	it.each<[string, object, string]>([
		[
			"a field where none is read",
			{ of: "value" },
			"of: count reads only that an event came, so leave of out; sum, mean, last and distinct read a field.",
		],
		[
			"the sum of names",
			{ aggregate: "sum", of: "item" },
			"of: sum reads value, slot or a number of the properties, such as properties.depth, not item.",
		],
		[
			"how many times a property came",
			{ aggregate: "count", of: "properties.depth" },
			"of: count reads only that an event came",
		],
		[
			"the distinct values of a property",
			{ aggregate: "distinct", of: "properties.depth" },
			"of: distinct reads item or session or unit, not properties.depth.",
		],
		[
			"a property without a name",
			{ aggregate: "mean", of: "properties." },
			"of: Must be value, slot, item, session, unit, or a property such as properties.depth.",
		],
		[
			"distinct numbers",
			{ aggregate: "distinct", of: "value" },
			"of: distinct reads item or session or unit, not value.",
		],
		[
			"the units of one unit",
			{ aggregate: "distinct", of: "unit" },
			"of: One unit has one unit, so this is never more than 1. Give another of (item, session), or another by.",
		],
		[
			"a key of no kind",
			{ by: "listener" },
			'by: Must be one of unit, session, item, arm, experiment, not "listener".',
		],
		[
			"by item without the item",
			{ by: "item" },
			"item: With by: item, name the request feature whose value is the item, such as item: track.",
		],
		[
			"an item that is not declared",
			{ by: "item", item: "song" },
			"item: song is no attribute or category from: request of this context. Declare it, such as { name: song, from: request, kind: attribute }.",
		],
		[
			"an item that is a number",
			{ by: "item", item: "skips" },
			"item: skips is no attribute or category from: request of this context.",
		],
		[
			"an item by unit",
			{ item: "track" },
			"item: item goes with by: item; leave it out, or say by: item.",
		],
		[
			"by arm without the arm",
			{ by: "arm" },
			"arm: With by: arm, name the arm, such as arm: focus.",
		],
		[
			"an arm that there is not",
			{ by: "arm", arm: "fokus" },
			"arm: There is no arm fokus. The arms are focus, energy.",
		],
		[
			"an arm by unit",
			{ arm: "focus" },
			"arm: arm goes with by: arm; leave it out, or say by: arm.",
		],
		[
			"a window under a second",
			{ window: "500ms" },
			"window: A live window is 1s to 1h, not 500ms.",
		],
	])("is refused with %s", (_, change, expected) => {
		const found = problems(change);
		expect(found).toHaveLength(1);
		expect(found[0]).toContain(`context.features[1].${expected}`);
	});

	it.each(["aggregate", "of", "by", "item", "arm"] as const)(
		"alone may say %s",
		(key) => {
			const value = {
				aggregate: "mean",
				of: "value",
				by: "unit",
				item: "track",
				arm: "focus",
			}[key];
			const found = problems({ from: "request", [key]: value }, [
				"event",
				"window",
			]);
			expect(found).toEqual([
				`context.features[1].${key}: ${key} goes with from: live; this feature is from: request.`,
			]);
		},
	);

	it.each([
		[{ event: "play" }],
		[{ window: "30s" }],
		[{ aggregate: "rate" }],
		[{ aggregate: "mean", of: "slot" }],
		[{ by: "session" }],
		[{ by: "item", item: "track" }],
		[{ by: "arm", arm: "focus" }],
	])("that becomes %j starts a new version", (change) => {
		const before = parse(live);
		const after = parse({ ...live, ...change });
		expect(diffExperiment(before, after)).toMatchObject({ newVersion: true });
		expect(diffExperiment(after, after)).toMatchObject({ newVersion: false });
	});

	it("that spells out what is the default stays in its version", () => {
		const spelt = parse({ ...live, aggregate: "count", by: "unit" });
		expect(diffExperiment(parse(live), spelt).changes).toEqual([]);
	});
});

describe("a live vector", () => {
	const vector = {
		name: "mood",
		from: "live",
		kind: "vector",
		length: 8,
		event: "play",
		window: "1h",
	};

	it("is made of the session's events unless it says whose, and comes out again as it went in", () => {
		const experiment = parse(vector);
		expect(experiment.context.features[1]).toMatchObject({
			length: 8,
			live: {
				event: "play",
				windowMs: 3_600_000,
				aggregate: "meanVector",
				by: "session",
				length: 8,
			},
		});
		expect(parseExperiment(renderExperiment(experiment))).toMatchObject({
			value: experiment,
		});
		const byUnit = parse({ ...vector, by: "unit" });
		expect(diffExperiment(experiment, byUnit)).toMatchObject({
			newVersion: true,
		});
	});

	it.each([
		[
			"without an event",
			{ event: undefined },
			"event: A live feature needs the event type",
		],
		[
			"without a window",
			{ window: undefined },
			"window: A live feature needs a window",
		],
		["over a day", { window: "24h" }, "window: A live window is 1s to 1h"],
		[
			"of retracts",
			{ event: "retract" },
			"event: A retract takes an event back",
		],
		[
			"from a profile",
			{ from: "profile", window: undefined },
			"event: event goes with from: live; this feature is from: profile.",
		],
		["of an item", { by: "item" }, "by: "],
		["with an aggregate", { aggregate: "mean" }, "aggregate: "],
	])("is refused %s", (_, change, expected) => {
		const given = JSON.parse(JSON.stringify({ ...vector, ...change }));
		const parsed = parseExperiment(document(given));
		const found = parsed.ok
			? []
			: parsed.problems.map(({ path, message }) => `${path}: ${message}`);
		expect(found).toHaveLength(1);
		expect(found[0]).toContain(`context.features[1].${expected}`);
	});
});
