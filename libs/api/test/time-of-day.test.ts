import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, NOON, send, startApi } from "./app.js";

const hour = { name: "hour", from: "request", kind: "timeOfDay" };
const declared = { name: "timeZone", from: "request", kind: "attribute" };
const withFeatures = (key: string, ...features: readonly object[]) => ({
	...morning,
	key,
	arms: [
		{ key: "focus", payload: {} },
		{ key: "night", payload: {}, eligible: "context.hour >= 22" },
	],
	context: { features },
	traffic: { share: 1, control: 0 },
});

let api: Api;
beforeAll(async () => {
	api = await startApi();
	for (const experiment of [
		withFeatures("timed", hour),
		withFeatures("declared", declared, hour),
		withFeatures("asking", { ...hour, consent: "location" }),
	]) {
		const path = `/v1/experiments/${experiment.key}`;
		expect((await send(api, "PUT", path, experiment)).status).toBe(201);
		await send(api, "POST", `${path}/start`);
	}
});
afterAll(() => api?.app.close());

const decide = (context: object, experiment = "timed") =>
	send(api, "POST", "/v1/decisions", {
		...ask,
		experiment,
		context,
		explain: true,
	});
const logged = () => api.log.rows.at(-1)!;

describe("the time of day", () => {
	test("is made of the decision's time and the request's zone, logged as an hour, and the zone is not", async () => {
		const { body } = await decide({ timeZone: "Asia/Kolkata" });
		expect(decisionSchema.parse(body)).toEqual(body);
		expect(body).toMatchObject({ missing: [], ignored: [] });
		expect(body.explanation.features).toEqual([
			{ name: "hour", value: 17.5, source: "request" },
		]);
		expect(logged().context).toEqual({ hour: 17.5 });
		expect(JSON.stringify(logged())).not.toContain("Kolkata");
		const path = `/v1/decisions/${body.decisionId}?explain=true`;
		const again = await send(api, "GET", path);
		expect(again.body.rederived).toMatchObject({ equal: true });
		expect(again.body.explanation).toEqual(body.explanation);
	});

	test("follows summer time", async () => {
		const hourOf = async (at: string) => {
			api.clock.advance(Date.parse(at) - api.clock.now());
			return (await decide({ timeZone: "Europe/Berlin" })).body.explanation
				.features[0].value;
		};
		expect(await hourOf("2026-03-29T00:59:00Z")).toBe(1.98);
		expect(await hourOf("2026-03-29T01:00:00Z")).toBe(3);
		expect(await hourOf("2026-10-25T00:30:00Z")).toBe(2.5);
		expect(await hourOf("2026-10-25T01:30:00Z")).toBe(2.5);
		api.clock.advance(NOON + 400 * 86_400_000 - api.clock.now());
	});

	test("may be a fixed offset, or the client's own hour, which goes first", async () => {
		await decide({ timeZone: "-03:30" });
		expect(logged().context).toEqual({ hour: 8.5 });
		await decide({ timeZone: "-03:30", hour: 23 });
		expect(logged()).toMatchObject({ context: { hour: 23 }, eligible: [0, 1] });
	});

	test("is missing where no zone is given, and so is the arm whose rule reads it", async () => {
		const { body } = await decide({});
		expect(body.missing).toEqual(["hour"]);
		expect(body.explanation.arms[1].reason).toBe("missing: hour");
		expect((await decide({ timeZone: null })).body.missing).toEqual(["hour"]);
	});

	test("needs its consent like any other feature", async () => {
		const { body } = await decide({ timeZone: "Europe/Berlin" }, "asking");
		expect(body.missing).toEqual(["hour"]);
		expect(body.explanation.features[0]).toMatchObject({
			value: null,
			reason: "no consent",
		});
		expect(logged().context).toEqual({});
	});

	test("leaves a zone that is declared for itself in the log", async () => {
		await decide({ timeZone: "Asia/Kolkata" }, "declared");
		expect(logged().context).toEqual({ timeZone: "Asia/Kolkata", hour: 17.5 });
	});

	test("in an unknown zone is refused with its path, beside all else that is wrong", async () => {
		const { status, body } = await decide({
			timeZone: "Mars/Base",
			hour: "six",
		});
		expect(status).toBe(422);
		expect(body.errors).toEqual([
			{
				path: "context.hour",
				message:
					'hour must be an hour of the day, from 0 to below 24, not the text "six".',
			},
			{
				path: "context.timeZone",
				message:
					'timeZone must be an IANA time zone such as Europe/Berlin, or an offset such as +02:00, not "Mars/Base".',
			},
		]);
		expect((await decide({ timeZone: 2 })).status).toBe(422);
		expect((await decide({ timeZone: "UTC", other: 1 })).body.ignored).toEqual([
			"other",
		]);
	});
});
