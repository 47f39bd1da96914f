import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
	MemoryRepeats,
} from "#adapters/memory";
import {
	type Definition,
	type Experiment,
	judge,
	stickySpanMs,
} from "#core/experiment";
import type { Event } from "#core/log";
import { SegueError } from "#usecases/errors";
import type { EventLog } from "#usecases/ingesting";
import {
	Decide,
	DecideBatch,
	type DecisionRequest,
	type DrawnDecision,
	NoteVisits,
	PosteriorCache,
	type RepeatableAsk,
	type Repeats,
} from "../src/index.js";
import { definition, experiment } from "./definitions.js";

const MORNING = Date.UTC(2025, 10, 24, 8);
const HOUR = 3_600_000;

/** Several deciders over one table of kept decisions; `obey` changes the definition for all. */
function fleet(change: Partial<Experiment> = {}) {
	const clock = new MemoryClock(MORNING);
	const stored = new Set<string>();
	const repeats = new MemoryRepeats(clock, (id) => stored.has(id));
	const traffic = { ...experiment.traffic, control: 0 };
	let current = definition({}, { traffic, ...change });
	const definitions = { get: () => current, all: () => [current] };
	const ids = new MemoryIds(clock);
	/** What deciders told of visits; null once the log takes nothing. */
	const told: { visits: Event[] | null } = { visits: [] };
	const visited: EventLog = {
		async events(events) {
			if (told.visits === null) throw new Error("the spool is full");
			told.visits.push(...events);
			return "stream";
		},
	};
	const decider = async (port: Repeats | null = repeats) => {
		const posteriors = new PosteriorCache(
			new MemoryPosteriorSource(),
			definitions,
			clock,
		);
		await posteriors.poll();
		const log = new MemoryDecisionLog();
		const live = new MemoryLive();
		const decide = new Decide(
			{
				definitions,
				posteriors,
				live,
				ids,
				log,
				...(port && { repeats: port }),
				visits: new NoteVisits(visited, 90),
			},
			1_000,
		);
		const ask = (request: Partial<DecisionRequest> = {}) =>
			decide.execute({
				experiment: experiment.key,
				unit: "listener-1",
				context: { hour: 8, device: "phone", activity: "work" },
				...request,
			}) as Promise<DrawnDecision>;
		return { decide, ask, log, live };
	};
	const obey = (
		fields: Partial<Definition>,
		experimentChange: Partial<Experiment> = {},
	) => {
		current = {
			...current,
			id: current.id + 1,
			...fields,
			experiment: { ...current.experiment, ...experimentChange },
		};
	};
	/** As if the learner had stored it. */
	const store = (id: string) => stored.add(id);
	return { clock, repeats, decider, obey, store, told };
}

async function refused(promise: Promise<unknown>): Promise<SegueError> {
	const error = await promise.then(
		() => null,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(SegueError);
	return error as SegueError;
}

/** Arms in a state, the others as they are. */
const armsIn = (state: "paused" | "retired", ...keys: string[]) => ({
	arms: experiment.arms.map((arm) =>
		keys.includes(arm.key) ? { ...arm, state } : arm,
	),
});
const others = (arm: string) =>
	["focus", "energy", "calm"].filter((key) => key !== arm);

describe("a request that carries an id", () => {
	it("is answered once and for all: twenty at once on two deciders get one decision, word for word", async () => {
		const { decider } = fleet();
		const deciders = [await decider(), await decider()] as const;
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) =>
				deciders[i % 2 === 0 ? 0 : 1].ask({ requestId: "r1" }),
			),
		);
		for (const answer of answers) expect(answer).toEqual(answers[0]);
		// Once by each decider at most: who finds it may have to publish it, but those who find it together do that together.
		for (const { log } of deciders)
			expect(log.rows.length).toBeLessThanOrEqual(1);
		const logged = deciders.flatMap(({ log }) => log.rows.map(({ id }) => id));
		expect(new Set(logged)).toEqual(new Set([answers[0]?.decisionId]));
	});

	it("is the same request after the listener has done something else", async () => {
		const { context } = experiment;
		const features = context.features.filter(({ name }) => name !== "taste");
		const { decider } = fleet({ context: { ...context, features } });
		const { ask, live } = await decider();
		const first = await ask({ requestId: "r1" });
		live.values.set("listener-1 skip 30000", 3);
		expect(await ask({ requestId: "r1" })).toEqual(first);
	});

	it("is another one for every id, and for every ask without one", async () => {
		const { decider } = fleet();
		const { ask, log } = await decider();
		for (const requestId of ["r1", "r2", undefined, undefined])
			await ask(requestId === undefined ? {} : { requestId });
		expect(new Set(log.rows.map(({ id }) => id)).size).toBe(4);
	});

	it("gets the decision that a decider kept and died before it published it; who finds it publishes it", async () => {
		const { decider } = fleet();
		const dying = await decider();
		dying.log.place = "full";
		expect((await refused(dying.ask({ requestId: "r1" }))).code).toBe(
			"overloaded",
		);
		const next = await decider();
		const answer = await next.ask({ requestId: "r1" });
		expect(next.log.rows.map(({ id }) => id)).toEqual([answer.decisionId]);
		expect(next.log.rows[0]).toMatchObject({
			requestId: "r1",
			arm: answer.arm,
		});
	});

	it("is logged again by no one once the database has it", async () => {
		const { decider, store } = fleet();
		const first = await (await decider()).ask({ requestId: "r1" });
		store(first.decisionId);
		const other = await decider();
		expect(await other.ask({ requestId: "r1" })).toEqual(first);
		expect(other.log.rows).toEqual([]);
	});

	it("is logged once by a decider that is asked again before the database has it", async () => {
		const { decider } = fleet();
		const { ask, log } = await decider();
		for (let i = 0; i < 5; i++) await ask({ requestId: "r1" });
		expect(log.rows).toHaveLength(1);
	});

	it.each<[string, Partial<DecisionRequest>]>([
		["another unit", { unit: "listener-2" }],
		["another context", { context: { hour: 9, device: "phone" } }],
		["a session more", { session: "s1" }],
		["fewer arms", { eligible: ["focus"] }],
		["an explanation", { explain: true }],
	])("with %s is refused under the same id", async (_, change) => {
		const { decider } = fleet();
		const { ask, log } = await decider();
		await ask({ requestId: "r1" });
		const error = await refused(ask({ requestId: "r1", ...change }));
		expect(error).toMatchObject({ code: "invalid", status: 422 });
		expect(error.problems.map(({ path }) => path)).toEqual(["requestId"]);
		expect(error.message).toContain('"r1"');
		expect(log.rows).toHaveLength(1);
	});

	it("is the same whatever the order of its keys and its trace", async () => {
		const { decider } = fleet();
		const { decide, ask } = await decider();
		const first = await ask({ requestId: "r1" });
		const again = await decide.execute(
			{
				requestId: "r1",
				context: { activity: "work", device: "phone", hour: 8 },
				unit: "listener-1",
				experiment: experiment.key,
			},
			"4bf92f3577b34da6a3ce929d0e0e4736",
		);
		expect(again).toEqual(first);
	});

	it("may use its id again after seven days", async () => {
		const { decider, clock } = fleet();
		const { ask } = await decider();
		const first = await ask({ requestId: "r1" });
		clock.advance(7 * 24 * HOUR - 1);
		expect((await ask({ requestId: "r1" })).decisionId).toBe(first.decisionId);
		clock.advance(1);
		const later = await ask({ requestId: "r1", unit: "listener-2" });
		expect(later.decisionId).not.toBe(first.decisionId);
	});

	it("gets its decision also after the arm was retired, or nothing can be decided for it any more", async () => {
		const { decider, obey } = fleet();
		const { ask } = await decider();
		const request = { requestId: "r1", eligible: ["calm"] };
		const first = await ask(request);
		obey({}, armsIn("retired", "calm"));
		expect(await ask(request)).toEqual(first);
		expect((await refused(ask({ eligible: ["calm"] }))).code).toBe(
			"no-eligible-arm",
		);
		const other = ask({ requestId: "r1", eligible: ["calm"], unit: "u2" });
		expect((await refused(other)).code).toBe("no-eligible-arm");
	});

	it("keeps its explanation", async () => {
		const { decider } = fleet();
		const { ask } = await decider();
		const request = { requestId: "r1", explain: true };
		const first = await ask(request);
		expect(first.explanation?.x).toBeDefined();
		expect(await ask(request)).toEqual(first);
	});

	it("gets a decision all the same where the database is away, which says so in the log too", async () => {
		const { decider, repeats } = fleet();
		repeats.away = true;
		const { ask, log } = await decider();
		const answers = [
			await ask({ requestId: "r1" }),
			await ask({ requestId: "r1" }),
		];
		for (const answer of answers) expect(answer.degraded).toEqual(["retry"]);
		expect(log.rows.map(({ degraded }) => degraded)).toEqual([
			["retry"],
			["retry"],
		]);
		expect((await ask()).degraded).toEqual([]);
	});

	it("says so where there is nowhere to keep it", async () => {
		const { decider } = fleet();
		const { ask } = await decider(null);
		expect((await ask({ requestId: "r1" })).degraded).toEqual(["retry"]);
		expect((await ask()).degraded).toEqual([]);
	});

	it("says so when the stream does not take it, each time", async () => {
		const { decider } = fleet();
		const { ask, log } = await decider();
		log.place = "spool";
		expect((await ask({ requestId: "r1" })).degraded).toEqual(["stream"]);
		const other = await decider();
		other.log.place = "spool";
		expect((await other.ask({ requestId: "r1" })).degraded).toEqual(["stream"]);
		const third = await decider();
		expect((await third.ask({ requestId: "r1" })).degraded).toEqual([]);
	});

	it("is answered alone where a batch asks twice", async () => {
		const { decider } = fleet();
		const { decide } = await decider();
		const request = {
			experiment: experiment.key,
			unit: "u",
			requestId: "r1",
		};
		const answers = await new DecideBatch(decide).execute({
			decisions: [request, request, { ...request, unit: "v" }],
		});
		expect(answers[1]).toEqual(answers[0]);
		expect(answers[2]).toMatchObject({ problem: { code: "invalid" } });
	});

	it("in mode best is answered anew each time and keeps nothing", async () => {
		const { decider } = fleet();
		const { ask, log } = await decider();
		await ask({ requestId: "r1", mode: "best" });
		expect(log.rows).toEqual([]);
		const drawn = await ask({ requestId: "r1" });
		expect(drawn.decisionId).toBeDefined();
	});
});

describe("an experiment that is sticky for a unit", () => {
	const sticky = { sticky: "unit" as const };

	it("answers a unit's later asks with its first decision, id included, whatever the context; nothing is drawn or logged", async () => {
		const { decider, store } = fleet(sticky);
		const first = await (await decider()).ask();
		store(first.decisionId);
		const other = await decider();
		const again = await other.ask({ context: { hour: 20, activity: "work" } });
		expect(again).toEqual({ ...first, repeated: true });
		expect(first).not.toHaveProperty("repeated");
		expect(other.log.rows).toEqual([]);
		const another = await other.ask({ unit: "listener-2" });
		expect(another.decisionId).not.toBe(first.decisionId);
	});

	it("tells of a unit that comes back once for each hour of the clock, and of none in the hour of its decision", async () => {
		const { clock, decider, told } = fleet(sticky);
		const [here, there] = [await decider(), await decider()];
		const first = await here.ask();
		clock.advance(59 * 60_000);
		await here.ask();
		expect(told.visits).toEqual([]);
		clock.advance(3 * HOUR);
		for (let i = 0; i < 5; i++) await here.ask();
		const hour = Math.floor(MORNING / HOUR) + 3;
		const visit = {
			id: `_visit:${hour}`,
			type: "_visit",
			at: hour * HOUR,
			unit: "listener-1",
			decisionId: first.decisionId,
		};
		expect(told.visits).toEqual([visit]);
		// Another decider does not know; the same event twice is one.
		await there.ask({ requestId: "r1" });
		expect(told.visits).toEqual([visit, visit]);
		clock.advance(HOUR);
		await here.ask();
		expect(told.visits?.at(-1)?.id).toBe(`_visit:${hour + 1}`);
	});

	it.each([0, 1])(
		"tells of no visit while a guardrail holds, when policy units have decisions that count nowhere: control %d",
		async (control) => {
			const { clock, decider, told, obey } = fleet({
				...sticky,
				traffic: { ...experiment.traffic, control },
			});
			const { ask } = await decider();
			await ask();
			obey({ held: true });
			for (let i = 0; i < 3; i++) {
				clock.advance(24 * HOUR);
				await ask();
			}
			expect(told.visits).toEqual([]);
			obey({ held: false });
			clock.advance(HOUR);
			await ask();
			expect(told.visits).toHaveLength(1);
		},
	);

	it("tells of no visit later than anyone asks for, and of none where the next decision tells", async () => {
		const { clock, decider, told, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		clock.advance(28 * 24 * HOUR);
		expect((await ask()).decisionId).toBe(first.decisionId);
		obey({ state: "stopped" });
		await ask();
		expect(told.visits).toEqual([]);
		const sessions = fleet({ sticky: "session" });
		const other = await sessions.decider();
		await other.ask({ session: "s" });
		sessions.clock.advance(3 * HOUR);
		expect((await other.ask({ session: "s" })).repeated).toBe(true);
		expect(sessions.told.visits).toEqual([]);
	});

	it("answers all the same where a visit is not taken, and tells of it with the next ask", async () => {
		const { clock, decider, told } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		clock.advance(5 * HOUR);
		told.visits = null;
		expect(await ask()).toEqual({ ...first, repeated: true });
		told.visits = [];
		await ask();
		await ask();
		expect(told.visits).toHaveLength(1);
	});

	it("publishes the decision that a decider kept and died before it published it", async () => {
		const { decider } = fleet(sticky);
		const dying = await decider();
		dying.log.place = "full";
		expect((await refused(dying.ask())).code).toBe("overloaded");
		const next = await decider();
		const answer = await next.ask();
		expect(answer.repeated).toBe(true);
		expect(next.log.rows.map(({ id }) => id)).toEqual([answer.decisionId]);
	});

	it("answers the payload that the arm has now", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		const arms = experiment.arms.map((arm) => ({ ...arm, payload: { v: 2 } }));
		obey({}, { arms });
		expect(await ask()).toEqual({
			...first,
			payload: { v: 2 },
			repeated: true,
		});
	});

	it.each([
		[
			"retired",
			(arm: string) => ({ obeyed: armsIn("retired", arm), request: {} }),
		],
		[
			"paused",
			(arm: string) => ({ obeyed: armsIn("paused", arm), request: {} }),
		],
		[
			"removed",
			(arm: string) => ({
				obeyed: { arms: experiment.arms.filter(({ key }) => key !== arm) },
				request: {},
			}),
		],
		[
			"not requested",
			(arm: string) => ({ obeyed: {}, request: { eligible: others(arm) } }),
		],
	])(
		"draws anew where the arm is %s, and that one sticks",
		async (_, change) => {
			const { decider, obey } = fleet(sticky);
			const { ask, log } = await decider();
			const first = await ask();
			const { obeyed, request } = change(first.arm);
			obey({}, obeyed);
			const second = await ask(request);
			expect(second.arm).not.toBe(first.arm);
			expect(second).not.toHaveProperty("repeated");
			expect(log.rows).toHaveLength(2);
			expect(await ask()).toEqual({ ...second, repeated: true });
		},
	);

	it.each([
		["does not hold in the new context", { hour: 8, activity: "sleep" }],
		["meets a value that is missing now", { hour: 8, device: "phone" }],
	])(
		"draws anew where the arm's own rule %s; once the rule holds again, the newer decision stands",
		async (_, context) => {
			const { decider } = fleet(sticky);
			const [here, there] = [await decider(), await decider()];
			const first = await here.ask({ eligible: ["energy"] });
			expect(first.arm).toBe("energy");
			expect(await here.ask()).toEqual({ ...first, repeated: true });

			const second = await here.ask({ context });
			expect(second).not.toHaveProperty("repeated");
			expect(second.decisionId).not.toBe(first.decisionId);
			expect(["focus", "calm"]).toContain(second.arm);
			expect(second.propensity).toBe(1 / 2);
			expect(here.log.rows.map(({ id }) => id)).toEqual([
				first.decisionId,
				second.decisionId,
			]);
			expect(here.log.rows[1]?.excluded).toHaveProperty("energy");

			const stands = { ...second, repeated: true };
			expect(await here.ask({ context })).toEqual(stands);
			// The rule of energy holds here, and that is no way back to the first decision.
			for (let i = 0; i < 5; i++) expect(await here.ask()).toEqual(stands);
			expect(await there.ask()).toEqual(stands);
			expect(here.log.rows).toHaveLength(2);
		},
	);

	it("has one window, that of the decision: what comes of a repeated answer after it is late", async () => {
		const { clock, decider } = fleet(sticky);
		const { ask, log } = await decider();
		const first = await ask();
		const { reward } = experiment;
		const played = async (id: string) => {
			const { decisionId, repeated } = await ask();
			expect({ decisionId, repeated }).toEqual({
				decisionId: first.decisionId,
				repeated: true,
			});
			const at = clock.now();
			return { id, type: "play", at, unit: "listener-1", decisionId };
		};
		clock.advance(reward.windowMs);
		const inTime = await played("in time");
		clock.advance(1);
		const after = await played("after");
		expect(log.rows).toHaveLength(1);
		const [row] = log.rows.filter(({ id }) => id === after.decisionId);
		if (row === undefined) throw new Error("The decision is not logged.");
		const { verdicts, reward: earned } = judge(reward, row, [inTime, after]);
		expect(Object.fromEntries(verdicts)).toEqual({
			"in time": { verdict: "applied" },
			after: { verdict: "late" },
		});
		expect(earned).toBe(1);
	});

	it("draws over the eligible arms alone: propensities are theirs", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask, log } = await decider();
		const first = await ask();
		obey({}, armsIn("retired", first.arm));
		const second = await ask();
		expect(second.propensity).toBe(1 / 2);
		expect([...(log.rows[1]?.propensities ?? [])]).toEqual([1 / 2, 1 / 2]);
		expect(log.rows[1]?.excluded).toMatchObject({ [first.arm]: "retired" });
	});

	it("of twenty asks at once on two deciders after the arm was retired, all get one new decision", async () => {
		const { decider, obey } = fleet(sticky);
		const deciders = [await decider(), await decider()] as const;
		const first = await deciders[0].ask();
		obey({}, armsIn("retired", first.arm));
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) => deciders[i % 2 === 0 ? 0 : 1].ask()),
		);
		const ids = new Set(answers.map(({ decisionId }) => decisionId));
		expect(ids.size).toBe(1);
		expect(ids.has(first.decisionId)).toBe(false);
		expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
	});

	it("stands for 90 days", async () => {
		const { decider, clock } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		clock.advance(stickySpanMs("unit") - 1);
		expect((await ask()).decisionId).toBe(first.decisionId);
		clock.advance(1);
		expect((await ask()).decisionId).not.toBe(first.decisionId);
	});

	it("draws anew under another version or epoch and from the start of an analysis on, not in another run of it", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		obey({ run: 2 });
		expect((await ask()).decisionId).toBe(first.decisionId);
		obey({ epoch: 2 });
		const second = await ask();
		expect(second).not.toHaveProperty("repeated");
		obey({ run: 3, bookedRun: 3 });
		const third = await ask();
		expect(third).not.toHaveProperty("repeated");
		expect((await ask()).decisionId).toBe(third.decisionId);
		obey({ version: 2 });
		expect(await ask()).toMatchObject({ version: 2 });
		expect((await ask()).repeated).toBe(true);
	});

	it("draws anew for policy units when a guardrail begins to hold them, and goes on with what stood before once resumed", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		obey({ held: true });
		const held = await ask();
		expect(held).toMatchObject({ group: "policy", degraded: ["guardrail"] });
		expect(held).not.toHaveProperty("repeated");
		expect(await ask()).toEqual({ ...held, repeated: true });
		obey({ held: false, run: 2 });
		expect((await ask()).decisionId).toBe(first.decisionId);
		obey({ held: true });
		expect((await ask()).decisionId).not.toBe(held.decisionId);
	});

	it("keeps a control unit's decision, whatever a guardrail holds", async () => {
		const { decider, obey } = fleet({
			...sticky,
			traffic: { ...experiment.traffic, control: 1 },
		});
		const { ask } = await decider();
		const first = await ask();
		obey({ held: true });
		expect(await ask()).toEqual({ ...first, repeated: true });
	});

	it("does not stick outside its traffic or while it does not run, and goes on afterwards", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		obey({ state: "paused" });
		const paused = [await ask(), await ask()];
		expect(paused[0]?.decisionId).not.toBe(paused[1]?.decisionId);
		expect(paused[0]).toMatchObject({ group: "outside", degraded: ["paused"] });
		obey({ state: "running" });
		expect((await ask()).decisionId).toBe(first.decisionId);
		obey({}, { traffic: { ...experiment.traffic, share: 0 } });
		expect(await ask()).toMatchObject({ group: "outside", degraded: [] });
	});

	it("answers control units like the others", async () => {
		const { decider } = fleet({
			...sticky,
			traffic: { ...experiment.traffic, control: 1 },
		});
		const { ask } = await decider();
		const first = await ask();
		expect(first.group).toBe("control");
		expect(await ask()).toEqual({ ...first, repeated: true });
	});

	it("leaves the explanation of a decision out where it is repeated", async () => {
		const { decider } = fleet(sticky);
		const { ask } = await decider();
		expect((await ask({ explain: true })).explanation).toBeDefined();
		expect((await ask({ explain: true })).explanation).toBeUndefined();
	});

	it("is not asked in mode best", async () => {
		const { decider } = fleet(sticky);
		const { ask, log } = await decider();
		await ask({ mode: "best" });
		expect(log.rows).toEqual([]);
		expect(await ask()).not.toHaveProperty("repeated");
	});

	it("draws each time where the database is away, and says so", async () => {
		const { decider, repeats } = fleet(sticky);
		repeats.away = true;
		const { ask, log } = await decider();
		expect((await ask()).degraded).toEqual(["sticky"]);
		expect((await ask()).decisionId).toBe(log.rows[1]?.id);
		expect(log.rows[0]?.degraded).toEqual(["sticky"]);
	});

	it("gives a retry the decision of its first try, and every other ask the one that stands", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask();
		const named = await ask({ requestId: "r1" });
		expect(named).toEqual({ ...first, repeated: true });
		obey({}, armsIn("retired", first.arm));
		expect(await ask({ requestId: "r1" })).toEqual(named);
		const other = await ask({ requestId: "r2" });
		expect(other.decisionId).not.toBe(first.decisionId);
		expect((await ask()).decisionId).toBe(other.decisionId);
	});

	it("leaves nothing standing for a unit whose request was refused, or answered by what its requestId names", async () => {
		const { decider, obey } = fleet(sticky);
		const { ask, log } = await decider();
		const first = await ask({ requestId: "r1" });
		await refused(ask({ unit: "listener-2", requestId: "r1" }));
		expect(await ask({ unit: "listener-2" })).not.toHaveProperty("repeated");
		obey({}, armsIn("retired", first.arm));
		expect(await ask({ requestId: "r1" })).toEqual(first);
		const next = await ask();
		expect(next).not.toHaveProperty("repeated");
		const ids = log.rows.map(({ id }) => id);
		expect(ids).toContain(next.decisionId);
		expect(new Set(ids).size).toBe(3);
	});

	it("names both where neither can be told", async () => {
		const { decider, repeats } = fleet(sticky);
		repeats.away = true;
		const { ask, log } = await decider();
		expect((await ask({ requestId: "r1" })).degraded).toEqual([
			"sticky",
			"retry",
		]);
		expect(log.rows[0]?.degraded).toEqual(["sticky", "retry"]);
	});
});

describe("an experiment that is sticky for a session", () => {
	const sticky = { sticky: "session" as const };

	it("answers one decision in a session of a unit, another one in the next and for another unit", async () => {
		const { decider } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask({ session: "s1" });
		expect(await ask({ session: "s1" })).toEqual({ ...first, repeated: true });
		for (const next of [
			{ session: "s2" },
			{ session: "s1", unit: "listener-2" },
			{ session: "1", unit: "listener-1\u00a0s" },
		])
			expect(await ask(next)).not.toHaveProperty("repeated");
	});

	it("stands for a day", async () => {
		const { decider, clock } = fleet(sticky);
		const { ask } = await decider();
		const first = await ask({ session: "s1" });
		clock.advance(24 * HOUR - 1);
		expect((await ask({ session: "s1" })).decisionId).toBe(first.decisionId);
		clock.advance(1);
		expect(await ask({ session: "s1" })).not.toHaveProperty("repeated");
	});

	it("draws each time where a request names no session, and says so", async () => {
		const { decider } = fleet(sticky);
		const { ask, log } = await decider();
		const answers = [await ask(), await ask()];
		for (const answer of answers) expect(answer.degraded).toEqual(["sticky"]);
		expect(log.rows).toHaveLength(2);
	});
});

describe("an experiment that is not sticky", () => {
	it("does not look for what was decided before, unless a request carries an id", async () => {
		const asked: RepeatableAsk[] = [];
		const { decider, repeats } = fleet();
		const { ask } = await decider({
			keep: (one) => {
				asked.push(one);
				return repeats.keep(one);
			},
		});
		await ask({ session: "s1" });
		expect(asked).toEqual([]);
		await ask({ session: "s1", requestId: "r1" });
		expect(asked).toMatchObject([{ request: { key: "r1" }, sticky: null }]);
	});
});
