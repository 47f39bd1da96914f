import { describe, expect, it } from "vitest";
import { createLog } from "./log.js";

function record(level = "info") {
	const lines: string[] = [];
	const log = createLog({
		level,
		name: "decider",
		destination: { write: (line: string) => lines.push(line) },
	});
	return { log, lines };
}

describe("createLog", () => {
	it("writes one JSON line an event, with level, time and process in words", () => {
		const { log, lines } = record();
		log.info({ port: 8080 }, "listening");
		expect(lines).toHaveLength(1);
		expect(JSON.parse(lines[0] as string)).toMatchObject({
			level: "info",
			time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
			name: "decider",
			port: 8080,
			msg: "listening",
		});
	});

	it("says nothing below its level", () => {
		const { log, lines } = record("warn");
		log.info("hello");
		expect(lines).toEqual([]);
	});

	it("removes secrets by name, also below the top", () => {
		const { log, lines } = record();
		log.info({
			password: "s3cret",
			connectionString: "postgres://a:s3cret@b/c",
			req: { headers: { authorization: "Bearer s3cret" } },
			config: { databaseUrl: "postgres://a:s3cret@b/c" },
		});
		expect(lines.join()).not.toContain("s3cret");
	});

	it("removes passwords of URLs from messages, errors and their causes", () => {
		const { log, lines } = record();
		const cause = new Error("connect nats://user:s3cret@broker:4222 failed");
		const error = new Error("cannot reach postgres://segue:s3cret@db/segue", {
			cause,
		});
		log.error({ err: error }, "lost postgres://segue:s3cret@db:5432/segue");
		expect(lines.join()).not.toContain("s3cret");
		expect(lines.join()).toContain("postgres://segue:[removed]@db:5432/segue");
	});
});
