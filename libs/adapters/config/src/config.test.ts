import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "./config.js";
import { variables } from "./variables.js";

function config(environment: Record<string, string>) {
	const result = readConfig(environment);
	if (!result.ok) throw new Error(result.problems.join("\n"));
	return result.value;
}

const secret = (byte: number) => Buffer.alloc(32, byte).toString("base64");

function problems(environment: Record<string, string>): readonly string[] {
	const result = readConfig(environment);
	return result.ok ? [] : result.problems;
}

describe("readConfig", () => {
	it("gives the documented defaults to an empty environment", () => {
		expect(config({})).toEqual({
			port: 8080,
			host: "127.0.0.1",
			dataFolder: resolve(".segue"),
			databaseUrl: null,
			natsUrl: null,
			stream: null,
			durability: "process",
			decideDeadlineMs: 100,
			learnerPort: 8081,
			spoolMaxBytes: 256 * 1024 * 1024,
			logDays: 90,
			unitKeys: [],
			privacyFolder: null,
			consentKeys: null,
			itemVectors: null,
			webhook: null,
			logLevel: "info",
			tracing: false,
		});
	});

	it("takes every variable, and an empty one as not set", () => {
		expect(
			config({
				PORT: "9000",
				HOST: "0.0.0.0",
				SEGUE_DATA: "/var/lib/segue",
				DATABASE_URL: "postgresql://segue:s3cret@db.internal:5432/segue",
				NATS_URL: "nats://a:4222, nats://b:4222",
				SEGUE_STREAM: "postgres",
				SEGUE_DURABILITY: "power",
				SEGUE_DECIDE_DEADLINE_MS: "50",
				SEGUE_LEARNER_PORT: "9001",
				SEGUE_SPOOL_MAX_BYTES: "1048576",
				SEGUE_LOG_DAYS: "30",
				SEGUE_UNIT_KEY: `a1:${secret(1)}, b2@2026-12-01T00:00Z:${secret(2)}`,
				SEGUE_PRIVACY: "/etc/segue/privacy",
				SEGUE_CONSENT_KEYS: '{"keys": []}',
				SEGUE_ITEM_VECTORS: "/etc/segue/tracks.jsonl",
				SEGUE_WEBHOOK_URL: "https://hooks.example.com/segue",
				SEGUE_WEBHOOK_SECRET: `whsec_${secret(3)}`,
				LOG_LEVEL: "",
				OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
			}),
		).toEqual({
			port: 9000,
			host: "0.0.0.0",
			dataFolder: "/var/lib/segue",
			databaseUrl: "postgresql://segue:s3cret@db.internal:5432/segue",
			natsUrl: "nats://a:4222,nats://b:4222",
			stream: "postgres",
			durability: "power",
			decideDeadlineMs: 50,
			learnerPort: 9001,
			spoolMaxBytes: 1048576,
			logDays: 30,
			unitKeys: [
				{
					id: "a1",
					from: Number.NEGATIVE_INFINITY,
					secret: Buffer.alloc(32, 1),
				},
				{
					id: "b2",
					from: Date.UTC(2026, 11, 1),
					secret: Buffer.alloc(32, 2),
				},
			],
			privacyFolder: "/etc/segue/privacy",
			consentKeys: '{"keys": []}',
			itemVectors: "/etc/segue/tracks.jsonl",
			webhook: {
				url: "https://hooks.example.com/segue",
				secret: `whsec_${secret(3)}`,
			},
			logLevel: "info",
			tracing: true,
		});
	});

	it("says all that is wrong at once, each with its variable and a remedy", () => {
		const found = problems({
			PORT: "80a",
			HOST: "http://localhost",
			SEGUE_STREAM: "kafka",
			SEGUE_DURABILITY: "Power",
			SEGUE_DECIDE_DEADLINE_MS: "0",
			SEGUE_SPOOL_MAX_BYTES: "1e9",
			LOG_LEVEL: "loud",
		});
		expect(found).toEqual([
			'PORT is "80a": set it to a whole number from 1 to 65535.',
			'HOST is "http://localhost": set it to an address to listen on, such as 127.0.0.1 or 0.0.0.0, without port or protocol.',
			'SEGUE_STREAM is "kafka": set it to jetstream or postgres.',
			'SEGUE_DURABILITY is "Power": set it to process or power.',
			'SEGUE_DECIDE_DEADLINE_MS is "0": set it to a whole number from 1 to 60000.',
			'SEGUE_SPOOL_MAX_BYTES is "1e9": set it to a whole number from 1048576 to 1099511627776.',
			'LOG_LEVEL is "loud": set it to fatal, error, warn, info, debug, trace or silent.',
		]);
	});

	it("never repeats a URL that it refuses, since it may hold a password", () => {
		const found = problems({
			DATABASE_URL: "mysql://segue:s3cret@db/segue",
			NATS_URL: "nats://:s3cret",
		});
		expect(found).toHaveLength(2);
		expect(found.join()).not.toContain("s3cret");
		expect(found[0]).toContain("postgres:// or postgresql://");
	});

	it("says what is wrong with each key of units, and never repeats a secret", () => {
		const keys = [
			`a1:${secret(1)}`,
			`a1@2026-12-01T00:00Z:${secret(2)}`,
			`b2@tomorrow:${secret(3)}`,
			`c3:${Buffer.alloc(16, 4).toString("base64")}`,
			`D4:${secret(5)}`,
		];
		const found = problems({ SEGUE_UNIT_KEY: keys.join(",") });
		expect(found).toEqual([
			"SEGUE_UNIT_KEY, key 3, has no instant that can be read: write it in UTC, such as 2026-12-01T00:00Z.",
			"SEGUE_UNIT_KEY, key 4, has a secret of 16 bytes: make one of 32 (openssl rand -base64 32).",
			"SEGUE_UNIT_KEY, key 5, must read ID:SECRET or ID@INSTANT:SECRET, with an id of 1 to 16 of a-z and 0-9 and a secret in base64 (openssl rand -base64 32).",
			"SEGUE_UNIT_KEY has two keys with the same id: give each its own, and all but the first that ever was an instant, as in ID@2026-12-01T00:00Z:SECRET.",
		]);
	});

	it.each([
		["https://hooks.example.com/a?b=c", true],
		["http://localhost:3000/hook", true],
		["http://segue.localhost/hook", true],
		["http://127.8.0.1:3000/hook", true],
		["http://[::1]:3000/hook", true],
		["http://hooks.example.com/s3cret", false],
		["http://127.0.0.1.example.com/s3cret", false],
		["http://localhost.example.com/s3cret", false],
		["ftp://hooks.example.com/s3cret", false],
		["https://segue:s3cret@hooks.example.com/", false],
		["s3cret", false],
	])("sends webhooks by https alone, but to this machine: %s", (url, taken) => {
		const found = problems({
			SEGUE_WEBHOOK_URL: url,
			SEGUE_WEBHOOK_SECRET: `whsec_${secret(1)}`,
		});
		expect(found.length).toBe(taken ? 0 : 1);
		expect(found.join()).not.toContain("s3cret");
	});

	it("wants a webhook's URL and secret together, the secret as long as it must be, and never repeats it", () => {
		const url = "https://hooks.example.com/";
		const ask = (environment: Record<string, string>) =>
			problems(environment).map((said) => said.split(":")[0]);
		expect(ask({ SEGUE_WEBHOOK_URL: url })).toEqual([
			"SEGUE_WEBHOOK_URL is set without SEGUE_WEBHOOK_SECRET",
		]);
		expect(ask({ SEGUE_WEBHOOK_SECRET: `whsec_${secret(1)}` })).toEqual([
			"SEGUE_WEBHOOK_SECRET is set without SEGUE_WEBHOOK_URL",
		]);
		for (const [text, said] of [
			[secret(1), "SEGUE_WEBHOOK_SECRET must be whsec_ and base64"],
			["whsec_sécret", "SEGUE_WEBHOOK_SECRET must be whsec_ and base64"],
			[
				`whsec_${Buffer.alloc(23, 1).toString("base64")}`,
				"SEGUE_WEBHOOK_SECRET has 23 bytes, and must have 24 to 64",
			],
		])
			expect(
				ask({ SEGUE_WEBHOOK_URL: url, SEGUE_WEBHOOK_SECRET: text as string }),
			).toEqual([said]);
	});

	it("takes a database URL that names its host as a parameter", () => {
		const url = "postgresql:///segue?host=/run/postgresql";
		expect(config({ DATABASE_URL: url }).databaseUrl).toBe(url);
	});

	it("does not trace where the OpenTelemetry SDK is switched off", () => {
		const environment = {
			OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318",
			OTEL_SDK_DISABLED: "true",
		};
		expect(config(environment).tracing).toBe(false);
	});

	it("warns of a SEGUE_ variable that it does not know and names the nearest", () => {
		const result = readConfig({ SEGUE_DURABILTY: "power" });
		expect(result).toMatchObject({
			ok: true,
			warnings: [
				"SEGUE_DURABILTY is not a variable that Segue knows and is ignored; the nearest is SEGUE_DURABILITY.",
			],
		});
	});
});

describe(".env.example", () => {
	const example = readFileSync(
		new URL("../../../../.env.example", import.meta.url),
		"utf8",
	);
	const entries = [...example.matchAll(/^# ?([A-Z_]+)=(.*)$/gm)];
	const documented = entries.filter(([, name]) => !name?.startsWith("OTEL_"));

	it("lists exactly the variables that are read, in their order", () => {
		expect(documented.map(([, name]) => name)).toEqual(
			variables.map(({ name }) => name),
		);
	});

	it("shows every default as it is", () => {
		const shown = new Map(documented.map(([, name, value]) => [name, value]));
		for (const { name, fallback } of variables)
			if (fallback !== null)
				expect([name, shown.get(name)]).toEqual([name, fallback]);
	});

	it("shows values that are accepted", () => {
		const environment = Object.fromEntries(
			entries.map(([, name, value]) => [name, value]),
		);
		expect(problems(environment)).toEqual([]);
	});

	it("says something about each variable above it", () => {
		const blocks = example.split(/\n\n/).filter((block) => block.includes("="));
		for (const block of blocks) expect(block).toMatch(/^# [A-Z].*\.$/m);
		expect(blocks).toHaveLength(variables.length + 1);
	});
});
