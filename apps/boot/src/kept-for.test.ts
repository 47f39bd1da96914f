import { describe, expect, it } from "vitest";
import { parsePrivacy } from "#core/privacy";
import { logDays, unitRetention } from "./kept-for.js";

const DAY = 86_400_000;

function policyOf(jurisdictions: string) {
	const parsed = parsePrivacy([
		{ name: "p.yaml", text: `default: a\njurisdictions:\n${jurisdictions}` },
	]);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

describe("how long the log is kept", () => {
	const said: string[] = [];
	const say = (sentence: string) => void said.push(sentence);

	it("is what is configured where no jurisdiction asks for less", () => {
		const policy = policyOf("  a: { optIn: [], retention: { log: 90d } }");
		expect(logDays(90, policy, say)).toBe(90);
		expect(said).toEqual([]);
	});

	it("is the shortest that a jurisdiction asks for, of the log or of ids, and it is said whose", () => {
		const policy = policyOf(
			"  a: { optIn: [], retention: { log: 90d } }\n  b: { optIn: [], retention: { ids: 30d, log: 60d } }",
		);
		expect(logDays(365, policy, say)).toBe(30);
		expect(said[0]).toContain("keeps 30 days, as the privacy rules of b say");
	});
});

it("profiles and consents are kept as their unit's jurisdiction says, no longer than its ids may live", () => {
	const policy = policyOf(
		"  a: { optIn: [] }\n  b: { optIn: [], retention: { ids: 30d, profile: 60d, consent: 10d } }",
	);
	expect(unitRetention(policy)).toEqual({
		byJurisdiction: new Map([
			["a", { profile: null, consent: null, ids: null }],
			["b", { profile: 30 * DAY, consent: 10 * DAY, ids: 30 * DAY }],
		]),
		otherwise: { profile: null, consent: null, ids: null },
	});
});
