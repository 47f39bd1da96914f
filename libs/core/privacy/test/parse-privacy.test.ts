import { describe, expect, it } from "vitest";
import { parsePrivacy } from "../src/index.js";

const rules = `
purposes: { personalization: What they like., device: What plays. }
default: eu
jurisdictions:
  eu: { optIn: [all], age: { minimum: 16 } }
  us:
    optIn: [device]
    forbidden: { features: [battery] }
    retention: { log: 30d, ids: 400d }
`;
const parse = (...texts: string[]) =>
	parsePrivacy(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
const problems = (...texts: string[]) => {
	const parsed = parse(...texts);
	return parsed.ok
		? []
		: parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};
const versionOf = (...texts: string[]) => {
	const parsed = parse(...texts);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value.version;
};

describe("privacy files", () => {
	it("make one policy, whichever of them says what", () => {
		const parsed = parse(rules);
		expect(parsed.ok && parsed.value).toMatchObject({
			defaultJurisdiction: "eu",
			purposes: new Map([
				["personalization", "What they like."],
				["device", "What plays."],
			]),
		});
		const us = parsed.ok ? parsed.value.jurisdictions.get("us") : null;
		expect(us).toMatchObject({
			optIn: new Set(["device"]),
			forbidden: { purposes: new Set(), features: new Set(["battery"]) },
			age: null,
			retention: { log: 30 * 86_400_000, ids: 400 * 86_400_000, profile: null },
		});
		const split = [
			"default: eu\npurposes: { device: What plays. }",
			"purposes: { personalization: What they like. }\njurisdictions: { eu: { optIn: [all], age: { minimum: 16 } } }",
			"jurisdictions:\n  us: { retention: { ids: 400d, log: 30d }, optIn: [device], forbidden: { features: [battery] } }",
		];
		expect(versionOf(...split)).toBe(versionOf(rules));
	});

	it("have another version for everything that they say otherwise, and none for comments", () => {
		expect(versionOf(`# A comment.\n${rules}`)).toBe(versionOf(rules));
		const changes = [
			rules.replace("[all]", "[device]"),
			rules.replace("16", "13"),
			rules.replace("400d", "401d"),
			rules.replace("battery", "place"),
			rules.replace("default: eu", "default: us"),
		];
		expect(
			new Set([rules, ...changes].map((text) => versionOf(text))).size,
		).toBe(1 + changes.length);
	});

	it("that are wrong are refused with every mistake, its file and its path", () => {
		expect(
			problems(
				"purpose: {}",
				"jurisdictions: { eu: { optin: [] } }",
				"jurisdictions: { us: { optIn: [devise], age: { minimum: 0 }, retention: { log: 1d } } }",
				"a: [",
				"purposes: { jurisdiction: No. }",
			),
		).toEqual([
			'0.yaml: purpose: Unknown key "purpose": did you mean "purposes"?',
			"1.yaml: jurisdictions.eu.optIn: Required, but missing.",
			'1.yaml: jurisdictions.eu.optin: Unknown key "optin": did you mean "optIn"?',
			"2.yaml: jurisdictions.us.age.minimum: Must be at least 1.",
			expect.stringMatching(/^3\.yaml: .*line 1/s),
			"4.yaml: purposes.jurisdiction: A purpose cannot be called jurisdiction: that word means something else here. Use another name.",
			expect.stringContaining("No file names the default jurisdiction"),
		]);
	});

	it("that name what none of them declares, or declare one thing twice, are refused", () => {
		expect(
			problems(
				"default: ue\npurposes: { device: What plays. }\njurisdictions: { eu: { optIn: [devise, all], retention: { ids: 1d } } }",
				"default: eu\njurisdictions: { eu: { optIn: [] } }",
			),
		).toEqual([
			"1.yaml: jurisdictions.eu: 0.yaml has it too: write it once.",
			"1.yaml: default: 0.yaml has it too: write it once.",
			'0.yaml: default: No file declares the jurisdiction "ue": did you mean "eu"?',
			'0.yaml: jurisdictions.eu.optIn[0]: No file declares the purpose "devise": did you mean "device"?',
			"0.yaml: jurisdictions.eu.retention.ids: Must be at least 2d: events of yesterday's decisions still come.",
		]);
	});
});
