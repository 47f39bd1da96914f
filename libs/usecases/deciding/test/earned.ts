import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryEventTail,
	MemoryIds,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { LiveWindows } from "#core/live";
import { type Event, encodeEvent, eventSubject } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import {
	aDefinition,
	anExperiment,
} from "../../../../test/support/builders.js";
import {
	type BucketSums,
	Decide,
	LiveWindowsFeed,
	PosteriorCache,
} from "../src/index.js";
import { ARMS, type Moment, type Moments } from "./moments.js";

const NOW = Date.UTC(2026, 0, 5, 7);
const STEP_MS = 50;
/** Decisions between two refreshes of the posterior: what was decided 2.5 s ago is known. */
const BATCH = 50;

const live = { from: "live", kind: "number", window: "5m" };
const SIGNALS = [
	{ ...live, name: "skips30s", event: "skip", window: "30s", scale: 3 },
	{ ...live, name: "skips5m", event: "skip", scale: 3 },
	{ ...live, name: "saves5m", event: "save", scale: 2 },
	{ ...live, name: "searches5m", event: "search", scale: 2 },
	{
		...live,
		name: "dwell5m",
		event: "dwell",
		aggregate: "mean",
		mean: 3,
		scale: 3,
	},
	{
		...live,
		name: "sinceSkip",
		event: "skip",
		aggregate: "timeSince",
		mean: 150,
		scale: 150,
	},
];

function definitionOf(features: readonly object[]) {
	return aDefinition(
		anExperiment({
			key: "moments",
			arms: ARMS.map((key) => ({ key })),
			context: {
				features: [
					{
						name: "activity",
						from: "request",
						kind: "category",
						levels: ["work", "run", "home"],
					},
					...features,
				],
			},
			policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.05 },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		}),
	);
}

export const withSignals = definitionOf(SIGNALS);
export const withoutSignals = definitionOf([]);

/** What each decision earned in expectation, over the draw and over the listener: Σ propensity · mean. */
export async function earned(
	moments: Moments,
	definition: typeof withSignals,
	decisions: number,
): Promise<Float64Array> {
	const segue = await start(definition);
	const values = new Float64Array(decisions);
	for (let t = 0; t < decisions; t++) {
		const moment = moments.next(segue.clock.now());
		const { propensities } = await segue.decide(moment);
		values[t] = propensities.reduce(
			(sum, p, arm) => sum + p * moment.means[arm]!,
			0,
		);
		segue.clock.advance(STEP_MS);
		if (t % BATCH === BATCH - 1) await segue.learn();
	}
	await segue.stop();
	return values;
}

/** A decider of the real parts, a stream, a log and sums in memory. */
async function start(definition: typeof withSignals) {
	const clock = new MemoryClock(NOW);
	const stream = new MemoryEventTail();
	const source = new MemoryPosteriorSource();
	const definitions = { get: () => definition, all: () => [definition] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const feed = new LiveWindowsFeed(
		stream,
		clock,
		(features) =>
			new LiveWindows(features, { hashKey: Int32Array.of(1, 2, 3, 4) }),
	);
	await feed.prepare(definition);
	feed.start();
	await breath();
	stream.catchUp();
	await breath();
	await posteriors.poll();
	const log = new MemoryDecisionLog();
	const decide = new Decide(
		{ definitions, posteriors, live: feed, ids: new MemoryIds(clock), log },
		100,
	);
	const { experiment, version, bucketMs } = definition;
	let learned: BucketSums[] = [];
	return {
		clock,
		async decide(moment: Moment) {
			for (const event of moment.events) publish(stream, event, clock.now());
			const answer = await decide.execute({
				experiment: experiment.key,
				unit: moment.unit,
				context: { activity: moment.activity },
			});
			const row = log.rows.pop()!;
			if (row.degraded.length > 0 || row.missing.length > 0)
				throw new Error(`${row.degraded} ${row.missing}`);
			const { skips30s = moment.skips, dwell5m = moment.dwell } = row.context;
			if (skips30s !== moment.skips || dwell5m !== moment.dwell)
				throw new Error(`${JSON.stringify(row.context)} is not what happened.`);
			const sums = emptySums(row.x.length);
			const plays = moment.plays[ARMS.indexOf(answer.arm as "focus")];
			addObservation(sums, row.x.length, row.x, 1, plays ? 1 : 0);
			const bucket = Math.floor(row.decidedAt / bucketMs);
			learned.push({ arm: answer.arm, bucket, sums });
			return row;
		},
		/** Commits what came since, and the decider hears of it. */
		async learn() {
			source.learn(experiment.key, version, learned);
			learned = [];
			await posteriors.refresh(experiment.key);
		},
		stop: () => feed.stop(),
	};
}

function publish(stream: MemoryEventTail, event: Event, storedAt: number) {
	const body = encodeEvent(event);
	stream.publish({ subject: eventSubject(event.type), body, storedAt });
}

const breath = () => new Promise((resolve) => setImmediate(resolve));
