import { randomUUID } from "node:crypto";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERDICTS } from "#core/experiment";
import { timeOfId } from "#core/log";
import type { Ledger } from "#usecases/learning";
import { idAt } from "../support/builders.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import {
	type Instance,
	runtimeOf,
	startSegue,
	waitFor,
} from "../support/segue.js";

describe("every verdict of the closed list", { timeout: 120_000 }, () => {
	const MINUTE = 60_000;
	const boot = randomUUID();
	let instance: Instance;
	let connection: NatsConnection;
	let told = 0;
	beforeAll(async () => {
		instance = await startSegue();
		const { natsUrl } = await runtimeOf(instance.folder);
		connection = await connect({ servers: natsUrl as string });
		const reward = {
			window: "2m",
			range: [-1, 1],
			combine: "last",
			outcomes: [
				{ type: "play", value: 0.25 },
				{ type: "complete", value: 0.5 },
				{ type: "skip", value: -0.25, within: "30s" },
				{ type: "rating" },
			],
		};
		const closing = { ...reward, learn: "windowClose", window: "10m" };
		for (const [key, its] of Object.entries({ own: reward, closing }))
			await runExperiment(instance.url, {
				...sampleExperiment,
				key,
				reward: its,
			} as unknown as typeof sampleExperiment);
	});
	afterAll(async () => {
		await connection?.close();
		await instance?.stop();
	});

	const get = (path: string) => send(instance.url, "GET", path);
	const ledgerOf = async (key: string): Promise<Ledger> =>
		(await get(`/v1/experiments/${key}/ledger`)).body;
	const ledgers = () => Promise.all(["own", "closing", "-"].map(ledgerOf));
	/** Until each delivery has its verdict, so that what comes next is a batch of its own. */
	const judged = (deliveries: number) => {
		told += deliveries;
		return waitFor(
			async () =>
				(await ledgers()).reduce((sum, { deliveries: n }) => sum + n, 0) ===
				told,
			20_000,
			() => `not all was judged:\n${instance.output()}`,
		);
	};
	const decide = async (experiment: string, unit: string) => {
		const { body } = await send(instance.url, "POST", "/v1/decisions", {
			experiment,
			unit,
			context: { tempo: 100, device: "phone" },
		});
		await judged(1);
		const decisionId: string = body.decisionId;
		/** An event of it, so many seconds after it. */
		const after = (seconds: number, id: string, type: string, more = {}) => ({
			id,
			type,
			unit,
			decisionId,
			at: timeOfId(decisionId) + seconds * 1_000,
			...more,
		});
		return { decisionId, path: `/v1/decisions/${decisionId}`, after };
	};
	const happen = async (...events: object[]) => {
		const { body } = await send(instance.url, "POST", "/v1/events", { events });
		expect(body).toEqual({ accepted: events.length, rejected: [] });
		await judged(events.length);
	};
	const publish = async (subject: string, body: string) => {
		connection.publish(subject, body);
		await judged(1);
	};
	const shown = (events: readonly Seen["events"][number][]) =>
		events
			.map(({ id, verdict, detail, moved }) => [
				id,
				detail === undefined ? verdict : `${verdict}: ${detail}`,
				...(moved ? [moved.exposed, moved.reward] : []),
			])
			.sort();
	interface Seen {
		readonly events: readonly {
			readonly id: string;
			readonly verdict: string;
			readonly detail?: string;
			readonly moved?: {
				readonly exposed: number;
				readonly reward: number;
				readonly revision: number;
			} | null;
		}[];
	}

	test("is told by GET of the decision that the event names, with what it moved and in which revision", async () => {
		const first = await decide("own", "listener");
		const play = first.after(1, "play", "play");
		await happen(play);
		await happen(
			play,
			{ ...play, value: 9 },
			first.after(-360, "early", "play"),
			first.after(180, "late", "play"),
			first.after(2, "unlisted", "click"),
			first.after(60, "too late a skip", "skip"),
			first.after(2, "missing", "rating"),
			first.after(2, "takes nothing", "retract", { retracts: "nothing" }),
			first.after(2, "stranger", "play", { unit: "another" }),
		);
		await happen(first.after(3, "gone", "complete"));
		await happen(
			first.after(4, "takes gone", "retract", { retracts: "gone" }),
			first.after(4, "takes it", "retract", { retracts: "takes gone" }),
		);
		const ahead = Date.now() + 10 * MINUTE;
		await publish(
			"segue.events.play",
			JSON.stringify({ ...first.after(0, "ahead", "play"), at: ahead }),
		);
		await publish(
			"segue.events.play",
			JSON.stringify(first.after(1, "unclear", "play", { value: "much" })),
		);
		const visit = first.after(0, "_visit:1", "_visit");
		await publish(
			"segue.events._pack",
			JSON.stringify({ boot, sequence: 1, events: [visit] }),
		);
		const { body: seen } = await get(first.path);
		expect(seen).toMatchObject({ exposed: true, reward: 0.25 });
		expect(shown(seen.events)).toEqual(
			[
				["play", "applied", 1, 0.25],
				["play", "conflict"],
				["early", "early"],
				["late", "late"],
				["unlisted", "no value: unlisted"],
				["too late a skip", "no value: outside within"],
				["missing", "no value: missing"],
				["takes nothing", "no value: nothing to retract"],
				["stranger", "wrong unit"],
				["gone", "retracted", 0, 0.25],
				["takes gone", "applied", 0, -0.25],
				["takes it", "no value: not retractable"],
				["ahead", "future"],
				[
					"unclear",
					"malformed: bad event: value: Must be a finite number within ±1048576.",
				],
				["_visit:1", "visit"],
			].sort(),
		);
		const revisionOf = (id: string) =>
			(seen as Seen).events.find((event) => event.id === id && event.moved)
				?.moved?.revision ?? Number.NaN;
		expect(revisionOf("play")).toBeGreaterThan(seen.learned.revision);
		expect(revisionOf("gone")).toBeGreaterThan(revisionOf("play"));
		expect(revisionOf("takes gone")).toBe(revisionOf("gone") + 1);
	});

	test("is told of what was clipped, came too early for the close of its window, or was decided outside the experiment", async () => {
		const second = await decide("own", "listener");
		await happen(second.after(1, "one", "rating", { value: 0.5 }));
		await happen(second.after(2, "two", "rating", { value: 5 }));
		const clipped = (await get(second.path)).body;
		expect(clipped).toMatchObject({ exposed: true, reward: 1 });
		expect(shown(clipped.events)).toEqual([
			["one", "no value: superseded", 1, 0.5],
			["two", "out of range", 0, 0.5],
		]);

		const open = await decide("closing", "listener");
		await happen(open.after(1, "play", "play"));
		const { body: before } = await get(open.path);
		expect(before).toMatchObject({
			exposed: false,
			reward: 0,
			learned: { closing: null },
		});
		expect(shown(before.events)).toEqual([["play", "not exposed"]]);

		await send(instance.url, "POST", "/v1/experiments/own/pause", {});
		const outside = await decide("own", "listener");
		await happen(outside.after(1, "play", "play"));
		const { body: paused } = await get(outside.path);
		expect(paused).toMatchObject({ group: "outside", exposed: false });
		expect(shown(paused.events)).toEqual([["play", "experiment stopped"]]);
	});

	test("is told beside the 404 of a decision that has not come; of one that was erased nothing is", async () => {
		const leaving = await decide("closing", "leaves");
		await happen(leaving.after(1, "play", "play"));
		const left = await send(instance.url, "DELETE", "/v1/units/leaves");
		expect(left.status).toBe(200);
		await happen(leaving.after(2, "again", "play"));
		const erased = await get(leaving.path);
		expect(erased.status).toBe(404);
		expect(erased.body).not.toHaveProperty("events");

		const now = Date.now();
		const waiting = {
			id: "waits",
			type: "play",
			unit: "listener",
			decisionId: idAt(now, 1),
			at: now,
		};
		await happen(waiting);
		await happen({ ...waiting, value: 3 });
		const unknown = await get(`/v1/decisions/${waiting.decisionId}`);
		expect(unknown).toMatchObject({
			status: 404,
			body: { type: "/docs/errors#unknown-decision" },
		});
		expect(unknown.body.events).toEqual([
			{
				...waiting,
				at: new Date(now).toISOString(),
				verdict: "unknown decision (waiting)",
				storedAt: expect.any(String),
			},
			{
				...waiting,
				value: 3,
				at: new Date(now).toISOString(),
				verdict: "conflict",
				storedAt: expect.any(String),
			},
		]);
		const old = { ...waiting, decisionId: idAt(Date.UTC(2020, 1), 1) };
		await happen(old);
		const { body: forgotten } = await get(`/v1/decisions/${old.decisionId}`);
		expect(shown(forgotten.events)).toEqual([["waits", "before horizon"]]);
	});

	test("is counted once for each delivery", async () => {
		const at = Date.now();
		await happen({ id: "s", type: "play", unit: "listener", at });
		await publish("segue.events.play", "{nonsense");

		const [own, closing, none] = (await ledgers()) as [Ledger, Ledger, Ledger];
		expect(own).toEqual({
			experiment: "own",
			deliveries: 3 + 19,
			decisions: { logged: 3 },
			events: {
				applied: 2,
				"out of range": 1,
				"no value": 6,
				retracted: 1,
				early: 1,
				late: 1,
				"wrong unit": 1,
				visit: 1,
				"experiment stopped": 1,
				duplicate: 1,
				conflict: 1,
				future: 1,
				malformed: 1,
			},
		});
		expect(closing).toMatchObject({
			decisions: { logged: 1 },
			events: { "not exposed": 1 },
		});
		expect(none).toMatchObject({
			decisions: { erased: 1 },
			events: {
				"unknown decision (waiting)": 1,
				conflict: 1,
				"before horizon": 1,
				signal: 1,
				erased: 2,
				malformed: 1,
			},
		});
		const counted = [own, closing, none].flatMap(({ decisions, events }) => [
			...Object.keys(decisions),
			...Object.keys(events),
		]);
		// What expires does so with its day of the log: test/e2e/retention.test.ts.
		expect(new Set([...counted, "unknown decision (expired)"])).toEqual(
			new Set<string>(VERDICTS),
		);
	});
});
