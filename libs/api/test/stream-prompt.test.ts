import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { decisionSchema } from "../src/schemas.js";
import { type Api, send, startApi } from "./app.js";

const file = new URL(
	"../../../experiments/stream-prompt.yaml",
	import.meta.url,
);

let api: Api;
beforeAll(async () => {
	api = await startApi();
	const path = "/v1/experiments/stream-prompt";
	const document = parse(readFileSync(file, "utf8"));
	expect((await send(api, "PUT", path, document)).status).toBe(201);
	await send(api, "POST", `${path}/start`);
});
afterAll(() => api?.app.close());

const decide = async (
	context: object,
	changes: object = {},
	headers: Record<string, string> = {},
) => {
	const { body } = await send(
		api,
		"POST",
		"/v1/decisions",
		{
			experiment: "stream-prompt",
			unit: "listener-1",
			context,
			explain: true,
			...changes,
		},
		headers,
	);
	expect(decisionSchema.parse(body)).toEqual(body);
	const path = `/v1/decisions/${body.decisionId}?explain=true`;
	const again = await send(api, "GET", path);
	expect(again.body.rederived).toMatchObject({ equal: true });
	expect(again.body.explanation).toEqual(body.explanation);
	return body;
};
const namesOf = (features: readonly { name: string; reason?: string }[]) =>
	Object.fromEntries(
		features.flatMap(({ name, reason }) => (reason ? [[name, reason]] : [])),
	);

describe("the example of all that a request can tell", () => {
	test("knows the hour, the place, the connection and the bitrate, and answers by them", async () => {
		const body = await decide(
			{
				timeZone: "Asia/Kathmandu",
				place: "gym",
				network: "wifi",
				headphones: true,
				battery: 85,
			},
			{ consent: { location: true }, eligible: ["continue"] },
			{ downlink: "2.5", "sec-ch-ua-mobile": "?1", "save-data": "?0" },
		);
		expect(body).toMatchObject({
			missing: [],
			ignored: [],
			payload: { stream: "flac" },
		});
		expect(api.log.rows.at(-1)?.context).toEqual({
			// 12:00 UTC
			hour: 17.75,
			place: "gym",
			network: "wifi",
			headphones: true,
			battery: 85,
			mobile: true,
			saving: false,
			bitrate: 2500,
		});
		const { value } = body.explanation.features.at(-1);
		expect(Object.keys(value)).toEqual([
			"hour.sin×place=gym",
			"hour.cos×place=gym",
		]);
	});

	test("says what it did not know and why, and decides all the same", async () => {
		const body = await decide({ place: "gym" }, { unit: "listener-2" });
		expect(namesOf(body.explanation.features)).toEqual({
			hour: "absent",
			place: "no consent",
			network: "absent",
			headphones: "absent",
			battery: "absent",
			mobile: "absent",
			saving: "absent",
			bitrate: "absent",
			"hour×place": "absent",
		});
		// intercept; hour stands in with 18; place?, and nothing else.
		expect(body.explanation.x.slice(0, 7)).toEqual([1, -1, 0, 0, 0, 0, 1]);
		expect(body.explanation.x.slice(7).every((one: number) => one === 0)).toBe(
			true,
		);
		expect(JSON.stringify(api.log.rows.at(-1))).not.toContain("gym");
	});
});
