import { describe, expect, it } from "vitest";
import { diffExperiment, parseExperiment, renderExperiment } from "./index.js";

const hour = { name: "hour", from: "request", kind: "cyclic", period: 24 };
const device = {
	name: "device",
	from: "request",
	kind: "category",
	levels: ["phone", "desktop"],
};
const activity = { name: "activity", from: "request", kind: "attribute" };
const product = { kind: "product", of: ["hour", "device"] };

const withFeatures = (...features: readonly object[]) => ({
	key: "small",
	arms: [{ key: "a" }, { key: "b" }] as readonly object[],
	context: { features },
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
});
const problemsOf = (...features: readonly object[]) => {
	const parsed = parseExperiment(withFeatures(...features));
	return parsed.ok ? [] : parsed.problems;
};
function parsed(document: unknown) {
	const result = parseExperiment(document);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}

describe("a product in a definition", () => {
	it("is called by both names unless it says otherwise, and is the same when it is read again", () => {
		const unnamed = parsed(withFeatures(hour, device, product));
		expect(unnamed.context.features[2]).toEqual({
			name: "hour×device",
			from: "product",
			kind: "product",
			of: ["hour", "device"],
		});
		expect(parsed(renderExperiment(unnamed))).toEqual(unnamed);
		const named = parsed(
			withFeatures(
				{ ...product, name: "night", from: "request" },
				hour,
				device,
			),
		);
		expect(named.context.features[0]?.name).toBe("night");
		expect(parsed(renderExperiment(named))).toEqual(named);
	});

	it("that comes, goes or has other factors makes a new version, and is named in the changes", () => {
		const without = parsed(withFeatures(hour, device));
		const withIt = parsed(withFeatures(hour, device, product));
		const { newVersion, changes } = diffExperiment(without, withIt);
		expect(newVersion).toBe(true);
		expect(changes[0]).toContain("context.features[hour×device] added");
		const turned = parsed(
			withFeatures(hour, device, { ...product, of: ["device", "hour"] }),
		);
		expect(diffExperiment(withIt, turned).newVersion).toBe(true);
		expect(diffExperiment(withIt, withIt).newVersion).toBe(false);
	});

	it.each<[string, readonly object[], string, string]>([
		[
			"of a feature that is not there",
			[hour, { kind: "product", of: ["hour", "devise"] }],
			"context.features[1].of[1]",
			'No feature is called "devise". Known here: hour.',
		],
		[
			"of a feature that is misspelt",
			[hour, device, { kind: "product", of: ["hour", "devise"] }],
			"context.features[2].of[1]",
			'No feature is called "devise": did you mean "device"?',
		],
		[
			"of a feature with itself",
			[hour, { kind: "product", of: ["hour", "hour"] }],
			"context.features[1].of[1]",
			"A product is made of two different features, and both are hour. For a square, send it as a number of its own.",
		],
		[
			"of a product",
			[hour, device, product, { kind: "product", of: ["night", "hour"] }].map(
				(feature) =>
					feature === product ? { ...product, name: "night" } : feature,
			),
			"context.features[3].of[0]",
			"night is a product itself. Name two features that have a value.",
		],
		[
			"of an attribute",
			[hour, activity, { kind: "product", of: ["activity", "hour"] }],
			"context.features[2].of[0]",
			"activity is an attribute, which has no coordinates that could be multiplied. Declare it as a category with its levels, or a number.",
		],
		[
			"of a pair that has one already",
			[hour, device, product, { kind: "product", of: ["device", "hour"] }],
			"context.features[3].of",
			"features[2] is the product of device and hour already; one is enough.",
		],
		[
			"from elsewhere than its features",
			[hour, device, { ...product, from: "live" }],
			"context.features[2].from",
			"Neither hour nor device is from: live. A product comes from its two features; leave from out.",
		],
		[
			"under a name that is none",
			[hour, device, { ...product, name: "hour×night" }],
			"context.features[2].name",
			"Must be 1 to 64 letters, digits or underscores, starting with a letter; or leave it out, for hour×device.",
		],
		[
			"under another feature's name",
			[hour, device, { ...product, name: "device" }],
			"context.features[2].name",
			"features[1] is called device too; names must differ.",
		],
		[
			"with a consent of its own",
			[hour, device, { ...product, consent: "personalization" }],
			"context.features[2].consent",
			"A product is made of two features, and what is said of them holds for it: leave consent out.",
		],
		[
			"of three",
			[hour, device, { kind: "product", of: ["hour", "device", "hour"] }],
			"context.features[2].of",
			"Must have at most 2 items.",
		],
	])("%s is refused in a sentence", (_, features, path, message) => {
		expect(problemsOf(...features)).toContainEqual({ path, message });
	});

	it("is not called wrong for a feature that has a mistake of its own", () => {
		expect(problemsOf({ ...hour, period: -1 }, device, product)).toEqual([
			{ path: "context.features[0].period", message: "Must be above 0." },
		]);
	});

	it("that makes x too long is named with its share, and costs nothing to refuse", () => {
		const levels = (count: number) =>
			Array.from({ length: count }, (_, i) => `level ${i}`);
		const wide = { ...device, levels: levels(255) };
		const long = {
			name: "taste",
			from: "profile",
			kind: "vector",
			length: 256,
		};
		const of = ["device", "taste"];
		expect(problemsOf(wide, long, { kind: "product", of })).toEqual([
			{
				path: "context.features",
				message:
					"Encodes to 65792 coordinates, 65280 of them of the product device×taste; at most 256 are possible. Use fewer levels or shorter vectors.",
			},
		]);
		expect(
			problemsOf(
				hour,
				{ ...device, levels: levels(50) },
				{ ...long, length: 3 },
				{ kind: "product", of: ["device", "taste"] },
				{ kind: "product", of: ["hour", "device"] },
			)[0]?.message,
		).toBe(
			"Encodes to 306 coordinates, 250 of them of products (device×taste has 150); at most 256 are possible. Use fewer levels or shorter vectors.",
		);
	});

	it("has no value that a rule could read", () => {
		const { arms, ...rest } = withFeatures(hour, device, {
			...product,
			name: "night",
		});
		const under = { key: "a", eligible: "context.night > 1.0" };
		const result = parseExperiment({
			...rest,
			arms: [under, ...arms.slice(1)],
		});
		expect(result.ok ? [] : result.problems[0]?.message).toContain(
			"The rule reads context.night, which the context does not declare.",
		);
	});
});
