import { describe, expect, test } from "vitest";
import { natsEndpoints, publicServers } from "./nats-connection.js";

describe("a NATS URL", () => {
	test.each<[string, ReturnType<typeof natsEndpoints>]>([
		["nats://a:4222", { servers: ["nats://a:4222"] }],
		["a:4222", { servers: ["a:4222"] }],
		[
			"nats://me:secret@a:4222",
			{ servers: ["nats://a:4222"], user: "me", pass: "secret" },
		],
		["me:secret@a", { servers: ["a"], user: "me", pass: "secret" }],
		[
			"nats://me:s%40c%2Fr@a:1, nats://me:s%40c%2Fr@b:2",
			{ servers: ["nats://a:1", "nats://b:2"], user: "me", pass: "s@c/r" },
		],
		[
			"tls://me:s@c/r:e@t@a:1",
			{ servers: ["tls://a:1"], user: "me", pass: "s@c/r:e@t" },
		],
		["nats://me:100%@a", { servers: ["nats://a"], user: "me", pass: "100%" }],
		["nats://t0ken@a:1", { servers: ["nats://a:1"], token: "t0ken" }],
	])("%s gives servers and credentials apart", (url, expected) => {
		expect(natsEndpoints(url)).toEqual(expected);
	});

	test.each([
		"nats://me:secret@a:1",
		"nats://me:sec/ret@a:1",
		"nats://me:sec@ret@a:1",
		"nats://me:4222/se@c/ret@a:1",
		"me:sec/ret@a:1",
	])("%s is shown without any part of user and password", (url) => {
		const [shown, twice] = [publicServers(url), publicServers(`${url},${url}`)];
		expect(shown).toMatch(/^(nats:\/\/)?a:1$/);
		expect(twice).toBe(`${shown},${shown}`);
	});
});
