import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LiveFeature } from "#core/experiment";
import { uuidAtTime } from "#core/log";
import {
	ItemVectors,
	type LiveEvent,
	LiveWindows,
	MOST_VECTOR_NUMBERS,
} from "./index.js";

const SEED = Number(process.env.SEED ?? 20_261_126);
const T = 1_700_000_000_000;
const MINUTE = 60_000;
const hashKey = Int32Array.of(1, 2, 3, 4);
const mood: LiveFeature = {
	event: "play",
	windowMs: 10 * MINUTE,
	aggregate: "meanVector",
	by: "session",
	length: 2,
};
const ask = { unit: "u1", session: "s1", experiment: "prompt" };
const decisionId = uuidAtTime(T - 1);

const TRACKS: Readonly<Record<string, readonly [number, number]>> = {
	t1: [1, 0],
	t2: [-0.5, 0.25],
	t3: [0.125, 3],
	t4: [0.1, -7.9],
};
const catalogue = new ItemVectors(hashKey, 2);
for (const [item, vector] of Object.entries(TRACKS))
	catalogue.set(item, vector);

let serial = 0;
const play = (
	item: string | undefined,
	at = T,
	more: object = {},
): LiveEvent => ({
	id: `e${++serial}`,
	type: "play",
	unit: "u1",
	session: "s1",
	at,
	decisionId,
	...(item !== undefined && { item }),
	...more,
});
const back = ({ unit, id }: LiveEvent): LiveEvent => {
	const retract = { id: `r-${id}`, type: "retract", at: T, unit, decisionId };
	return { ...retract, retracts: id };
};

function readAfter(
	events: readonly LiveEvent[],
	{ feature = mood, now = T, vectors = catalogue as ItemVectors | null } = {},
) {
	const windows = new LiveWindows([feature], {
		hashKey,
		mostKeys: 10,
		vectors,
	});
	for (const event of events) windows.hear(event, T);
	return windows.read(feature, ask, now);
}

const onGrid = (value: number) => Math.round(4096 * value) / 4096;

/** The mean of the vectors of what was played in the window: the latest 64 of it. */
function recount(events: readonly LiveEvent[], gone: ReadonlySet<string>) {
	const latest = [...new Map(events.map((event) => [event.id, event])).values()]
		.filter(({ id }) => !gone.has(id))
		.filter(({ session, item }) => session === "s1" && item !== undefined)
		.sort((a, b) => b.at - a.at)
		.slice(0, 64)
		.filter(({ at }) => at > T - mood.windowMs)
		.flatMap(({ item }) => (TRACKS[item!] ? [TRACKS[item!]!] : []));
	if (latest.length === 0) return null;
	return [0, 1].map((i) =>
		onGrid(
			latest.reduce((sum, one) => sum + onGrid(one[i]!), 0) / latest.length,
		),
	);
}

describe("a session embedding", () => {
	it("is the mean of the vectors of the tracks that the session played", () => {
		expect(readAfter([play("t1"), play("t2"), play("t2")])).toEqual([
			0,
			onGrid(1 / 6),
		]);
	});

	it("leaves out other sessions, tracks without a vector, and plays of no track or before the window", () => {
		expect(
			readAfter([
				play("t1"),
				play("t2", T, { session: "s2" }),
				play("t2", T, { unit: "u2" }),
				play("unknown"),
				play(undefined),
				play("t3", T - 10 * MINUTE),
			]),
		).toEqual([1, 0]);
	});

	it("of a session that played nothing known, without a catalogue, or with one of another length has no value", () => {
		expect(readAfter([play("unknown")])).toBeNull();
		expect(readAfter([play("t1")], { vectors: null })).toBeNull();
		const feature = { ...mood, length: 3 };
		expect(readAfter([play("t1")], { feature })).toBeNull();
	});

	it("may be the unit's", () => {
		const feature = { ...mood, by: "unit" as const };
		const events = [play("t1"), play("t1", T, { session: "s2" })];
		expect(readAfter(events, { feature })).toEqual([1, 0]);
	});

	it(`equals a recount of the raw plays, whatever their order, repeated and taken back (SEED=${SEED})`, () => {
		const plays = fc.array(
			fc.record({
				item: fc.constantFrom("t1", "t2", "t3", "t4", "unknown", undefined),
				session: fc.constantFrom("s1", "s1", "s1", "s2"),
				ago: fc.nat(12 * MINUTE),
				fate: fc.constantFrom("stays", "stays", "twice", "goes", "went"),
			}),
			{ maxLength: 60 },
		);
		fc.assert(
			fc.property(plays, (steps) => {
				const gone = new Set<string>();
				const events = steps.map(({ item, ago, session }) =>
					play(item, T - ago, { session }),
				);
				const sent = events.flatMap((event, i) => {
					const { fate } = steps[i]!;
					if (fate === "goes" || fate === "went") gone.add(event.id);
					if (fate === "went") return [back(event), event];
					if (fate === "goes") return [event, back(event)];
					return fate === "twice" ? [event, event] : [event];
				});
				expect(readAfter(sent)).toEqual(recount(events, gone));
			}),
			{ seed: SEED, numRuns: 300 },
		);
	});

	it("knows the latest 64 plays, the same ones in every order, also of one instant", () => {
		for (let instants = 20; instants < 40; instants++) {
			const events = Array.from({ length: 200 }, (_, i) =>
				play(`t${1 + ((i * i) % 4)}`, T - (i % instants) * 1_000),
			);
			const expected = readAfter(events);
			for (const order of [
				[...events].reverse(),
				[...events].sort((a, b) => b.at - a.at),
				[...events].reverse().sort((a, b) => b.at - a.at),
			])
				expect(readAfter(order)).toEqual(expected);
		}
		const apart = Array.from({ length: 200 }, (_, i) =>
			play(`t${1 + (i % 4)}`, T - ((i * 77) % 200) * 1_000),
		);
		expect(readAfter(apart)).toEqual(recount(apart, new Set()));
	});
});

describe("a catalogue of vectors", () => {
	it("clips and rounds numbers as coordinates are", () => {
		const vectors = new ItemVectors(hashKey, 2);
		vectors.set("t", [100, 0.3]);
		expect(readAfter([play("t")], { vectors })).toEqual([8, onGrid(0.3)]);
	});

	it("is bounded", () => {
		const length = MOST_VECTOR_NUMBERS + 1;
		const vectors = new ItemVectors(hashKey, length);
		expect(() => vectors.set("t", new Array(length))).toThrow(
			/at most 16777216 numbers/,
		);
	});
});
