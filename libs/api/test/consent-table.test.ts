import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { privacyOf } from "../../../test/support/privacy.js";
import { type Api, morning, send, startApi } from "./app.js";

/**
 * The truth table of consent, through the API: each purpose × each kind of jurisdiction × how the unit answered. What is expected is
 * written out here, row by row, and not derived from the rules.
 */

type Answered = "given" | "refused" | "absent" | "withdrawn";
type Expected = "used" | "refused" | "not given" | "under age" | "forbidden";

const ANSWERS: readonly Answered[] = [
	"given",
	"refused",
	"absent",
	"withdrawn",
];

/** Per jurisdiction and age: what is expected when the purpose is given, refused, absent, withdrawn. */
const table: readonly {
	readonly where: string;
	readonly ageAtLeast?: number;
	readonly expected: readonly Expected[];
}[] = [
	{
		where: "asks",
		expected: ["used", "refused", "not given", "refused"],
	},
	{ where: "lets", expected: ["used", "refused", "used", "refused"] },
	{
		where: "forbids",
		expected: ["forbidden", "forbidden", "forbidden", "forbidden"],
	},
	{
		where: "ages",
		ageAtLeast: 0,
		expected: ["under age", "refused", "under age", "refused"],
	},
	{
		where: "ages",
		expected: ["under age", "refused", "under age", "refused"],
	},
	{
		where: "ages",
		ageAtLeast: 16,
		expected: ["used", "refused", "not given", "refused"],
	},
	// No file declares it: the default, `asks`, rules.
	{
		where: "elsewhere",
		expected: ["used", "refused", "not given", "refused"],
	},
];
const purposes = ["personalization", "location"] as const;

const features = {
	personalization: [
		{
			name: "mood",
			from: "request",
			kind: "number",
			consent: "personalization",
		},
		{
			name: "loyalty",
			from: "profile",
			kind: "number",
			consent: "personalization",
		},
		{
			name: "skips",
			from: "live",
			kind: "number",
			event: "skip",
			window: "5m",
			consent: "personalization",
		},
	],
	location: [
		{
			name: "place",
			from: "request",
			kind: "category",
			levels: ["home", "gym"],
			consent: "location",
		},
	],
} as const;
const values = { mood: 0.75, place: "gym" };
const profile = { loyalty: 0.5 };

const tabled = {
	...morning,
	key: "tabled",
	arms: [{ key: "a" }, { key: "b" }],
	context: {
		features: [...features.personalization, ...features.location],
	},
};

let api: Api;
beforeAll(async () => {
	api = await startApi();
	await send(api, "PUT", "/v1/experiments/tabled", tabled);
	await send(api, "POST", "/v1/experiments/tabled/start");
});
afterAll(() => api?.app.close());

const put = (unit: string, consent: object) =>
	send(api, "PUT", `/v1/units/${unit}/consent`, consent);
const decide = (unit: string, more: object = {}) =>
	send(api, "POST", "/v1/decisions", {
		experiment: "tabled",
		unit,
		context: values,
		explain: true,
		...more,
	});

/** Says it as a client would, and returns what a decision request carries besides. */
async function say(
	by: "stored" | "request" | "token",
	unit: string,
	purpose: string,
	answered: Answered,
	where: object,
): Promise<object> {
	const answer = {
		...where,
		...(answered !== "absent" && { [purpose]: answered === "given" }),
	};
	if (answered === "withdrawn") await put(unit, { ...where, [purpose]: true });
	if (by === "stored") {
		await put(unit, answer);
		return {};
	}
	return by === "request"
		? { consent: answer }
		: { consentToken: JSON.stringify(answer) };
}

describe("the truth table of consent", () => {
	for (const by of ["stored", "request", "token"] as const)
		for (const purpose of purposes)
			for (const { where, ageAtLeast, expected } of table)
				ANSWERS.forEach((answered, i) => {
					const age = ageAtLeast === undefined ? "" : `-${ageAtLeast}`;
					const unit = `${by}-${purpose}-${where}${age}-${answered}`;
					const outcome = expected[i] as Expected;
					test(`${purpose} in ${where}${age} ${answered}, by what is ${by === "stored" ? "stored" : `said in the ${by}`}: ${outcome}`, async () => {
						const place = {
							jurisdiction: where,
							...(ageAtLeast !== undefined && { ageAtLeast }),
						};
						const more = await say(by, unit, purpose, answered, place);
						await send(api, "PUT", `/v1/units/${unit}/profile`, profile);
						const { status, body } = await decide(unit, more);
						expect(status).toBe(200);
						expectUse(body, purpose, outcome, by);
					});
				});
});

function expectUse(
	// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
	body: any,
	purpose: (typeof purposes)[number],
	outcome: Expected,
	by: string,
): void {
	const row = api.log.rows.find(({ id }) => id === body.decisionId);
	const isUsed = outcome === "used";
	expect(row?.consent?.[purpose]).toBe(isUsed);
	expect(row?.privacyVersion).toBe(privacyOf().version);
	const { privacy } = (row?.extra ?? {}) as { privacy: { withheld: object } };
	for (const { name, from } of features[purpose]) {
		const explained = body.explanation.features.find(
			(feature: { name: string }) => feature.name === name,
		);
		if (from === "request" && isUsed) {
			expect(row?.context).toHaveProperty(name);
			expect(explained.value).not.toBeNull();
			expect(privacy.withheld).not.toHaveProperty(name);
		}
		// What is kept of a unit, its profile and its windows, follows what is stored of its consent.
		if (from !== "request" && by !== "stored") continue;
		if (isUsed) expect(explained.withheld).toBeUndefined();
		else {
			expect(row?.context).not.toHaveProperty(name);
			expect(row?.missing).toContain(name);
			expect(privacy.withheld).toHaveProperty(name, outcome);
			expect(explained).toMatchObject({
				value: null,
				reason: "no consent",
				withheld: outcome,
			});
		}
	}
}
