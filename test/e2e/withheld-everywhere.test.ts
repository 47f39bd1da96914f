import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { allFiles, allTables } from "../support/everywhere.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { privacyYaml } from "../support/privacy.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

/**
 * What a unit does not allow is planted wherever a client can put it, then looked for wherever Segue keeps or says anything. A unit that
 * allows it sends values of its own the same ways: that those are found shows that the looking finds.
 */

const consent = "personalization";
const plants = {
	/** Of units that refuse, never answer, or withdraw. */
	withheld: {
		mood: 0.7351927465,
		tag: "planted-tag-5f2c9a",
		loyalty: 0.6180339871,
		// Their sum is a live feature: the events themselves are the unit's outcomes, and kept.
		skips: [101.015625, 202.03125],
		sum: 303.046875,
	},
	allowed: {
		mood: 0.1928374655,
		tag: "planted-tag-allowed-77",
		loyalty: 0.2718281829,
		skips: [11.03125, 22.0625],
		sum: 33.09375,
	},
};
const property = "planted-property-e41b";
const textsOf = ({ mood, tag, loyalty, sum }: (typeof plants)["withheld"]) => [
	...[mood, loyalty, sum].map(String),
	tag,
];

let nats: TestNats;
let database: TestDatabase;
let client: pg.Client;
let folder: string;
let segue: Instance;
let collector: Server;
const traces: string[] = [];
const answers: string[] = [];

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	folder = await mkdtemp(join(tmpdir(), "segue-privacy-"));
	await writeFile(join(folder, "all.yaml"), privacyYaml);
	collector = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const body = Buffer.concat(chunks);
			const zipped = request.headers["content-encoding"] === "gzip";
			traces.push((zipped ? gunzipSync(body) : body).toString("latin1"));
			response.end();
		});
	});
	await new Promise<void>((resolve) =>
		collector.listen(0, "127.0.0.1", resolve),
	);
	const { port } = collector.address() as AddressInfo;
	segue = await startSegue({
		env: {
			NATS_URL: nats.url,
			DATABASE_URL: database.connectionString,
			SEGUE_PRIVACY: folder,
			SEGUE_DECIDE_DEADLINE_MS: "1000",
			LOG_LEVEL: "trace",
			OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
		},
	});
	client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	await runExperiment(segue.url, {
		...sampleExperiment,
		arms: [
			...sampleExperiment.arms,
			{ key: "ruled", eligible: 'context.tag != "other"' },
		],
		context: {
			enrichBudgetMs: 300,
			features: [
				...sampleExperiment.context.features,
				{ name: "mood", from: "request", kind: "number", consent },
				{ name: "tag", from: "request", kind: "attribute", consent },
				{ name: "loyalty", from: "profile", kind: "number", consent },
				{
					name: "skipped",
					from: "live",
					kind: "number",
					event: "skip",
					aggregate: "sum",
					window: "5m",
					consent,
				},
			],
		},
	} as unknown as typeof sampleExperiment);
}, 120_000);
afterAll(async () => {
	await client?.end();
	await segue?.stop();
	await nats?.stop();
	await database?.drop();
	collector?.close();
	if (folder) await rm(folder, { recursive: true });
});

const call = async (
	method: "GET" | "POST" | "PUT" | "DELETE",
	path: string,
	body?: unknown,
) => {
	const answer = await send(segue.url, method, path, body);
	answers.push(JSON.stringify(answer.body));
	return answer;
};

/** All that a client can do for a unit, in the ways there are. */
async function use(
	unit: string,
	{ mood, tag, loyalty, skips }: (typeof plants)["withheld"],
): Promise<void> {
	const context = { tempo: 100, device: "phone", mood, tag };
	const ask = { experiment: "sample", unit, context };
	await call("PUT", `/v1/units/${unit}/profile`, { loyalty });
	let id = "";
	for (const more of [
		{},
		{ explain: true },
		{ mode: "best", explain: true },
		{ requestId: `request of ${unit}` },
		{ session: "s", explain: true },
	]) {
		const { body, status } = await call("POST", "/v1/decisions", {
			...ask,
			...more,
		});
		expect(status).toBe(200);
		id = body.decisionId ?? id;
	}
	await call("POST", "/v1/decisions/batch", { decisions: [ask, ask] });
	const broker = await connect({ servers: nats.url });
	const reply = await broker.request("segue.decide", JSON.stringify(ask), {
		timeout: 10_000,
	});
	answers.push(reply.string());
	await broker.close();
	const events = skips.map((value, i) => ({
		id: `${unit}-skip-${i}`,
		type: "skip",
		at: new Date().toISOString(),
		unit,
		decisionId: id,
		value,
		properties: { planted: property },
	}));
	await call("POST", "/v1/events", { events });
	await waitFor(
		async () =>
			(await send(segue.url, "GET", `/v1/decisions/${id}`)).body.events
				?.length === events.length,
		20_000,
		() => "the events are not learned",
	);
	// With what the windows know by now, and made again.
	const { body } = await call("POST", "/v1/decisions", {
		...ask,
		explain: true,
	});
	await call("GET", `/v1/decisions/${body.decisionId}?explain=true`);
	// Errors, whose answers alone may say again what was sent.
	const wrong = { ...ask, context: { ...context, device: 3 } };
	await call("POST", "/v1/decisions", wrong);
	await call("POST", "/v1/decisions", { ...ask, eligible: ["nobody"] });
	await call("PUT", `/v1/units/${unit}/profile`, { loyalty, other: tag });
}

describe("what a unit does not allow", () => {
	it("is in no table, message, file, answer, log line, trace or metric", async () => {
		const consentOf = (unit: string) => `/v1/units/${unit}/consent`;
		await call("PUT", consentOf("allows"), { [consent]: true });
		await use("allows", plants.allowed);
		await call("PUT", consentOf("refuses"), { [consent]: false });
		await call("PUT", consentOf("withdraws"), { [consent]: true });
		await call("PUT", consentOf("withdraws"), { [consent]: false });
		for (const unit of ["refuses", "silent", "withdraws"])
			await use(unit, plants.withheld);
		// By the spool too.
		await nats.kill("SIGSTOP");
		const { mood, tag } = plants.withheld;
		const context = { tempo: 100, device: "phone", mood, tag };
		const ask = { experiment: "sample", unit: "refuses", context };
		const spooled = await call("POST", "/v1/decisions", ask);
		expect(spooled.body.degraded).toContain("stream");
		const files = await allFiles(segue.folder);
		await nats.kill("SIGCONT");
		await waitFor(
			async () =>
				(
					await client.query("select 1 from decisions where id = $1", [
						spooled.body.decisionId,
					])
				).rowCount === 1,
			30_000,
			() => "what was spooled is not learned",
		);

		const places = new Map<string, string>([
			...files,
			...(await allFiles(nats.folder)),
			...(await allTables(client)),
			["stdout", segue.output()],
			["traces", traces.join("\n")],
			["metrics", JSON.stringify((await call("GET", "/metrics")).body)],
			["answers", answers.join("\n")],
		]);
		const where = (text: string) =>
			[...places].flatMap(([name, all]) => (all.includes(text) ? [name] : []));
		for (const text of textsOf(plants.allowed))
			expect(where(text), `allowed ${text} is looked for`).not.toEqual([]);
		for (const text of textsOf(plants.withheld))
			expect(where(text), `withheld ${text}`).toEqual([]);
		// Properties of events are no features: they lie where events lie, and nowhere else.
		for (const name of where(property))
			expect(name).toMatch(/^(outcomes|answers|.*\/nats.*|.*\.blk)/);
	}, 120_000);
});
