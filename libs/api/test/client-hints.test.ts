import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, ask, morning, send, startApi } from "./app.js";
import { dial, hear, request as raw } from "./raw-http.js";

const from = "request";
const attribute = { from, kind: "attribute" };
const features = [
	{ name: "bitrate", ...attribute, type: "number", hint: "bitrate" },
	{ name: "connection", ...attribute, hint: "ect" },
	{ name: "mobile", from, kind: "boolean", hint: "mobile" },
	{
		name: "saving",
		from,
		kind: "boolean",
		hint: "saveData",
		consent: "personalization",
	},
];
const hinted = {
	...morning,
	key: "hinted",
	arms: [
		{ key: "light", payload: {} },
		{ key: "rich", payload: {}, eligible: "context.bitrate >= 1000" },
	],
	context: { features },
};
const request = { ...ask, experiment: "hinted", context: {} };
const fast = {
	downlink: "9.5",
	ect: "4g",
	"sec-ch-ua-mobile": "?1",
	"save-data": "on",
	rtt: "50",
};
/** A content type that the straight route leaves to the controller. */
const long = { "content-type": "application/json;charset=utf-8" };

let api: Api;
beforeAll(async () => {
	api = await startApi();
	const put = await send(api, "PUT", "/v1/experiments/hinted", hinted);
	expect(put.status).toBe(201);
	await send(api, "POST", "/v1/experiments/hinted/start");
});
afterAll(() => api?.app.close());

const decide = (
	changes: object,
	headers: Record<string, string>,
	path = "/v1/decisions",
) => send(api, "POST", path, { ...request, ...changes }, headers);
const logged = () => api.log.rows.at(-1)!;

describe("client hints of a request", () => {
	for (const [way, more] of [
		["straight", {}],
		["the long way", long],
		[
			"straight, beside a trace",
			{ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
		],
	] as const)
		test(`give the features that declare them (${way}): logged, judged by rules, and nothing else is read`, async () => {
			const { body } = await decide({ explain: true }, { ...fast, ...more });
			expect(body.missing).toEqual(["saving"]);
			expect(logged()).toMatchObject({
				context: { bitrate: 9500, connection: "4g", mobile: true },
				eligible: [0, 1],
			});
			expect(body.explanation.features[0]).toEqual({
				name: "bitrate",
				value: 9500,
				source: "request",
			});
			expect(body.explanation.features[3].reason).toBe("no consent");
			const path = `/v1/decisions/${body.decisionId}?explain=true`;
			const again = await send(api, "GET", path);
			expect(again.body.rederived).toMatchObject({ equal: true });
		});

	test("are read of a connection that brings nothing but decisions, of each its own", async () => {
		const text = JSON.stringify(request);
		const socket = await dial(api);
		for (const [downlink, bitrate] of [
			["9.5", 9500],
			["0.05", 50],
		]) {
			const answering = hear(socket, 1);
			socket.write(
				raw(
					[
						"host: x",
						"content-type: application/json",
						`Downlink: ${downlink}`,
						`content-length: ${text.length}`,
					],
					text,
				),
			);
			expect((await answering)[0]?.status).toBe(200);
			expect(logged().context).toEqual({ bitrate });
		}
		socket.destroy();
	});

	test("give way to what the context says", async () => {
		const context = { bitrate: 64, mobile: false };
		await decide({ context }, fast);
		expect(logged()).toMatchObject({
			context: { bitrate: 64, connection: "4g", mobile: false },
			eligible: [0],
		});
	});

	test("that are not well formed are as good as not sent", async () => {
		for (const more of [{}, long]) {
			const { status, body } = await decide(
				{},
				{ downlink: "fast", ect: "5g", "sec-ch-ua-mobile": "yes", ...more },
			);
			expect(status).toBe(200);
			expect(body.missing).toEqual([
				"bitrate",
				"connection",
				"mobile",
				"saving",
			]);
		}
	});

	test("hold for all decisions of a batch, each by its own context", async () => {
		const { body } = await send(
			api,
			"POST",
			"/v1/decisions/batch",
			{ decisions: [request, { ...request, context: { bitrate: 8 } }] },
			fast,
		);
		expect(
			body.decisions.map(({ missing }: { missing: string[] }) => missing),
		).toEqual([["saving"], ["saving"]]);
		expect(
			api.log.rows.slice(-2).map(({ context }) => context.bitrate),
		).toEqual([9500, 8]);
	});

	test("are not read for an experiment that declares none", async () => {
		await send(api, "PUT", "/v1/experiments/morning", morning);
		await send(api, "POST", "/v1/experiments/morning/start");
		await send(api, "POST", "/v1/decisions", { ...ask, context: {} }, fast);
		expect(logged().context).toEqual({});
	});

	test.each([
		[
			{ ...features[0], from: "profile" },
			"A hint comes with the request, so it goes with from: request, not profile.",
		],
		[
			{ ...features[0], hint: "ect" },
			"ect is text, for kind: category, or attribute, and this feature is not.",
		],
		[
			{ name: "hour", from, kind: "cyclic", period: 24, hint: "rtt" },
			"rtt is a number, for kind: number, or attribute with type: number, and this feature is not.",
		],
		[
			{ ...features[0], hint: "downlnk" },
			'Must be one of mobile, platform, downlink, bitrate, rtt, ect, saveData, deviceMemory, not "downlnk".',
		],
	])(
		"that cannot give a feature are refused in the definition: %o",
		async (feature, message) => {
			const wrong = {
				...hinted,
				key: "wrong",
				arms: [{ key: "a" }],
				context: { features: [feature] },
			};
			const { status, body } = await send(
				api,
				"PUT",
				"/v1/experiments/wrong",
				wrong,
			);
			expect(status).toBe(422);
			expect(body.errors).toEqual([
				{ path: "context.features[0].hint", message },
			]);
		},
	);
});
