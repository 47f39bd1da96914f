import fc from "fast-check";
import { expect, test } from "vitest";
import { unitKeyOf } from "#core/booking";
import type { Definition } from "#core/experiment";
import { type DecisionRow, type Event, uuidAtTime } from "#core/log";
import { BUILT_IN } from "#core/metrics";
import type { ScoreSums } from "#core/statistics";
import {
	aDecision,
	aDefinition,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { BookDecisions } from "../src/index.js";
import { type Fate, MemoryBookingLog } from "./memory-booking-log.js";
import {
	plainDegraded,
	plainHours,
	plainScores,
	plainSums,
} from "./plain-recount.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 4, 1);
const KEY = "booked";

const likes = {
	name: "likes",
	event: "like",
	per: "unit",
	count: "each",
	cap: 2,
};
const experimentOf = {
	key: KEY,
	arms: [{ key: "a" }, { key: "b" }, { key: "c" }],
	context: {
		features: [
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "tv"],
			},
			{ name: "loyalty", from: "profile", kind: "number" },
		],
	},
	policy: { kind: "linucb" },
	reward: {
		window: "30m",
		range: [0, 1],
		outcomes: [
			{ type: "play", value: 0.5 },
			{ type: "save", value: 1 },
			{ type: "skip", value: -0.25, within: "30s" },
		],
	},
	segments: ["device"],
	covariate: "loyalty",
	metrics: {
		define: [likes],
	},
};
const experiment = anExperiment(experimentOf);
const standing = anExperiment({ ...experimentOf, sticky: "unit" });
const shares = { ...likes, name: "shares", event: "share" };
const withShares = anExperiment({
	...experimentOf,
	metrics: { define: [likes, shares] },
});
const definitions: readonly Definition[] = [
	aDefinition(experiment, { id: 1, epoch: 1 }),
	aDefinition(experiment, { id: 2, epoch: 2 }),
	// Paused, given another metric and started again, then stopped and started again.
	aDefinition(withShares, { id: 3, epoch: 2, run: 2 }),
	aDefinition(experiment, { id: 4, epoch: 2, run: 3, bookedRun: 3 }),
	// From then on a decision stands for its listener.
	aDefinition(standing, { id: 5, epoch: 4, run: 3, bookedRun: 3 }),
];

const TYPES = [
	"play",
	"save",
	"skip",
	"like",
	"share",
	"click",
	"complete",
	"premium",
	"purchase",
	"impression",
	"_visit",
];

/** What a listener did: a decision, and events that come with it, later, or are taken back. */
const happening = fc.record({
	atMs: fc.integer({ min: 0, max: 40 * DAY }),
	unit: fc.integer({ min: 0, max: 5 }),
	definition: fc.constantFrom<number>(0, 1, 2, 3, 4, 4, 4),
	arm: fc.integer({ min: 0, max: 2 }),
	group: fc.constantFrom("policy", "policy", "control", "outside"),
	session: fc.constantFrom(null, "s", "t"),
	device: fc.constantFrom(undefined, "phone", "tv", "radio"),
	loyalty: fc.option(fc.integer({ min: -8, max: 8 }), { nil: undefined }),
	guarded: fc.boolean(),
	p: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
	mean: fc.integer({ min: -4096, max: 8192 }),
	/** How long after it was made it is stored, in steps of the history. */
	late: fc.constantFrom(0, 0, 0, 3, 8),
	events: fc.array(
		fc.record({
			type: fc.constantFrom(...TYPES),
			afterMs: fc.oneof(
				fc.integer({ min: -6 * 60_000, max: 35 * 60_000 }),
				fc.integer({ min: 0, max: 4 * HOUR }),
				fc.integer({ min: 0, max: 30 * DAY }),
			),
			value: fc.option(fc.integer({ min: -20, max: 20 }), { nil: undefined }),
			late: fc.constantFrom(0, 0, 1, 6),
			retracted: fc.constantFrom(null, null, 0, 5),
			own: fc.constantFrom(true, true, true, false),
		}),
		{ maxLength: 4 },
	),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function rowOf(
	one: Happening,
	i: number,
): { row: DecisionRow; definition: Definition } {
	const definition = definitions[one.definition] as Definition;
	const arms = experiment.arms.map(({ key }) => key);
	const propensities = Float64Array.from([0, 1, 2], (k) =>
		k === one.arm ? one.p : (1 - one.p) / 2,
	);
	return {
		definition,
		row: aDecision(definition, {
			id: idAt(START + one.atMs, i),
			arm: arms[one.arm] as string,
			unit: `unit-${one.unit}`,
			group: one.group as DecisionRow["group"],
			session: one.session,
			context: {
				...(one.device !== undefined && { device: one.device }),
				...(one.loyalty !== undefined && { loyalty: one.loyalty }),
			},
			degraded: [
				...(one.guarded && one.atMs % 7 === 0 ? ["guardrail"] : []),
				...(one.atMs % 3 === 0 ? ["profile"] : []),
			],
			propensities,
			means: Float64Array.from([0, 1, 2], (k) => (one.mean + k) / 4096),
		}),
	};
}

interface Batch {
	readonly decisions: { row: DecisionRow; definition: Definition }[];
	readonly events: Event[];
}

/** The history as batches: most things come in the order of their times, some later. */
function batchesOf(happenings: readonly Happening[]): readonly Batch[] {
	const batches: Batch[] = [];
	const at = (i: number): Batch => {
		while (batches.length <= i) batches.push({ decisions: [], events: [] });
		return batches[i] as Batch;
	};
	[...happenings]
		.sort((a, b) => a.atMs - b.atMs)
		.forEach((one, i) => {
			const decision = rowOf(one, i);
			at(i + one.late).decisions.push(decision);
			one.events.forEach((event, k) => {
				const id = `e${k}`;
				const of = {
					unit: event.own ? decision.row.unit : "another",
					decisionId: decision.row.id,
					at: decision.row.decidedAt + event.afterMs,
				};
				at(i + event.late).events.push({
					...of,
					id,
					type: event.type,
					...(event.value !== undefined && { value: event.value }),
				});
				if (event.retracted !== null)
					at(i + event.retracted).events.push({
						...of,
						id: `r${k}`,
						type: "retract",
						retracts: id,
					});
			});
		});
	return batches;
}

const act = fc.oneof(
	{ weight: 6, arbitrary: fc.constant("learn" as const) },
	{ weight: 3, arbitrary: fc.constant("book" as const) },
	{ weight: 1, arbitrary: fc.integer({ min: 0, max: 5 }) },
);
const fates = fc.array(
	fc.constantFrom<Fate>(
		"stores",
		"stores",
		"stores",
		"dies before",
		"dies after",
		"loses the race",
	),
	{ maxLength: 30 },
);

/** What becomes of the experiment, whatever its decisions say. */
const turn = fc.record({
	at: fc.integer({ min: -1, max: 40 * 24 }).map((hour) => START + hour * HOUR),
	epoch: fc.constantFrom(null, "1 1 1", "1 1 2", "1 3 2", "1 3 4"),
});

async function book(
	log: MemoryBookingLog,
	clock: number,
	pageSize: number,
): Promise<void> {
	for (let tries = 0; tries < 40; tries++) {
		try {
			await new BookDecisions(log, () => false, pageSize).execute(clock);
			if (log.fates.length === 0) return;
		} catch {
			// Killed: the next one goes on.
		}
	}
}

function expectRecounted(log: MemoryBookingLog): void {
	const { state } = log;
	if (state === null) return;
	const booked = log.booked();
	const plain = plainSums(
		booked,
		state.closings,
		(epoch, unit) => {
			const [version, run, number] = epoch.split(" ").map(Number) as [
				number,
				number,
				number,
			];
			return log.storedUnits.get(
				unitKeyOf({ version, run, epoch: number, unit }),
			)?.id as number;
		},
		(run) => log.storedRuns.get(run)?.metrics,
	);
	const trimmed = (list: readonly bigint[]) => {
		const copy = [...list];
		while (copy.at(-1) === 0n) copy.pop();
		return copy;
	};
	const comparable = (
		sums: ReadonlyMap<
			string,
			{ units: bigint | number; moments: bigint[]; covariate: bigint[] }
		>,
	) =>
		Object.fromEntries(
			[...sums]
				.map(
					([key, { units, moments, covariate }]) =>
						[
							key,
							{
								units: Number(units),
								moments: trimmed(moments),
								covariate: trimmed(covariate),
							},
						] as const,
				)
				.sort(([a], [b]) => (a < b ? -1 : 1)),
		);
	expect(comparable(log.sums)).toEqual(comparable(plain));
	expect(new Map([...log.hours].sort())).toEqual(
		new Map([...plainHours(booked)].sort()),
	);
	expect(new Map([...log.degraded].sort())).toEqual(
		new Map([...plainDegraded(booked)].sort()),
	);
	expect(log.decisionsBooked).toBe(booked.length);
}

/** Weights as they were kept, or from nothing where no booked decision went or changed. */
function expectScored(log: MemoryBookingLog, weights: "kept" | "anew"): void {
	const inScores = log.booked().filter(({ row }) => !log.unbooked.has(row.id));
	const plain = plainScores(
		inScores,
		weights === "kept" ? (one) => log.blockOf(one)?.weights ?? new Map() : null,
	);
	const stored = new Map(
		[...log.storedRuns.values()].flatMap(({ version, run, scores }) =>
			[...scores.arms].map(
				([arm, sums]) => [`${version} ${run} ${arm}`, sums] as const,
			),
		),
	);
	for (const [key, sums] of stored)
		for (const name of Object.keys(sums) as (keyof ScoreSums)[]) {
			const want = plain.get(key)?.[name] ?? 0;
			expect(Math.abs(sums[name] - want), `${key} ${name}`).toBeLessThanOrEqual(
				1e-9 * Math.max(1, Math.abs(want)),
			);
		}
}

/** A plain decision, to be varied. */
const onePlain: Happening = {
	atMs: 0,
	unit: 0,
	definition: 0,
	arm: 0,
	group: "policy",
	session: null,
	device: undefined,
	loyalty: undefined,
	guarded: false,
	p: 0.5,
	mean: 0,
	late: 0,
	events: [],
};

test("in any order of arrival, with late rows, retracts, kills and erasures, the counts are those of a recount, bit for bit", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(happening, { minLength: 1, maxLength: 25 }),
			fc.array(act, { maxLength: 60 }),
			fates,
			fc.integer({ min: 1, max: 6 }),
			fc.array(turn, { maxLength: 6 }),
			fc.constantFrom(0, 0, 0, START + 3 * DAY),
			fc.constantFrom(0, 0, START + 5 * DAY),
			async (
				happenings,
				acts,
				fate,
				pageSize,
				turns,
				visitsSince,
				holdsSince,
			) => {
				const log = new MemoryBookingLog(KEY, START - DAY);
				log.visitsSince = uuidAtTime(visitsSince);
				log.holdsSince = holdsSince / HOUR;
				log.fates = [...fate];
				log.turns = [...turns].sort((a, b) => a.at - b.at);
				const batches = [...batchesOf(happenings)];
				let clock = START;
				const learn = () => {
					const batch = batches.shift();
					if (batch === undefined) return;
					log.learn(batch.decisions, batch.events);
					for (const { row } of batch.decisions)
						clock = Math.max(clock, row.decidedAt + 40 * 60_000);
				};
				for (const one of acts) {
					if (one === "learn") learn();
					else if (one === "book") {
						await book(log, clock, pageSize);
						expectRecounted(log);
						expectScored(log, "kept");
					} else log.erase(`unit-${one}`);
				}
				while (batches.length > 0) learn();
				await book(log, clock + DAY, pageSize);
				expectRecounted(log);
				await book(log, clock + 60 * DAY, pageSize);
				expectRecounted(log);
				expectScored(log, "kept");
				expect(log.booked().length).toBe(log.decisions.size);
			},
		),
		{ numRuns: process.env.SEGUE_LONG ? 1_000 : 30 },
	);
}, 600_000);

test("a correction that looks at all of a unit's decisions leaves its scores in other runs alone", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const one: Happening = { ...onePlain, definition: 3, session: "t" };
	const inLaterRun = rowOf(one, 2);
	const play = {
		id: "e",
		type: "play",
		unit: "unit-0",
		decisionId: inLaterRun.row.id,
	};
	log.learn([inLaterRun], [{ ...play, at: START + 1_000 }]);
	await book(log, START + HOUR, 5);
	const scored = () => log.storedRuns.get("1 3")?.scores.arms.get("a")?.rows;
	expect(scored()).toBe(1);
	log.learn([rowOf({ ...one, definition: 0 }, 1)], []);
	await book(log, START + HOUR, 5);
	expect(scored()).toBe(1);
	expectRecounted(log);
});

/** A decision of one listener of the policy, of whom nothing else is known. */
const plainOne: Happening = { ...onePlain, atMs: 1, definition: 1 };
const decisions = (log: MemoryBookingLog, ...all: Happening[]) =>
	log.learn(
		all.map((one, i) => rowOf(one, i)),
		[],
	);

test("where a new version's window is shorter, no decision that waited for the longer one is passed over", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const windowed = (window: string, version: number) =>
		aDefinition(
			anExperiment({
				...experimentOf,
				reward: { ...experimentOf.reward, window },
			}),
			{ id: version, version },
		);
	const [long, short] = [windowed("60m", 1), windowed("1m", 2)];
	const booking = new BookDecisions(log, () => false, 50);
	const minutes = 180;
	for (let minute = 0; minute < minutes; minute++) {
		const at = START + minute * 60_000;
		const definition = minute < 60 ? long : short;
		const id = idAt(at, minute);
		log.learn(
			[{ definition, row: aDecision(definition, { id, arm: "a" }) }],
			[],
		);
		await booking.execute(at);
	}
	await booking.execute(START + DAY);
	expect(log.decisionsBooked).toBe(minutes);
	expect(log.booked()).toHaveLength(minutes);
});

test("an experiment that cannot be booked holds up no other, and is told of", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	log.behind = async () => ["broken", KEY];
	const claim = log.claim.bind(log);
	let claims = 0;
	log.claim = async () => {
		claims += 1;
		if (claims === 1) throw new Error("its definition is not read");
		return claim();
	};
	decisions(log, plainOne);
	const failed: string[] = [];
	const booked = await new BookDecisions(log).execute(
		START + DAY,
		(experiment, error) => failed.push(`${experiment}: ${error}`),
	);
	expect(booked).toBe(1);
	expect(failed).toEqual(["broken: Error: its definition is not read"]);
});

test("a metric by listener that is defined while the run goes on has those who came since, and an erasure takes out what it put in", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const defining = (id: number, ...define: object[]) =>
		aDefinition(anExperiment({ ...experimentOf, metrics: { define } }), { id });
	const [before, after] = [
		defining(1, likes),
		// Whatever order they are written in.
		defining(2, shares, likes),
	];
	let made = 0;
	const come = (definition: Definition, hour: number, units: number) => {
		for (let unit = 0; unit < units; unit++) {
			made += 1;
			const id = idAt(START + hour * HOUR + made, made);
			const row = aDecision(definition, { id, arm: "a", unit: `unit-${unit}` });
			const share = anEvent(row, "share", { at: row.decidedAt + 1_000 });
			log.learn([{ definition, row }], [share]);
		}
	};
	const last = () => {
		const { moments = [] } = log.sums.get("1 1 1 policy all") ?? {};
		return moments.slice(6 * BUILT_IN.length + 6).map(Number);
	};
	come(before, 0, 20);
	await book(log, START + 2 * HOUR, 7);
	expect(last()).toEqual([]);
	// Half of them come back, and two others.
	come(after, 3, 10);
	come(after, 4, 22);
	await book(log, START + 6 * HOUR, 7);
	const each = 4096 * 2;
	expect(last().slice(0, 4)).toEqual([22, 22, 10 * each + 12 * 4096, 22]);
	expectRecounted(log);
	come(before, 5, 21);
	await book(log, START + 8 * HOUR, 7);
	expect(last().slice(0, 4)).toEqual([22, 22, 10 * each + 12 * 4096, 22]);
	expectRecounted(log);
	for (const unit of ["unit-0", "unit-15", "unit-21"]) log.erase(unit);
	await book(log, START + 8 * HOUR, 7);
	expect(last().slice(0, 4)).toEqual([19, 19, 9 * each + 10 * 4096, 19]);
	expectRecounted(log);
});

test("a listener who comes before a pause and after it is one unit, and one who comes after a stop another", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const at = (hours: number, definition: number) => ({
		...plainOne,
		atMs: hours * HOUR + 1,
		definition,
	});
	decisions(log, at(0, 1), at(2, 1), at(9, 2), at(30, 3));
	await book(log, START + 2 * DAY, 5);
	const units = (key: string) => log.sums.get(`${key} policy all`)?.units;
	expect([units("1 1 2"), units("1 2 2"), units("1 3 2")]).toEqual([
		1,
		undefined,
		1,
	]);
	const impressions = log.sums.get("1 1 2 policy all")?.moments.slice(6, 12);
	// Of one unit with three decisions, none of them shown.
	expect(impressions).toEqual([1n, 3n, 0n, 9n, 0n, 0n]);
	expectRecounted(log);
});

test("a listener whom a new split moves to the other group counts in each epoch under the group that it had there, and in both of none", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	decisions(
		log,
		{ ...plainOne, definition: 0, group: "policy", atMs: 1 },
		{ ...plainOne, definition: 1, group: "control", atMs: 2 * HOUR },
	);
	await book(log, START + DAY, 5);
	const units = (name: string) => Number(log.sums.get(name)?.units ?? 0n);
	expect(
		[
			"1 1 1 policy all",
			"1 1 1 control all",
			"1 1 2 policy all",
			"1 1 2 control all",
			"1 1 1 policy first",
			"1 1 2 control first",
			"1 1 1 policy both",
			"1 1 2 policy both",
		].map(units),
	).toEqual([1, 0, 0, 1, 1, 1, 0, 0]);
	expectRecounted(log);
});

test("of whom the experiment ended too early nobody knows whether they would have come back; of others it is known", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const come = (unit: number, hours: number, definition = 1) => ({
		...plainOne,
		unit,
		atMs: hours * HOUR + 1,
		definition,
	});
	const cameBackIn = (days: 1 | 7) => {
		const column = 6 * (days === 1 ? 9 : 10);
		const [units = 0n, , came = 0n] =
			log.sums.get("1 1 2 policy all")?.moments.slice(column, column + 3) ?? [];
		return [Number(units), Number(came) / 4096];
	};
	const turn = (hours: number, epoch: string | null) => ({
		at: START + hours * HOUR,
		epoch,
	});
	log.turns = [turn(0, "1 1 2"), turn(30, null)];
	// The first has a day and comes back, the second a day, the third but hours.
	decisions(log, come(0, 1), come(1, 2), come(0, 5), come(2, 20));
	await book(log, START + 40 * DAY, 5);
	expect(cameBackIn(1)).toEqual([2, 1]);
	expect(cameBackIn(7)).toEqual([0, 0]);
	expectRecounted(log);
	log.learn([rowOf(come(2, 23), 9)], []);
	await book(log, START + 40 * DAY, 5);
	expect(cameBackIn(1)).toEqual([2, 1]);
	expectRecounted(log);
});

/** Units whose days are over, and how many of them came back within so many days, of a slice of the policy's. */
function backIn(log: MemoryBookingLog, days: 1 | 7 | 28, slice = "all") {
	const column = 6 * (days === 1 ? 9 : days === 7 ? 10 : 11);
	const { moments = [] } = log.sums.get(`1 3 4 policy ${slice}`) ?? {};
	const [units = 0n, , came = 0n] = moments.slice(column, column + 3);
	return [Number(units), Number(came) / 4096];
}

/** Of a decision that stands, so many hours after it. */
const happened = (row: DecisionRow, type: string, hours: number) =>
	anEvent(row, type, { at: row.decidedAt + hours * HOUR });

test("where a decision stands, who is back on the third day only came back within 7 days and 28, once those are over, and not within one", async () => {
	for (const type of ["_visit", "play"]) {
		const log = new MemoryBookingLog(KEY, START - DAY);
		const stood = [0, 1].map((unit) =>
			rowOf({ ...plainOne, unit, definition: 4 }, unit),
		);
		log.learn(stood, [happened((stood[0] as (typeof stood)[0]).row, type, 60)]);
		const over = (days: number) => book(log, START + days * DAY + HOUR, 5);
		await over(0.9);
		expect([backIn(log, 1), backIn(log, 7)]).toEqual([
			[0, 0],
			[0, 0],
		]);
		await over(2);
		expect([backIn(log, 1), backIn(log, 7)]).toEqual([
			[2, 0],
			[0, 0],
		]);
		await over(8);
		expect([backIn(log, 7), backIn(log, 28)]).toEqual([
			[2, 1],
			[0, 0],
		]);
		await over(29);
		expect([1, 7, 28].map((days) => backIn(log, days as 1))).toEqual([
			[2, 0],
			[2, 1],
			[2, 1],
		]);
		expect(backIn(log, 28, "arm:a")).toEqual([2, 1]);
		expectRecounted(log);
	}
});

test("a visit that is learned after its cohort closed is counted, one that is taken back is not, and who is erased is neither", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const stood = [0, 1, 2].map((unit) =>
		rowOf({ ...plainOne, unit, definition: 4 }, unit),
	);
	const [one, two, three] = stood.map(({ row }) => row) as [
		DecisionRow,
		DecisionRow,
		DecisionRow,
	];
	const play = happened(two, "play", 50);
	log.learn(stood, [play, happened(three, "_visit", 50)]);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7)).toEqual([3, 2]);
	log.learn([], [happened(one, "_visit", 30)]);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7)).toEqual([3, 3]);
	// Days after the window in which rewards are taken back.
	log.learn([], [{ ...happened(two, "retract", 90), retracts: play.id }]);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7)).toEqual([3, 2]);
	expectRecounted(log);
	log.erase(one.unit);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7)).toEqual([2, 1]);
	expectRecounted(log);
});

test("whose arm was ruled out later came back to the arm that stood first, so that none is judged by those alone who stayed away", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const come = (unit: number, arm: number, hours: number) => ({
		...plainOne,
		unit,
		arm,
		definition: 4,
		atMs: hours * HOUR + 1,
	});
	decisions(log, come(0, 0, 0), come(1, 0, 0), come(0, 1, 40));
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7, "arm:a")).toEqual([2, 1]);
	expect(backIn(log, 7, "arm:b")).toEqual([0, 0]);
	expectRecounted(log);
	// What was decided first comes last.
	log.learn([rowOf(come(0, 2, -2), 9)], []);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7, "arm:a")).toEqual([1, 0]);
	expect(backIn(log, 7, "arm:c")).toEqual([1, 1]);
	expectRecounted(log);
});

test("of listeners from before visits were told nobody knows whether they came back", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	log.visitsSince = uuidAtTime(START + HOUR);
	const come = (unit: number, hours: number) =>
		rowOf({ ...plainOne, unit, definition: 4, atMs: hours * HOUR + 1 }, unit);
	const [early, late] = [come(0, 0), come(1, 2)];
	log.learn(
		[early, late],
		[happened(early.row, "play", 30), happened(late.row, "play", 30)],
	);
	await book(log, START + 30 * DAY, 5);
	expect(backIn(log, 7)).toEqual([1, 1]);
	expectRecounted(log);
});

test("nobody is back by what was done in an hour that a guardrail held in, since policy's decisions stand for nobody then", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const ran = { at: START, epoch: "1 3 4" };
	log.turns = [
		ran,
		{ at: START + 30.5 * HOUR, epoch: null },
		{ ...ran, at: START + 40 * HOUR },
	];
	const hours = [29, 30, 35, 39, 40];
	const stood = hours.map((_, unit) =>
		rowOf({ ...plainOne, unit, definition: 4, group: "control" }, unit),
	);
	log.learn(
		stood,
		stood.map(({ row }, i) => happened(row, "play", hours[i] as number)),
	);
	const back = () => {
		const { moments = [] } = log.sums.get("1 3 4 control all") ?? {};
		return [Number(moments[60]), Number(moments[62]) / 4096];
	};
	await book(log, START + 30 * DAY, 5);
	expect(back()).toEqual([5, 2]);
	expectRecounted(log);
	// Those who count before the hold is known as one stay as they were.
	const older = new MemoryBookingLog(KEY, START - DAY);
	older.turns = log.turns;
	older.holdsSince = Math.floor(START / HOUR) + 36;
	older.learn(
		stood,
		stood.map(({ row }, i) => happened(row, "play", hours[i] as number)),
	);
	await book(older, START + 30 * DAY, 5);
	const { moments = [] } = older.sums.get("1 3 4 control all") ?? {};
	expect(Number(moments[62]) / 4096).toBe(4);
	expectRecounted(older);
});

test("a pause costs only the cohorts whose time ends in it", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const ran = { at: START, epoch: "1 1 2" };
	log.turns = [
		ran,
		{ at: START + 20 * HOUR, epoch: null },
		{ ...ran, at: START + 30 * HOUR },
		{ at: START + 9 * DAY, epoch: "1 1 3" },
	];
	const come = (unit: number, hours: number) => ({
		...plainOne,
		unit,
		atMs: hours * HOUR + 1,
	});
	decisions(log, come(0, 1), come(1, 10), come(2, 40), come(3, 80));
	await book(log, START + 40 * DAY, 5);
	const moments = log.sums.get("1 1 2 policy all")?.moments;
	const of = (metric: number) => Number(moments?.[6 * metric]);
	// The first's day is over in the pause; the last's week in the next epoch.
	expect([of(9), of(10), of(11)]).toEqual([3, 3, 0]);
	expectRecounted(log);
});

test("a first decision that comes late takes the unit's first week to earlier days", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const one: Happening = { ...onePlain, atMs: 2 * DAY };
	log.learn([rowOf(one, 1), rowOf({ ...one, atMs: 8 * DAY }, 2)], []);
	await book(log, START + 20 * DAY, 5);
	const inWeek = () => log.sums.get("1 1 1 policy week1")?.moments[6 + 1];
	expect(inWeek()).toBe(2n);
	log.learn([rowOf({ ...one, atMs: 0 }, 3)], []);
	await book(log, START + 20 * DAY, 5);
	expect(inWeek()).toBe(2n);
	expectRecounted(log);
	log.learn([rowOf({ ...one, atMs: 7 * DAY + HOUR }, 4)], []);
	await book(log, START + 20 * DAY, 5);
	expect(inWeek()).toBe(2n);
	expectRecounted(log);
});

test("where nothing comes late, every score is booked once in the order of ids, and a recount from nothing agrees", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(happening, { minLength: 1, maxLength: 60 }),
			fates,
			fc.integer({ min: 1, max: 9 }),
			async (happenings, fate, pageSize) => {
				const log = new MemoryBookingLog(KEY, START - DAY);
				log.fates = [...fate];
				const all = batchesOf(happenings);
				log.learn(
					all.flatMap(({ decisions }) => decisions),
					all.flatMap(({ events }) => events),
				);
				await book(log, START + 50 * DAY, pageSize);
				expect(log.unbooked.size).toBe(0);
				expectScored(log, "anew");
				const inScores = log
					.booked()
					.filter(
						({ row }) =>
							row.group !== "outside" && !row.degraded.includes("guardrail"),
					);
				const rows = [...log.storedRuns.values()].reduce(
					(sum, { scores }) =>
						sum + scores.sides.policy.rows + scores.sides.control.rows,
					0,
				);
				expect(rows).toBeLessThanOrEqual(inScores.length);
			},
		),
		{ numRuns: process.env.SEGUE_LONG ? 500 : 20 },
	);
}, 300_000);

test("it claims once for many steps, and anew where one was not stored", async () => {
	const log = new MemoryBookingLog(KEY, START - DAY);
	const one = onePlain;
	const rows = Array.from({ length: 12 }, (_, i) =>
		rowOf({ ...one, atMs: i * 1_000 }, i),
	);
	log.learn(rows, []);
	let claims = 0;
	const claim = log.claim.bind(log);
	log.claim = () => {
		claims += 1;
		return claim();
	};
	await book(log, START + HOUR, 2);
	expect(log.decisionsBooked).toBe(12);
	expect(claims).toBe(1);
	log.learn([rowOf({ ...one, atMs: 20_000 }, 20)], []);
	log.fates = ["stores", "loses the race"];
	claims = 0;
	await new BookDecisions(log, () => false, 2).execute(START + HOUR);
	expect(log.decisionsBooked).toBe(13);
	expect(claims).toBe(2);
	expectRecounted(log);
});
