import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Receipt } from "#usecases/erasing";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { privacyYaml } from "../support/privacy.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";
import { startProxy } from "../support/tcp-proxy.js";

const WITHIN_MS = 2_000;
const secret = new Uint8Array(32).fill(7);
const keys = JSON.stringify({
	keys: [
		{
			kty: "oct",
			alg: "HS256",
			k: Buffer.from(secret).toString("base64url"),
		},
	],
});

let nats: TestNats;
let database: TestDatabase;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let folder: string;
let here: Instance;
let there: Instance;
let env: Record<string, string>;

beforeAll(async () => {
	nats = await startNats();
	database = await createTestDatabase();
	folder = await mkdtemp(join(tmpdir(), "segue-privacy-"));
	await writeFile(join(folder, "all.yaml"), privacyYaml);
	const address = new URL(database.connectionString);
	proxy = await startProxy({
		host: address.hostname,
		port: Number(address.port),
	});
	env = {
		NATS_URL: nats.url,
		SEGUE_PRIVACY: folder,
		SEGUE_CONSENT_KEYS: keys,
		SEGUE_DECIDE_DEADLINE_MS: "1000",
		DATABASE_URL: address.href,
	};
	there = await startSegue({ app: "decider", env });
	address.port = String(proxy.port);
	here = await startSegue({
		app: "decider",
		env: { ...env, DATABASE_URL: address.href },
	});
	const { features } = sampleExperiment.context;
	const consent = "personalization";
	await runExperiment(here.url, {
		...sampleExperiment,
		context: {
			// A first lookup on a busy machine takes longer than the 20 ms that hold unless said.
			enrichBudgetMs: 300,
			features: [
				...features,
				{ name: "mood", from: "request", kind: "number", consent },
				{
					name: "skipped",
					from: "live",
					kind: "number",
					event: "skip",
					window: "5m",
					consent,
				},
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
	if (folder) await rm(folder, { recursive: true });
});

const decide = (decider: Instance, unit: string, more: object = {}) =>
	send(decider.url, "POST", "/v1/decisions", {
		experiment: "sample",
		unit,
		context: { tempo: 100, device: "phone", mood: 0.25 },
		...more,
	});
const pathOf = (unit: string) => `/v1/units/${unit}/consent`;
const put = (decider: Instance, unit: string, consent: object) =>
	send(decider.url, "PUT", pathOf(unit), consent);
const logged = async (decider: Instance, unit: string, more: object = {}) => {
	const { body } = await decide(decider, unit, more);
	const path = `/v1/decisions/${body.decisionId}`;
	return (await send(decider.url, "GET", path)).body;
};
const uses = async (decider: Instance, unit: string, more: object = {}) =>
	(await logged(decider, unit, more)).context.mood !== undefined;
/** The decider obeys from now on, no later than is promised. */
async function soon(decider: Instance, unit: string, expected: boolean) {
	const since = performance.now();
	await waitFor(
		async () => (await uses(decider, unit)) === expected,
		20_000,
		() => `${unit} is not decided for ${expected ? "with" : "without"} mood`,
	);
	expect(performance.now() - since).toBeLessThan(WITHIN_MS);
}

describe("a consent", () => {
	it("put at one decider is obeyed by it at once, by the other within 2 s, also withdrawn in the midst of a session; over the broker too", async () => {
		const unit = "listener-1";
		for (const decider of [here, there])
			expect(await uses(decider, unit)).toBe(false);
		expect((await put(here, unit, { personalization: true })).status).toBe(200);
		expect(await uses(here, unit)).toBe(true);
		await soon(there, unit, true);
		await put(there, unit, { personalization: false });
		expect(await uses(there, unit)).toBe(false);
		await soon(here, unit, false);

		const client = await connect({ servers: nats.url });
		const request = async (subject: string, body: object) =>
			(
				await client.request(subject, JSON.stringify(body), { timeout: 10_000 })
			).json();
		const next = { unit, consent: { jurisdiction: "lets" } };
		expect(await request("segue.consents.put", next)).toEqual(next);
		expect(await request("segue.consents.get", { unit })).toEqual(next);
		for (const decider of [here, there]) await soon(decider, unit, true);
		await client.close();
	});

	it("rules what live windows hold: a withdrawal takes it, who gives again begins afresh, in every decider, also one that starts later", async () => {
		const unit = "skipper";
		let sent = 0;
		const skip = (decider: Instance) =>
			send(decider.url, "POST", "/v1/events", {
				events: [
					{
						id: `skip-${++sent}`,
						type: "skip",
						at: new Date().toISOString(),
						unit,
					},
				],
			});
		const skipped = async (decider: Instance) =>
			(await logged(decider, unit)).context.skipped;
		const soonSkipped = (decider: Instance, expected?: number) =>
			waitFor(
				async () => (await skipped(decider)) === expected,
				20_000,
				() => `skipped does not become ${expected}`,
			);
		await skip(here);
		await put(here, unit, { personalization: true });
		for (const decider of [here, there]) await soonSkipped(decider, 0);
		await skip(here);
		await skip(there);
		for (const decider of [here, there]) await soonSkipped(decider, 2);
		await put(there, unit, { personalization: false });
		for (const decider of [here, there]) await soonSkipped(decider);
		await skip(here);
		await put(here, unit, { personalization: true });
		for (const decider of [here, there]) await soonSkipped(decider, 0);
		await skip(there);
		for (const decider of [here, there]) await soonSkipped(decider, 1);
		await there.stop();
		there = await startSegue({ app: "decider", env });
		await soonSkipped(there, 1);
	});

	it("in a signed token holds for the decision; one that is not to be believed is refused", async () => {
		const sign = (claims: object, expires = "5m", key = secret) =>
			new SignJWT({ ...claims })
				.setProtectedHeader({ alg: "HS256" })
				.setExpirationTime(expires)
				.sign(key);
		const consent = { personalization: true };
		const good = await sign({ sub: "tokened", consent });
		expect(await uses(here, "tokened", { consentToken: good })).toBe(true);
		expect(await uses(here, "tokened")).toBe(false);
		const refused = [
			[await sign({ sub: "other", consent }), "its sub"],
			[await sign({ sub: "tokened", consent }, "-1m"), "expired"],
			[await sign({ sub: "tokened" }), "consent"],
			[
				await sign(
					{ sub: "tokened", consent },
					"5m",
					secret.map(() => 8),
				),
				"signature",
			],
			["nonsense", "no JSON Web Token"],
		] as const;
		for (const [consentToken, why] of refused) {
			const { status, body } = await decide(here, "tokened", { consentToken });
			expect(status).toBe(422);
			expect(body.errors[0].path).toBe("consentToken");
			expect(body.detail).toContain(why);
		}
	});

	it("that cannot be told, the database being away, counts as none, and the answer says so", async () => {
		const unit = "silent";
		await put(there, unit, { personalization: true });
		await soon(here, unit, true);
		await proxy.cut();
		try {
			await waitFor(
				async () =>
					(await decide(here, unit)).body.degraded.includes("consent"),
				10_000,
				() => "a consent that may have been withdrawn is still used",
			);
			const { body } = await decide(here, unit, { explain: true });
			expect(body.missing).toContain("mood");
			expect(body.explanation.features.at(-2)).toMatchObject({
				value: null,
				withheld: "unknown",
			});
		} finally {
			await proxy.mend();
		}
		await waitFor(
			() => uses(here, unit),
			20_000,
			() => "the consent is not had again",
		);
	});

	it("goes with its unit, at once where that is erased and within 2 s elsewhere", async () => {
		const unit = "goes";
		await put(here, unit, { personalization: true });
		await soon(there, unit, true);
		const erased = await send(here.url, "DELETE", `/v1/units/${unit}`);
		expect((erased.body as Receipt).removed.consents).toBe(1);
		expect((await send(here.url, "GET", pathOf(unit))).body).toEqual({});
		expect(await uses(here, unit)).toBe(false);
		await soon(there, unit, false);
	});

	it("is judged by other rules after a restart with other files, and the log says by which", async () => {
		const unit = "ruled";
		await put(here, unit, { jurisdiction: "asks" });
		const before = await logged(there, unit);
		expect(before.context.mood).toBeUndefined();
		const health = async () =>
			(await send(there.url, "GET", "/health/ready")).body.parts.privacy.detail;
		expect(await health()).toContain(before.privacyVersion);
		expect(there.output()).toContain(before.privacyVersion);
		await there.stop();
		await writeFile(
			join(folder, "all.yaml"),
			privacyYaml.replace("asks: { optIn: [all] }", "asks: { optIn: [] }"),
		);
		there = await startSegue({ app: "decider", env });
		// Its first question to the database may take longer than a decision waits.
		await waitFor(
			() => uses(there, unit),
			20_000,
			() => "the consent is not obeyed after the restart",
		);
		const after = await logged(there, unit);
		expect(after.context.mood).toBe(0.25);
		expect(after.privacyVersion).not.toBe(before.privacyVersion);
		expect(await health()).toContain(after.privacyVersion);
	});
});

describe("privacy files", () => {
	it("are known to the command line, which names a purpose that none of them declares", async () => {
		const file = join(folder, "..", "purposeless.yaml");
		await writeFile(
			file,
			`key: p
name: P
arms: [{ key: a }, { key: b }]
context: { features: [{ name: mood, from: request, kind: number, consent: personality }] }
policy: { kind: linucb, alpha: 1 }
reward: { window: 30m, range: [0, 1], outcomes: [{ type: play, value: 1 }] }
`,
		);
		const { code, stderr } = await segueCli(["experiments", "validate", file], {
			SEGUE_PRIVACY: folder,
		});
		await rm(file);
		expect(code).toBe(1);
		expect(stderr).toContain(
			'context.features[0].consent: No privacy file declares the purpose "personality": did you mean "personalization"?',
		);
	});

	it("that are wrong keep Segue from starting, every mistake named with the nearest known word", async () => {
		const wrong = await mkdtemp(join(tmpdir(), "segue-privacy-"));
		await writeFile(
			join(wrong, "a.yaml"),
			"purposes: { device: What plays. }\ndefault: eu\njurisdictions: { eu: { optIn: [devise], retension: {} } }\n",
		);
		await writeFile(
			join(wrong, "b.yaml"),
			"jurisdictions: { us: { optIn: [devise] } }\n",
		);
		const bad = { ...env, SEGUE_PRIVACY: wrong, SEGUE_CONSENT_KEYS: "{}" };
		const said = await startSegue({ app: "decider", env: bad }).then(
			() => "",
			(error: Error) => error.message,
		);
		await rm(wrong, { recursive: true });
		expect(said).toContain(
			'a.yaml: jurisdictions.eu.retension: Unknown key "retension": did you mean "retention"?',
		);
		expect(said).toContain(
			'b.yaml: jurisdictions.us.optIn[0]: No file declares the purpose "devise"',
		);
		expect(said).toContain("SEGUE_CONSENT_KEYS must be a JSON Web Key Set");
	});
});
