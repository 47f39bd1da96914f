import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LiveFeature } from "#core/experiment";
import { timeOfId, uuidAtTime } from "#core/log";
import { type LiveDecision, type LiveEvent, LiveWindows } from "./index.js";

const SEED = Number(process.env.SEED ?? 20_251_126);
const STREAMS = 1_000;
const T = 1_700_000_000_123;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const hashKey = Int32Array.of(1, 2, 3, 4);

const AGGREGATES = [
	{ aggregate: "count" },
	{ aggregate: "rate" },
	{ aggregate: "sum", of: "value" },
	{ aggregate: "mean", of: "value" },
	{ aggregate: "mean", of: "slot" },
	{ aggregate: "sum", of: "properties.depth" },
	{ aggregate: "last", of: "value" },
	{ aggregate: "timeSince" },
	{ aggregate: "distinct", of: "item" },
] as const;
const KEYS = [
	{ by: "unit" },
	{ by: "session" },
	{ by: "item", item: "track" },
	{ by: "arm", arm: "focus" },
	{ by: "experiment" },
] as const;
/** One of them no multiple of ten, one the shortest there may be. */
const WINDOWS = [30 * SECOND, 5 * MINUTE, 60 * MINUTE, 1_009];
const FEATURES: readonly LiveFeature[] = WINDOWS.flatMap((windowMs) =>
	AGGREGATES.flatMap((aggregate) =>
		KEYS.map((by) => ({ event: "skip", windowMs, ...aggregate, ...by })),
	),
);

/** An event as the stream has it. */
interface Stored {
	readonly event: LiveEvent;
	readonly storedAt: number;
	/** Null: nothing was heard of its decision. */
	readonly decided: LiveDecision | null;
}

type Numbers = "value" | "slot" | "properties.depth";
const nameOf = (...parts: readonly (string | undefined)[]) =>
	JSON.stringify(parts);

/** The longest window and its bucket. */
const REACH = 66 * MINUTE;

/** Whether the event's decision is known, and made within the longest window. */
function isYoung({ decided, storedAt }: Stored): boolean {
	return decided !== null && timeOfId(decided.id) > storedAt - REACH;
}

/** The stated rule, over all that was heard: no buckets, no memory, nothing forgotten. */
function recount(
	feature: LiveFeature,
	heard: readonly Stored[],
	gone: ReadonlySet<string>,
	ask: { unit: string; session?: string; item?: string },
	now: number,
): number | null {
	const keyOf: Record<LiveFeature["by"], (one: Stored) => boolean> = {
		unit: ({ event }) => event.unit === ask.unit,
		session: ({ event }) =>
			event.unit === ask.unit && event.session === ask.session,
		item: ({ event }) => event.item === ask.item,
		arm: (one) => isYoung(one) && one.decided?.arm === feature.arm,
		experiment: isYoung,
	};
	if (feature.by === "session" && ask.session === undefined) return null;
	if (feature.by === "item" && ask.item === undefined) return null;
	const known = new Set<string>();
	const all = heard
		.map((one) => ({ ...one, at: Math.min(one.event.at, one.storedAt) }))
		.filter(({ event }) => event.type === feature.event)
		// What was too old for every window when it came leaves no trace.
		.filter(({ at, storedAt }) => at > storedAt - REACH)
		.filter(({ event: { unit, decisionId, id } }) => {
			const name = nameOf(unit, decisionId, id);
			return known.has(name) ? false : known.add(name);
		})
		.filter(
			({ event: { unit, decisionId, id } }) =>
				!gone.has(nameOf(unit, decisionId, id)) ||
				feature.aggregate === "distinct",
		)
		.filter((one) => keyOf[feature.by](one))
		.map(({ event, at }) => ({ ...event, at }));
	const width = Math.floor(feature.windowMs / 10);
	const edge = width * Math.round((now - feature.windowMs) / width);
	const inside = all.filter(({ at }) => at >= edge);
	const exactly = all.filter(({ at }) => at > now - feature.windowMs);
	const numbers = (of: Numbers) =>
		inside.flatMap((event) =>
			of === "properties.depth"
				? ((event.properties?.depth as number | undefined) ?? [])
				: (event[of] ?? []),
		);
	const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
	const of = feature.of as Numbers;
	switch (feature.aggregate) {
		case "count":
			return inside.length;
		case "rate":
			return inside.length / (feature.windowMs / MINUTE);
		case "sum":
			return sum(numbers(of));
		case "mean":
			return numbers(of).length === 0
				? null
				: sum(numbers(of)) / numbers(of).length;
		case "last": {
			const [last] = exactly
				.filter(({ value }) => value !== undefined)
				.sort((a, b) => b.at - a.at || b.value! - a.value!);
			return last?.value ?? null;
		}
		case "timeSince": {
			const latest = Math.max(...exactly.map(({ at }) => at));
			const since = Math.max(0, now - latest);
			return Math.min(feature.windowMs, since) / SECOND;
		}
		case "distinct":
			return new Set(inside.flatMap(({ item }) => item ?? [])).size;
		default:
			throw new Error(`${feature.aggregate} is not recounted here.`);
	}
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
	fc.option(arbitrary, { nil: undefined, freq: 3 });

/** Clients whose clocks are off by minutes, whose events wait for minutes, and a broker that brings some of them again later. */
const stream = fc.record({
	skew: fc.array(fc.integer({ min: -4 * MINUTE, max: 4 * MINUTE }), {
		minLength: 2,
		maxLength: 2,
	}),
	steps: fc.array(
		fc.record({
			afterMs: fc.oneof(
				fc.integer({ min: 0, max: 300 }),
				fc.integer({ min: 0, max: 20 * SECOND }),
				fc.integer({ min: 0, max: 40 * MINUTE }),
			),
			delayMs: fc.oneof(
				fc.constant(0),
				fc.integer({ min: 0, max: 2 * SECOND }),
				fc.integer({ min: 0, max: 70 * MINUTE }),
			),
			again: fc.boolean(),
			who: fc.integer({ min: 0, max: 1 }),
			type: fc.constantFrom("skip", "skip", "skip", "play"),
			id: fc.integer({ min: 0, max: 60 }),
			value: maybe(fc.integer({ min: -8192, max: 8192 })),
			slot: maybe(fc.nat(20)),
			session: maybe(fc.constantFrom("s1", "s2")),
			item: maybe(fc.constantFrom("t1", "t2", "t3", "t4")),
			arm: maybe(fc.constantFrom("focus", "energy")),
			decidedMs: fc.constantFrom(0, 10 * MINUTE, 70 * MINUTE),
			told: fc.boolean(),
			depth: maybe(fc.integer({ min: -8192, max: 8192 })),
			retracts: maybe(fc.oneof(fc.constant(0), fc.nat(60))),
			read: fc.boolean(),
			laterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: MINUTE })),
		}),
		{ maxLength: 40 },
	),
});

/** What is heard in order, and when somebody reads. */
function play(
	{ skew, steps }: typeof stream extends fc.Arbitrary<infer T> ? T : never,
	decide: (decision: LiveDecision) => void,
	hear: (stored: Stored) => void,
	retract: (retract: LiveEvent) => void,
	read: (now: number) => void,
): void {
	let clock = T;
	const stored: Stored[] = [];
	const told = new Map<string, LiveDecision>();
	let retracts = 0;
	for (const step of steps) {
		clock += step.afterMs;
		const { value, slot, session, item, arm = "none" } = step;
		const id = `${uuidAtTime(clock - step.decidedMs).slice(0, 24)}${arm}-${step.id % 3}`;
		const decision = { id, experiment: "prompt", arm };
		if (step.told && arm !== "none") {
			told.set(id, decision);
			decide(decision);
		}
		const old = step.again ? stored[step.id % (stored.length + 1)] : undefined;
		const event = old?.event ?? {
			id: `e${step.id}`,
			type: step.type,
			unit: `u${step.who}`,
			at: clock - step.delayMs + skew[step.who]!,
			...(value !== undefined && { value: value / 4096 }),
			...(slot !== undefined && { slot }),
			...(step.depth !== undefined && {
				properties: { depth: step.depth / 4096, title: "none" },
			}),
			...(session !== undefined && { session }),
			...(item !== undefined && { item }),
			...(arm !== "none" && { decisionId: id }),
		};
		const decided = told.get(event.decisionId ?? "") ?? null;
		const one = { event, storedAt: clock, decided };
		stored.push(one);
		// Of this one, before it comes, or of any that came. No more than three, of which last and timeSince know what was before them.
		const takeBack = ({ unit, decisionId, id }: LiveEvent) => {
			// Nothing else can be taken back.
			if (decisionId === undefined) return;
			const said = { unit, decisionId, type: "retract", at: clock };
			retract({ ...said, id: `r${retracts++}`, retracts: id });
		};
		if (step.retracts === 0 && retracts < 3) takeBack(event);
		hear(one);
		const target = stored[(step.retracts ?? 0) % stored.length];
		if (step.retracts && target && retracts < 3) takeBack(target.event);
		if (step.read) read(clock + step.laterMs);
	}
	read(clock);
	read(clock + 30 * SECOND);
}

const ASKS = [
	{ unit: "u0", session: "s1", item: "t1" },
	{ unit: "u1", session: "s2", item: "t2" },
	{ unit: "u1" },
];

describe("live windows", () => {
	it(`are equal to a recount of all raw events in ${STREAMS} streams with disorder, repeats, retracts and clocks that are off (SEED=${SEED})`, () => {
		let turn = 0;
		/** All features in turn: all of them at each read would take minutes. */
		const next = (count: number) =>
			Array.from({ length: count }, () => FEATURES[turn++ % FEATURES.length]!);
		let reads = 0;
		let counted = 0;
		fc.assert(
			fc.property(stream, (one) => {
				const windows = new LiveWindows(FEATURES, { hashKey, mostKeys: 64 });
				const heard: Stored[] = [];
				const gone = new Set<string>();
				play(
					one,
					(decision) => windows.decide(decision),
					(stored) => {
						heard.push(stored);
						windows.hear(stored.event, stored.storedAt);
					},
					(retract) => {
						const { unit, decisionId, retracts } = retract;
						gone.add(nameOf(unit, decisionId, retracts));
						windows.hear(retract, retract.at);
					},
					(now) => {
						for (const feature of next(20))
							for (const ask of ASKS) {
								const found = windows.read(
									feature,
									{ ...ask, experiment: "prompt" },
									now,
								);
								const expected = recount(feature, heard, gone, ask, now);
								reads++;
								if (expected !== null && expected !== 0) counted++;
								if (found !== expected)
									expect.fail(
										`${JSON.stringify(feature)} for ${JSON.stringify(ask)} at ${now} is ${found}, not ${expected}`,
									);
							}
					},
				);
			}),
			{ seed: SEED, numRuns: STREAMS },
		);
		console.info(`${reads} reads, ${counted} of them of something`);
		expect(counted).toBeGreaterThan(10_000);
	}, 300_000);
});
