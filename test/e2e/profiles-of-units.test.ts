import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BulkReceipt, Receipt } from "#usecases/erasing";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";
import { startProxy } from "../support/tcp-proxy.js";

const WITHIN_MS = 2_000;
const DEADLINE_MS = 1_000;

let nats: TestNats;
let database: TestDatabase;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let here: Instance;
let there: Instance;

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	const address = new URL(database.connectionString);
	proxy = await startProxy({
		host: address.hostname,
		port: Number(address.port),
	});
	const env = {
		NATS_URL: nats.url,
		SEGUE_DECIDE_DEADLINE_MS: String(DEADLINE_MS),
	};
	const direct = { ...env, DATABASE_URL: address.href };
	there = await startSegue({ app: "decider", env: direct });
	address.port = String(proxy.port);
	const byProxy = { ...env, DATABASE_URL: address.href };
	here = await startSegue({ app: "decider", env: byProxy });
	const { features } = sampleExperiment.context;
	await runExperiment(here.url, {
		...sampleExperiment,
		context: {
			enrichBudgetMs: 20,
			features: [
				...features,
				{ name: "loyalty", from: "profile", kind: "number" },
				{ name: "taste", from: "profile", kind: "vector", length: 4 },
			],
		},
	} as typeof sampleExperiment);
	await waitFor(
		async () => (await decide(there, "nobody")).status === 200,
		10_000,
		() => "the other decider does not know the experiment",
	);
});
afterAll(async () => {
	await here?.stop();
	await there?.stop();
	await proxy?.close();
	await nats?.stop();
	await database?.drop();
});

const decide = (decider: Instance, unit: string) =>
	send(decider.url, "POST", "/v1/decisions", {
		experiment: "sample",
		unit,
		context: { tempo: 100, device: "phone" },
	});
const pathOf = (unit: string) => `/v1/units/${unit}/profile`;
const put = (decider: Instance, unit: string, profile: object) =>
	send(decider.url, "PUT", pathOf(unit), profile);
const loyalty = async (decider: Instance, unit: string) => {
	const { body } = await decide(decider, unit);
	const path = `/v1/decisions/${body.decisionId}`;
	return (await send(decider.url, "GET", path)).body.context.loyalty;
};
/** The decider decides with this from now on, no later than is promised. */
async function soon(decider: Instance, unit: string, expected?: number) {
	const since = performance.now();
	await waitFor(
		async () => (await loyalty(decider, unit)) === expected,
		20_000,
		() => `${unit} is not decided for with ${expected}`,
	);
	expect(performance.now() - since).toBeLessThan(WITHIN_MS);
}

const taste = [0.5, -0.25, 1, 0];

describe("a profile", () => {
	it("put at one decider is used by it at once, by the other within 2 s; over the broker too", async () => {
		const unit = "listener-1";
		for (const decider of [here, there]) {
			const { body } = await decide(decider, unit);
			expect(body.missing).toEqual(["loyalty", "taste"]);
		}
		const profile = { loyalty: 0.75, taste };
		expect((await put(here, unit, profile)).body).toEqual(profile);
		expect(await loyalty(here, unit)).toBe(0.75);
		await soon(there, unit, 0.75);
		expect((await send(there.url, "GET", pathOf(unit))).body).toEqual(profile);

		const client = await connect({ servers: nats.url });
		const request = async (subject: string, body: object) =>
			(
				await client.request(subject, JSON.stringify(body), { timeout: 10_000 })
			).json();
		const next = { unit, profile: { loyalty: -2 } };
		expect(await request("segue.profiles.put", next)).toEqual(next);
		expect(await request("segue.profiles.get", { unit })).toEqual(next);
		await soon(here, unit, -2);
		await soon(there, unit, -2);
		const wrong = { unit, profile: { loyalti: 1 } };
		expect(await request("segue.profiles.put", wrong)).toMatchObject({
			status: 422,
			errors: [{ path: "loyalti" }],
		});
		await client.close();
	});

	it("goes with its unit: at once where it is erased, within 2 s elsewhere; of many units too", async () => {
		for (const unit of ["goes", "goes-2", "stays"]) {
			await put(here, unit, { loyalty: 1, taste });
			for (const decider of [here, there]) await soon(decider, unit, 1);
		}
		const erased = await send(here.url, "DELETE", "/v1/units/goes");
		expect((erased.body as Receipt).removed.profiles).toBe(1);
		expect((await send(here.url, "GET", pathOf("goes"))).status).toBe(404);
		expect(await loyalty(here, "goes")).toBeUndefined();
		await soon(there, "goes", undefined);

		const file = join(here.folder, "units.txt");
		await writeFile(file, "goes-2\n");
		const { stdout } = await segueCli(
			["units", "erase", "--file", file, "--json"],
			{ DATABASE_URL: database.connectionString, NATS_URL: nats.url },
		);
		const receipt = JSON.parse(stdout) as BulkReceipt;
		expect(receipt.removed.profiles).toBe(1);
		for (const decider of [here, there])
			await soon(decider, "goes-2", undefined);
		for (const decider of [here, there])
			expect(await loyalty(decider, "stays")).toBe(1);
	});

	const troubles: readonly [string, () => unknown, () => unknown][] = [
		["slow", () => proxy.delay(200), () => proxy.delay(0)],
		["frozen", () => proxy.swallow("to client"), () => proxy.swallow(null)],
		["away", () => proxy.cut(), () => proxy.mend()],
	];
	for (const [how, begin, end] of troubles)
		it(`that is not in memory is gone without while the database is ${how}, within the deadline, and said so; one that is in memory is used`, async () => {
			const [known, unknown] = [`known-${how}`, `unknown-${how}`];
			for (const unit of [known, unknown])
				await put(there, unit, { loyalty: 1, taste });
			await soon(here, known, 1);
			await begin();
			let begun = true;
			const over = async () => {
				if (begun) await end();
				begun = false;
			};
			try {
				const ids: string[] = [];
				for (let i = 0; i < 20; i++) {
					const since = performance.now();
					const { status, body } = await decide(here, `${unknown}-${i}`);
					expect(performance.now() - since).toBeLessThan(DEADLINE_MS);
					expect(status).toBe(200);
					expect(body.missing).toEqual(["loyalty", "taste"]);
					expect(body.degraded).toContain("profile");
					expect(body.degraded).not.toContain("stream");
					ids.push(body.decisionId);
				}
				const { body } = await decide(here, known);
				expect(body.missing).toEqual([]);
				expect(body.degraded).not.toContain("profile");
				ids.push(body.decisionId);
				await over();
				await waitFor(
					async () => (await loyalty(here, unknown)) === 1,
					20_000,
					() => "profiles are not had again",
				);
				for (const id of ids) {
					const path = `/v1/decisions/${id}?explain=true`;
					const again = await send(here.url, "GET", path);
					expect(again.body.rederived).toMatchObject({
						equal: true,
						differences: [],
					});
				}
			} finally {
				await over();
			}
		});
});
