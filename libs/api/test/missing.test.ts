import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

const from = "request";
const features = [
	{ name: "hour", from, kind: "cyclic", period: 24, missing: "mean", mean: 18 },
	{
		name: "activity",
		from,
		kind: "category",
		levels: ["sleep", "work"],
		missing: "mean",
		mean: { work: 0.75 },
	},
	{ name: "tempo", from, kind: "number", mean: 120, missing: "indicator" },
	{ name: "skips", from: "live", kind: "number", event: "skip", window: "30s" },
	{
		name: "taste",
		from: "profile",
		kind: "vector",
		length: 1,
		consent: "personalization",
		missing: "indicator",
	},
];

let api: Api;
beforeAll(async () => {
	api = await startApi();
	const gaps = { ...morning, key: "gaps", context: { features } };
	const put = await send(api, "PUT", "/v1/experiments/gaps", gaps);
	expect(put.status).toBe(201);
	await send(api, "POST", "/v1/experiments/gaps/start");
});
afterAll(() => api?.app.close());

describe("what is missing", () => {
	test("is encoded as the definition says, named with its reason, and comes out again so", async () => {
		const { body } = await send(api, "POST", "/v1/decisions", {
			...ask,
			experiment: "gaps",
			eligible: ["focus"],
			context: {},
			explain: true,
		});
		expect(decisionSchema.parse(body)).toEqual(body);
		expect(body.missing).toEqual(["hour", "activity", "tempo", "taste"]);
		// intercept, hour (2), activity (2), tempo, tempo?, skips, taste, taste?
		expect(body.explanation.x).toEqual([1, -1, 0, 0, 0.75, 0, 1, 0, 0, 1]);
		expect(
			body.explanation.features.map(
				({ name, reason }: { name: string; reason?: string }) => [name, reason],
			),
		).toEqual([
			["hour", "absent"],
			["activity", "absent"],
			["tempo", "absent"],
			["skips", undefined],
			["taste", "no consent"],
		]);
		const path = `/v1/decisions/${body.decisionId}?explain=true`;
		const again = await send(api, "GET", path);
		expect(again.body.rederived).toMatchObject({ equal: true });
		expect(again.body.explanation).toEqual(body.explanation);
		expect(again.body).toMatchObject({
			missing: ["hour", "activity", "tempo", "taste"],
			whyMissing: {
				hour: "absent",
				activity: "absent",
				tempo: "absent",
				taste: "no consent",
			},
		});
	});

	test("is said by a definition that is refused where it says too little", async () => {
		const [hour] = features;
		const { status, body } = await send(api, "PUT", "/v1/experiments/wrong", {
			...morning,
			key: "wrong",
			arms: [{ key: "a" }],
			context: { features: [{ ...hour, mean: undefined }] },
		});
		expect(status).toBe(422);
		expect(body.errors).toEqual([
			{
				path: "context.features[0].mean",
				message:
					"With missing: mean, give the value that stands in, such as mean: 8.",
			},
		]);
	});
});
