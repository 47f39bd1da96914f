import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fail, SegueError } from "#usecases/errors";
import { problemSchema } from "../src/schemas.js";
import {
	type Answer,
	type Api,
	ask,
	morning,
	send,
	startApi,
	startMorning,
} from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startMorning();
});
afterAll(async () => {
	await api?.app.close();
});

const nested = (depth: number) =>
	`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const withContext = (context: string) =>
	`{"experiment":"morning","unit":"u","context":${context}}`;

/** Every problem has the same shape, whoever found it. */
function expectProblem({ body, headers, text }: Answer): void {
	expect(headers.get("content-type"), text).toBe(
		"application/problem+json; charset=utf-8",
	);
	expect(problemSchema.parse(body)).toEqual(body);
	expect(text).not.toMatch(/node_modules|\.ts:|\.js:\d|at Object/);
}

describe("a decision request with a mistake", () => {
	const cases: readonly [string, unknown, number, RegExp][] = [
		["bad JSON", '{"experiment": ', 400, /not JSON/],
		["NaN", withContext('{"hour":NaN}'), 400, /not JSON/],
		["no body", undefined, 400, /needs a JSON body/],
		["an empty body", "", 400, /needs a JSON body/],
		["a body of spaces", "  ", 400, /empty/],
		[
			"bytes that are no UTF-8",
			new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
			400,
			/UTF-8/,
		],
		[
			"10,000-deep nesting",
			withContext(nested(10_000)),
			400,
			/nested deeper than 32/,
		],
		["10,000-deep lists", "[".repeat(10_000), 400, /nested deeper than 32/],
		[
			"__proto__",
			withContext('{"__proto__":{"hour":1}}'),
			400,
			/context\.__proto__/,
		],
		[
			"__proto__ in escapes",
			withContext('{"\\u005f_proto__":{"hour":1}}'),
			400,
			/context\.__proto__/,
		],
		[
			"constructor.prototype",
			withContext('{"constructor":{"prototype":{"hour":1}}}'),
			400,
			/context\.constructor/,
		],
		["a list for a body", [ask], 422, /object/i],
		["null for a body", "null", 422, /object/i],
		[
			"an unknown experiment",
			{ ...ask, experiment: "nobody-knows" },
			404,
			/nobody-knows/,
		],
		[
			"an unknown arm",
			{ ...ask, eligible: ["focus", "zz"] },
			422,
			/eligible\[1\]/,
		],
		[
			"arms all ruled out",
			{ ...ask, context: { activity: "sleep" }, eligible: ["energy"] },
			409,
			/context\.activity/,
		],
		[
			"a wrong type",
			{ ...ask, context: { hour: "late" } },
			422,
			/context\.hour/,
		],
		["1e309", withContext('{"hour":1e309}'), 422, /context\.hour/],
		["no unit", { experiment: "morning" }, 422, /unit/],
		["a mistyped key", { ...ask, contxt: {} }, 422, /contxt[\s\S]*context/],
	];
	for (const [name, body, status, says] of cases)
		test(`${name} is ${status}`, async () => {
			const logged = api.log.rows.length;
			const answer = await send(api, "POST", "/v1/decisions", body);
			expect(answer.status, answer.text).toBe(status);
			expectProblem(answer);
			expect(answer.text).toMatch(says);
			expect(api.log.rows).toHaveLength(logged);
		});

	test("a nesting of 32 and brackets within strings are no mistake", async () => {
		const deep = await send(
			api,
			"POST",
			"/v1/decisions",
			withContext(`{"other":${nested(30)}}`),
		);
		expect(deep.status, deep.text).toBe(200);
		const other = `\\"${"[{".repeat(100)}\\`;
		const quoted = await send(
			api,
			"POST",
			"/v1/decisions",
			withContext(JSON.stringify({ other })),
		);
		expect(quoted.status, quoted.text).toBe(200);
	});

	test("a backslash before a closing quote hides no nesting", async () => {
		const body = withContext(
			`{"a":"\\\\","b":${"[".repeat(40)}${"]".repeat(40)}}`,
		);
		expect((await send(api, "POST", "/v1/decisions", body)).text).toMatch(
			/nested deeper/,
		);
	});

	test("2 MB is 413, every time, also sent in chunks, and the connection goes on", async () => {
		const big = `{"experiment":"morning","unit":"u","x":"${"y".repeat(2_000_000)}"}`;
		for (let i = 0; i < 10; i++) {
			const answer = await send(api, "POST", "/v1/decisions", big);
			expect(answer.status).toBe(413);
			expectProblem(answer);
		}
		const chunks = new ReadableStream<Uint8Array>({
			start(controller) {
				for (let i = 0; i < 32; i++)
					controller.enqueue(new Uint8Array(65_536).fill(32));
				controller.close();
			},
		});
		const init = {
			method: "POST",
			body: chunks,
			duplex: "half",
			headers: { "content-type": "application/json" },
		} as RequestInit;
		expect((await fetch(`${api.url}/v1/decisions`, init)).status).toBe(413);
		expect((await send(api, "POST", "/v1/decisions", ask)).status).toBe(200);
	});

	test("a body of just 1 MiB is read", async () => {
		const exact = withContext(JSON.stringify({ other: "" }));
		const padded = withContext(
			JSON.stringify({ other: "y".repeat(1_048_576 - exact.length) }),
		);
		expect(padded).toHaveLength(1_048_576);
		expect((await send(api, "POST", "/v1/decisions", padded)).status).toBe(200);
		expect(
			(await send(api, "POST", "/v1/decisions", `${padded} `)).status,
		).toBe(413);
	});

	test("another content type is 415", async () => {
		for (const type of [
			"text/plain",
			"application/x-www-form-urlencoded",
			"application/xml",
			"application/x-json",
		]) {
			const answer = await send(api, "POST", "/v1/decisions", ask, {
				"content-type": type,
			});
			expect(answer.status, type).toBe(415);
			expectProblem(answer);
		}
		expect(
			(
				await send(api, "POST", "/v1/decisions", ask, {
					"content-type": "application/json; charset=utf-8",
				})
			).status,
		).toBe(200);
	});
});

describe("paths", () => {
	test("that are not there are 404, methods that are not there 405 with those that are", async () => {
		const missing = await send(api, "GET", "/v1/nothing");
		expect(missing.body).toMatchObject({
			status: 404,
			type: "/docs/errors#not-found",
		});
		expectProblem(missing);
		const method = await send(api, "DELETE", "/v1/experiments/morning");
		expect(method.status).toBe(405);
		expect(method.headers.get("allow")).toBe("GET, HEAD, PUT");
		expectProblem(method);
		expect((await send(api, "GET", "/v1/decisions")).headers.get("allow")).toBe(
			"POST",
		);
	});

	test("with a broken escape or a key no experiment can have are answered, not a failure", async () => {
		expectProblem(await send(api, "GET", "/v1/experiments/%zz"));
		for (const key of ["%00", "A%20B", "-x", `${"a".repeat(65)}`]) {
			const answer = await send(api, "GET", `/v1/experiments/${key}`);
			expect(answer.body, key).toMatchObject({
				status: 404,
				type: "/docs/errors#unknown-experiment",
			});
		}
		expect(
			(await send(api, "PUT", "/v1/experiments/A%20B", morning)).body,
		).toMatchObject({ status: 422, errors: [{ path: "key" }] });
		expect(
			(await send(api, "GET", `/v1/decisions/${"x".repeat(2_000)}`)).status,
		).toBeLessThan(500);
	});
});

describe("an experiment with a mistake", () => {
	const cases: readonly [string, object, RegExp][] = [
		["an unknown key", { hypotesis: "x" }, /hypotesis[\s\S]*hypothesis/],
		[
			"two arms of one name",
			{ arms: [{ key: "a" }, { key: "a" }] },
			/arms\[1\]/,
		],
		[
			"a rule that does not parse",
			{ arms: [{ key: "a", eligible: "context.activity ===" }] },
			/arms\[0\]\.eligible/,
		],
		["a key that is not the path's", { key: "other" }, /"path":"key"/],
	];
	for (const [name, change, says] of cases)
		test(name, async () => {
			const answer = await send(api, "PUT", "/v1/experiments/broken", {
				...morning,
				key: "broken",
				...change,
			});
			expect(answer.status).toBe(422);
			expectProblem(answer);
			expect(answer.text).toMatch(says);
			expect((await send(api, "GET", "/v1/experiments/broken")).status).toBe(
				404,
			);
		});

	test("an action's body and headers are checked", async () => {
		const unknown = await send(api, "POST", "/v1/experiments/morning/stop", {
			winer: "focus",
		});
		expect(unknown.body).toMatchObject({
			status: 422,
			errors: [{ path: "winer", message: expect.stringContaining("winner") }],
		});
		const actor = await send(
			api,
			"POST",
			"/v1/experiments/morning/stop",
			{},
			{ "x-segue-actor": "a".repeat(300) },
		);
		expect(actor.body).toMatchObject({
			status: 422,
			errors: [{ path: "x-segue-actor" }],
		});
		const why = await send(api, "POST", "/v1/experiments/morning/stop", {
			why: "a\u0000",
		});
		expect(why.body).toMatchObject({ status: 422, errors: [{ path: "why" }] });
		expect((await send(api, "GET", "/v1/experiments/morning")).body.state).toBe(
			"running",
		);
	});
});

test("broken HTTP is answered with a problem on the bare connection", async () => {
	const port = Number(new URL(api.url).port);
	const text = await new Promise<string>((resolve, reject) => {
		let seen = "";
		const socket = connect(port, "127.0.0.1", () =>
			socket.write("NONSENSE\r\n\r\n"),
		);
		socket.on("data", (chunk) => {
			seen += chunk;
		});
		socket.on("close", () => resolve(seen));
		socket.on("error", reject);
	});
	expect(text).toMatch(
		/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*#bad-request/,
	);
});

describe("failures of Segue's own", () => {
	const failing = async (error: unknown) => {
		const sick = await startApi({
			acceptEvents: { execute: () => Promise.reject(error) },
		});
		const answer = await send(sick, "POST", "/v1/events", { events: [] });
		await sick.app.close();
		expectProblem(answer);
		return { ...answer, unexpected: sick.unexpected };
	};

	test("that nobody foresaw are 500 without internals, and told to the log", async () => {
		const secret = new Error("password=hunter2 at 10.0.0.1");
		const { status, text, unexpected } = await failing(secret);
		expect(status).toBe(500);
		expect(text).not.toMatch(/hunter2|10\.0\.0\.1/);
		expect(unexpected).toEqual([secret]);
	});

	test("nothing more can be kept safe: 503 with Retry-After", async () => {
		const { status, headers, body } = await failing(
			fail("overloaded", "The spool is full. Retry later."),
		);
		expect(status).toBe(503);
		expect(headers.get("retry-after")).toBe("1");
		expect(body).toMatchObject({
			type: "/docs/errors#overloaded",
			retryAfterSeconds: 1,
		});
		const raw = await failing(
			Object.assign(new Error("The spool is full."), { name: "SpoolFull" }),
		);
		expect(raw.status).toBe(503);
	});

	test("the database away: 503 with Retry-After, and not told as unexpected", async () => {
		const { status, headers, unexpected } = await failing(
			new Error("connection terminated"),
		);
		expect(status).toBe(503);
		expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
		expect(unexpected).toEqual([]);
	});

	test("Retry-After is whole seconds, rounded up", async () => {
		const { headers } = await failing(
			new SegueError("overloaded", "Later.", [], { retryAfterSeconds: 2.2 }),
		);
		expect(headers.get("retry-after")).toBe("3");
	});
});
