import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Http2Server } from "node:http2";
import { builtinModules } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { type Instance, startSegue } from "../support/segue.js";

const folder = fileURLToPath(new URL("../../dist/run/", import.meta.url));
const filesThatEnd = (end: string) =>
	readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
		file.endsWith(end),
	);
const read = (file: string) => readFileSync(join(folder, file), "utf8");

/** By the maps, which say where each line of the bundle comes from. */
function packagesInside(): Set<string> {
	const sources = filesThatEnd(".map").flatMap(
		(file) => (JSON.parse(read(file)) as { sources: string[] }).sources,
	);
	return new Set(
		sources.flatMap(
			(source) =>
				/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? [],
		),
	);
}

test("every package whose code is given on in the bundle has its licence beside it", () => {
	const licences = read("LICENCES.txt").split("\n\n----\n\n");
	const nameOf = (licence: string) => licence.split(" ", 1)[0];
	const inside = packagesInside();
	expect(inside.size).toBeGreaterThan(50);
	expect(new Set(licences.map(nameOf))).toEqual(inside);
	const wordless = licences.filter(
		(licence) =>
			!/permission|redistribution|licensed under|licen[sc]e version|released into the public domain|version 2\.0/i.test(
				licence,
			),
	);
	expect(wordless.map(nameOf)).toEqual([
		"abstract-logging",
		"standardwebhooks",
	]);
});

test("the bundle asks for nothing but Node's own modules, what is listed, and what lies beside files of its own", () => {
	const asked = filesThatEnd(".js").flatMap((file) =>
		[
			/^import (?:[^"]*? from )?"([^"]+)";$/gm,
			/\b(?:__require|require\$\d+)\("([^"]+)"\)/g,
			// Not in a comment's line.
			/^(?!\s*\/?\*).*\bimport\("([^"]+)"\)/gm,
		].flatMap((pattern) =>
			[...read(file).matchAll(pattern)].map(([, name]) => name as string),
		),
	);
	const outside = asked.filter(
		(name) =>
			!name.startsWith(".") &&
			!builtinModules.includes(name.replace(/^node:/, "")),
	);
	expect(new Set(outside)).toEqual(
		new Set([
			// Nest's and pg's, where they are installed.
			"@fastify/multipart",
			"@fastify/view",
			"@nestjs/platform-express",
			"@nestjs/websockets/socket-module.js",
			"amqp-connection-manager",
			"class-transformer",
			"class-validator",
			"ioredis",
			"kafkajs",
			"mqtt",
			"pg-native",
			// A dependency of ours for this.
			"swagger-ui-dist/absolute-path.js",
		]),
	);
});

let database: TestDatabase | undefined;
let instance: Instance | undefined;
let collector: Http2Server | undefined;
afterAll(async () => {
	await instance?.stop();
	await database?.drop();
	collector?.close();
});

test("what it loads only where it is asked for is there: the documentation's page, traces over gRPC", async () => {
	const called: (string | undefined)[] = [];
	collector = createServer().on("stream", (stream, headers) => {
		called.push(headers[":path"]);
		stream.resume();
		stream.respond(
			{ ":status": 200, "content-type": "application/grpc" },
			{ waitForTrailers: true },
		);
		stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": 0 }));
		stream.end();
	});
	await new Promise<void>((resolve) =>
		collector?.listen(0, "127.0.0.1", resolve),
	);
	const { port } = collector.address() as AddressInfo;
	database = await createTestDatabase({ migrated: true });
	instance = await startSegue({
		app: "decider",
		env: {
			DATABASE_URL: database.connectionString,
			SEGUE_STREAM: "postgres",
			OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
			OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
		},
	});
	for (const path of ["/docs", "/docs/swagger-ui.css", "/docs-json"]) {
		const answer = await fetch(instance.url + path);
		expect(answer.status, path).toBe(200);
		expect((await answer.text()).length, path).toBeGreaterThan(1_000);
	}
	await fetch(`${instance.url}/v1/experiments`);
	await instance.stop();
	instance = undefined;
	expect(called).toContain(
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	);
});
