import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

const device = {
	name: "device",
	from: "request",
	kind: "category",
	levels: ["phone", "desktop"],
};
const loyalty = { name: "loyalty", from: "profile", kind: "number" };
const multiplied = {
	...morning,
	key: "multiplied",
	context: {
		features: [
			{ kind: "product", of: ["hour", "device"] },
			...morning.context.features,
			device,
			loyalty,
			{ name: "loyalOn", kind: "product", of: ["loyalty", "device"] },
		],
	},
};
const request = {
	...ask,
	experiment: "multiplied",
	context: { hour: 6, device: "desktop", activity: "work" },
	explain: true,
};

let api: Api;
beforeAll(async () => {
	api = await startApi();
	await send(api, "PUT", "/v1/experiments/multiplied", multiplied);
	await send(api, "POST", "/v1/experiments/multiplied/start");
});
afterAll(() => api?.app.close());

describe("a product", () => {
	test("is encoded, logged, explained under both names, and comes out again", async () => {
		await send(api, "PUT", "/v1/units/listener-1/profile", { loyalty: 0.5 });
		const { body } = await send(api, "POST", "/v1/decisions", request);
		expect(decisionSchema.parse(body)).toEqual(body);
		expect(body.missing).toEqual([]);
		// intercept, hour×device (4), hour (2), device (2), loyalty, loyalOn (2)
		expect(body.explanation.x).toEqual([
			1, 0, 1, 0, 0, 1, 0, 0, 1, 0.5, 0, 0.5,
		]);
		expect(body.explanation.features[0]).toEqual({
			name: "hour×device",
			of: ["hour", "device"],
			value: { "hour.sin×device=desktop": 1 },
			source: "product",
		});
		expect(body.explanation.features.at(-1)).toEqual({
			name: "loyalOn",
			of: ["loyalty", "device"],
			value: { "loyalty×device=desktop": 0.5 },
			source: "product",
		});
		expect(body.explanation.arms[0].contributions).toEqual([
			{ name: "intercept", value: 0 },
			{ name: "hour×device", of: ["hour", "device"], value: 0 },
			{ name: "hour", value: 0 },
			{ name: "device", value: 0 },
			{ name: "loyalty", value: 0 },
			{ name: "loyalOn", of: ["loyalty", "device"], value: 0 },
		]);
		const path = `/v1/decisions/${body.decisionId}?explain=true`;
		const again = await send(api, "GET", path);
		expect(again.body.rederived).toMatchObject({ equal: true });
		expect(again.body.explanation).toEqual(body.explanation);
		expect(again.body.context).not.toHaveProperty("loyalOn");
	});

	test("is missing with its feature, for the same reason", async () => {
		const { body } = await send(api, "POST", "/v1/decisions", {
			...request,
			unit: "stranger",
			context: { hour: 6, loyalOn: 3 },
		});
		expect(body.ignored).toEqual(["loyalOn"]);
		expect(body.missing).toEqual([
			"activity",
			"device",
			"loyalty",
			"hour×device",
			"loyalOn",
		]);
		expect(body.explanation.features[0]).toEqual({
			name: "hour×device",
			of: ["hour", "device"],
			value: null,
			source: "product",
			reason: "absent",
		});
	});

	test("is shown by GET as it would be put, and plans a new version when it goes", async () => {
		const path = "/v1/experiments/multiplied";
		const { body } = await send(api, "GET", path);
		expect(body.definition.context.features[0]).toEqual({
			name: "hour×device",
			kind: "product",
			of: ["hour", "device"],
		});
		const same = await send(api, "PUT", path, body.definition);
		expect(same.body).toMatchObject({ newVersion: false, changes: [] });
		const features = body.definition.context.features.slice(1);
		const context = { ...body.definition.context, features };
		const without = await send(api, "PUT", path, {
			...body.definition,
			context,
		});
		expect(without.body).toMatchObject({ newVersion: true, version: 2 });
	});

	test("of what is not there is refused with its path", async () => {
		const features = [{ kind: "product", of: ["hour", "devise"] }, device];
		const { status, body } = await send(api, "PUT", "/v1/experiments/wrong", {
			...multiplied,
			key: "wrong",
			arms: [{ key: "a" }],
			context: { features },
		});
		expect(status).toBe(422);
		expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
			"context.features[0].of[0]",
			"context.features[0].of[1]",
		]);
	});

	test("is described in the OpenAPI document", async () => {
		const { body } = await send(api, "GET", "/docs-json");
		expect(JSON.stringify(body)).toContain('"product"');
	});
});
