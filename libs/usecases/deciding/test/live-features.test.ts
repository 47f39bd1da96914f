import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryEventTail,
	MemoryIds,
	MemoryPastSums,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import { isLive, type JsonValue, liveFeatures } from "#core/experiment";
import { ItemVectors, LiveWindows } from "#core/live";
import {
	type DecisionRow,
	type Event,
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import {
	aDefinition,
	anExperiment,
} from "../../../../test/support/builders.js";
import { seededRandom } from "../../../../test/support/random.js";
import {
	Decide,
	type DrawnDecision,
	LiveWindowsFeed,
	PosteriorCache,
	RederiveDecision,
} from "../src/index.js";

const SEED = Number(process.env.SEED ?? 20_251_126);
const NOW = Date.UTC(2025, 10, 24, 8);
const publisher = { boot: "019b0000-0000-7000-8000-000000000000", sequence: 1 };

const live = { from: "live", kind: "number", window: "5m", event: "skip" };
const current = aDefinition(
	anExperiment({
		key: "prompt",
		arms: [{ key: "focus" }, { key: "energy" }],
		context: {
			features: [
				{ name: "track", from: "request", kind: "attribute" },
				{ ...live, name: "skips" },
				{ ...live, name: "skips30s", window: "30s" },
				{ ...live, name: "rate", aggregate: "rate" },
				{ ...live, name: "sum", aggregate: "sum" },
				{ ...live, name: "mean", aggregate: "mean" },
				{
					...live,
					name: "depth",
					aggregate: "mean",
					of: "properties.depth",
				},
				{ ...live, name: "last", aggregate: "last" },
				{
					name: "mood",
					from: "live",
					kind: "vector",
					length: 2,
					event: "skip",
					window: "5m",
				},
				{ ...live, name: "since", aggregate: "timeSince", scale: 60 },
				{ ...live, name: "tracks", aggregate: "distinct" },
				{ ...live, name: "ofSession", by: "session" },
				{ ...live, name: "ofTrack", by: "item", item: "track" },
				{ ...live, name: "ofFocus", by: "arm", arm: "focus" },
				{ ...live, name: "ofAll", by: "experiment" },
			],
		},
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	}),
);
const { key, context } = current.experiment;

function vectorsUnder(hashKey: Int32Array) {
	const vectors = new ItemVectors(hashKey, 2);
	for (let i = 0; i < 5; i++) vectors.set(`t${i}`, [i / 8, 1 - i]);
	return { hashKey, vectors };
}

/** A decider of its own clock and log, over a stream. */
async function decider(stream: MemoryEventTail, at = NOW) {
	const clock = new MemoryClock(at);
	const source = new MemoryPosteriorSource();
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	await posteriors.poll();
	const log = new MemoryDecisionLog();
	const feed = new LiveWindowsFeed(
		stream,
		clock,
		(features) =>
			new LiveWindows(features, {
				...vectorsUnder(Int32Array.of(1, 2, 3, at % 1_000)),
				mostKeys: 100,
			}),
	);
	await feed.prepare(current);
	feed.start();
	await breath();
	stream.catchUp();
	await breath();
	const ids = new MemoryIds(clock);
	const decide = new Decide(
		{ definitions, posteriors, live: feed, ids, log },
		100,
	);
	const ask = (more: object = {}) =>
		decide.execute({
			experiment: key,
			unit: "u1",
			session: "s1",
			context: { track: "t1" },
			...more,
		}) as Promise<DrawnDecision>;
	const again = (row: DecisionRow) =>
		new RederiveDecision(
			{ byIds: async () => [current] },
			new MemoryPastSums(source),
			null,
		).execute(row);
	const pass = async (ms: number) => {
		clock.advance(ms);
		await posteriors.poll();
	};
	return { clock, log, feed, ask, again, pass };
}

const breath = () => new Promise((resolve) => setImmediate(resolve));

function publish(
	stream: MemoryEventTail,
	event: Omit<Event, "type" | "unit"> & Partial<Event>,
	storedAt = event.at,
): void {
	const whole = { type: "skip", unit: "u1", ...event };
	const body = encodeEvent(whole);
	stream.publish({ subject: eventSubject(whole.type), body, storedAt });
}

describe("a decision with live features", () => {
	it("sees what just happened, by every aggregate and key, logs it, and comes out again", async () => {
		const stream = new MemoryEventTail();
		const { pass, log, feed, ask, again } = await decider(stream);
		const { decisionId, arm } = await ask();
		const [first] = log.rows;
		stream.publish({
			subject: LOG_SUBJECT,
			body: encodeDecisions([first!], publisher),
			storedAt: NOW,
		});
		const said = { session: "s1", item: "t1" };
		publish(stream, { id: "e0", at: NOW, ...said, value: 5, decisionId });
		publish(stream, {
			id: "e1",
			at: NOW,
			...said,
			value: 2,
			properties: { depth: 0.5 },
			decisionId,
		});
		publish(stream, {
			id: "r0",
			type: "retract",
			at: NOW,
			decisionId,
			retracts: "e0",
		});
		publish(stream, { id: "e2", at: NOW + 30_000, ...said, value: 3 });
		publish(stream, { id: "e3", at: NOW + 60_000, item: "t2" });
		await pass(75_000);
		const { degraded, missing } = await ask();
		expect({ degraded, missing }).toEqual({ degraded: [], missing: [] });
		const [, row] = log.rows;
		expect(row?.context).toEqual({
			track: "t1",
			skips: 3,
			skips30s: 1,
			rate: 0.6,
			sum: 5,
			mean: 2.5,
			depth: 0.5,
			last: 3,
			mood: [0.125, 0],
			since: 15,
			tracks: 2,
			ofSession: 2,
			ofTrack: 2,
			ofFocus: arm === "focus" ? 1 : 0,
			ofAll: 1,
		});
		for (const one of log.rows)
			expect((await again(one)).rederived).toMatchObject({
				equal: true,
				differences: [],
			});
		await feed.stop();
	});

	it("names what there is no value of as missing: no number yet, no session, no item", async () => {
		const { feed, ask, again, log } = await decider(new MemoryEventTail());
		const { missing, degraded } = await ask({
			session: undefined,
			context: {},
		});
		expect(missing).toEqual([
			"track",
			"mean",
			"depth",
			"last",
			"mood",
			"ofSession",
			"ofTrack",
		]);
		expect(degraded).toEqual([]);
		const [row] = log.rows;
		expect((await again(row!)).rederived.equal).toBe(true);
		await feed.stop();
	});

	it("goes on without them while the stream is away, and says so", async () => {
		const stream = new MemoryEventTail();
		const { feed, ask, log } = await decider(stream);
		stream.connected = false;
		const { degraded, missing } = await ask();
		expect(degraded).toEqual(["live"]);
		expect(missing).toHaveLength(14);
		expect(log.rows[0]?.context).toEqual({ track: "t1" });
		await feed.stop();
	});

	it(`has the x that the stored log gives, and another decider, one that started later too (SEED=${SEED})`, async () => {
		const random = seededRandom(SEED);
		const some = (most: number) => Math.floor(random() * most);
		const stream = new MemoryEventTail();
		const sent: Event[] = [];
		const stored: { event: Event; storedAt: number }[] = [];
		const one = await decider(stream, NOW);
		const two = await decider(stream, NOW);
		const windows = new LiveWindows(liveFeatures(context), {
			...vectorsUnder(Int32Array.of(9, 9, 9, 9)),
			mostKeys: 100,
		});
		const encoder = compileEncoder(context);
		for (let i = 0; i < 300; i++) {
			const now = one.clock.now();
			const made = {
				id: `e${i}`,
				type: "skip",
				unit: `u${some(2)}`,
				at: now + (some(4) - 2) * some(120_000),
				value: some(100) / 4,
				...(random() < 0.5 && { item: `t${some(5)}`, session: "s1" }),
				...(random() < 0.5 && { properties: { depth: random() } }),
				...(random() < 0.5 && { decisionId: one.log.rows.at(-1)?.id }),
			};
			// One in five is a copy of one that came before; one in eight takes one back that named a decision.
			const retracted = sent[some(8 * sent.length)];
			const event =
				retracted?.decisionId === undefined
					? (sent[some(5 * sent.length)] ?? made)
					: {
							id: `r${i}`,
							type: "retract",
							at: now,
							unit: retracted.unit,
							decisionId: retracted.decisionId,
							retracts: retracted.id,
						};
			sent.push(event);
			publish(stream, event, now);
			stored.push({ event, storedAt: now });
			const step = some(10) === 0 ? 60_000 : some(4_000);
			one.clock.advance(step);
			two.clock.advance(step);
			if (i % 10 > 0) continue;
			await one.ask();
			const row = one.log.rows.at(-1)!;
			// Offline: the log's events up to the decision, in the order in which they were stored.
			for (const item of stored.splice(0))
				windows.hear(item.event, item.storedAt);
			expect(offline(windows, encoder, row)).toEqual([...row.x]);
			await two.ask();
			expect([...two.log.rows.at(-1)!.x]).toEqual([...row.x]);
			const late = await decider(stream, one.clock.now());
			await late.ask();
			expect([...late.log.rows[0]!.x]).toEqual([...row.x]);
			await late.feed.stop();
			const body = encodeDecisions([row], publisher);
			stream.publish({
				subject: LOG_SUBJECT,
				body,
				storedAt: one.clock.now(),
			});
			windows.decide(row);
		}
		expect(one.log.rows.length).toBe(30);
		await one.feed.stop();
		await two.feed.stop();
	});
});

/** x of a logged decision, from its request features and windows over the stored events. */
function offline(
	windows: LiveWindows,
	encoder: ReturnType<typeof compileEncoder>,
	{ unit, session, context: logged, decidedAt }: DecisionRow,
): number[] {
	const values: { [name: string]: JsonValue } = { track: logged.track! };
	const ask = { unit, session: session ?? undefined, experiment: key };
	for (const feature of context.features) {
		if (!isLive(feature)) continue;
		const item = feature.live.item === undefined ? undefined : "t1";
		const value = windows.read(feature.live, { ...ask, item }, decidedAt);
		if (value !== null && value !== undefined) values[feature.name] = value;
	}
	return [...encoder.encode(values).x];
}
