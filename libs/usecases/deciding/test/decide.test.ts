import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
	MemoryRepeats,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type { Definition, Traffic } from "#core/experiment";
import {
	decodeMessage,
	encodeDecisions,
	LOG_SUBJECT,
	timeOfId,
} from "#core/log";
import {
	addObservation,
	distribution,
	draw,
	emptySums,
	uniformFrom,
} from "#core/policy";
import { SegueError } from "#usecases/errors";
import {
	Decide,
	type DecidePorts,
	type DecisionRequest,
	type DrawnDecision,
	PosteriorCache,
} from "../src/index.js";
import { D, definition, experiment } from "./definitions.js";

const MORNING = Date.UTC(2025, 10, 24, 8);

/** A decider over memory, obeying one definition. */
function decider(current: Definition, more: Partial<DecidePorts> = {}) {
	const clock = new MemoryClock(MORNING);
	const source = new MemoryPosteriorSource();
	const definitions = {
		get: (key: string) =>
			key === current.experiment.key ? current : undefined,
		all: () => [current],
	};
	const posteriors = new PosteriorCache(source, definitions, clock);
	const log = new MemoryDecisionLog();
	const live = new MemoryLive();
	const ids = new MemoryIds(clock);
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live,
			ids,
			log,
			repeats: new MemoryRepeats(clock),
			...more,
		},
		100,
	);
	const ask = (request: Partial<DecisionRequest> = {}) =>
		decide.execute({
			experiment: experiment.key,
			unit: "listener-1",
			context: { hour: 8, device: "phone", activity: "work" },
			...request,
		}) as Promise<DrawnDecision>;
	return { clock, source, posteriors, log, live, decide, ask };
}

async function ready(current: Definition) {
	const room = decider(current);
	await room.posteriors.poll();
	return room;
}

async function refused(promise: Promise<unknown>): Promise<SegueError> {
	const error = await promise.then(
		() => null,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(SegueError);
	return error as SegueError;
}

const traffic = (change: Partial<Traffic>) => ({
	traffic: { ...experiment.traffic, ...change },
});
const onlyPolicy = traffic({ control: 0 });
const onlyControl = traffic({ control: 1 });
const units = Array.from({ length: 400 }, (_, i) => `listener-${i}`);

describe("a decision", () => {
	it("answers with the arm, its payload, group, propensity and revision, and logs everything it was made of", async () => {
		const room = await ready(definition({}, onlyPolicy));
		room.live.values.set("listener-1 skip 30000", 3);
		const answer = await room.ask({ session: "s1", requestId: "r1" });
		expect(answer).toMatchObject({
			experiment: "morning-prompt",
			version: 1,
			group: "policy",
			revision: 0,
			missing: ["taste", "loyalty"],
			ignored: [],
			degraded: [],
		});
		const arm = experiment.arms.find(({ key }) => key === answer.arm);
		expect(answer.payload).toEqual(arm?.payload);
		expect(room.log.rows).toHaveLength(1);
		const [row] = room.log.rows;
		expect(row).toMatchObject({
			id: answer.decisionId,
			definitionId: 1,
			unit: "listener-1",
			session: "s1",
			requestId: "r1",
			arm: answer.arm,
			propensity: answer.propensity,
			distribution: "policy",
			context: { hour: 8, device: "phone", activity: "work", skips30s: 3 },
			eligible: [0, 1, 2],
			excluded: { run: "rule" },
			policyPropensities: null,
			missing: ["taste", "loyalty"],
			decidedAt: MORNING,
			referenceBucket: Math.floor(MORNING / 86_400_000),
			origin: "server",
			consent: { personalization: false },
		});
		expect(row?.x).toHaveLength(D);
		expect([...(row?.propensities ?? [])]).toEqual([1 / 3, 1 / 3, 1 / 3]);
		expect(timeOfId(answer.decisionId)).toBe(MORNING);
	});

	it("is refused for an experiment that does not exist or is a draft", async () => {
		const room = await ready(definition({ state: "draft" }));
		expect(await refused(room.ask())).toMatchObject({
			code: "experiment-draft",
			status: 409,
		});
		expect(await refused(room.ask({ experiment: "other" }))).toMatchObject({
			code: "unknown-experiment",
			status: 404,
		});
		expect(room.log.rows).toHaveLength(0);
	});

	it("names an undeclared context value as ignored and keeps it out of the log, also a __proto__ key", async () => {
		const room = await ready(definition());
		const context = JSON.parse(
			'{"hour": 8, "activity": "work", "email": "a@b.c", "skips30s": 9, "loyalty": 1, "__proto__": {"device": "phone"}}',
		);
		const answer = await room.ask({ context });
		expect([...answer.ignored].sort()).toEqual([
			"__proto__",
			"email",
			"loyalty",
			"skips30s",
		]);
		expect(answer.missing).toContain("device");
		expect(room.log.rows[0]?.context).toEqual({
			hour: 8,
			activity: "work",
			skips30s: 0,
		});
	});

	it("withholds a feature whose consent was not given from x, the log and the rules", async () => {
		const room = await ready(definition());
		const answer = await room.ask({
			context: { hour: 8, activity: "work", taste: 3 },
		});
		expect(answer.missing).toContain("taste");
		expect(answer.ignored).not.toContain("taste");
		const [row] = room.log.rows;
		expect(row?.context).not.toHaveProperty("taste");
		expect(row?.x[6]).toBe(0);
	});

	it("refuses a context value of the wrong type with its path, and logs nothing", async () => {
		const room = await ready(definition());
		const error = await refused(
			room.ask({ context: { hour: "eight", device: Number.NaN } }),
		);
		expect(error.code).toBe("invalid");
		expect(error.problems.map(({ path }) => path)).toEqual([
			"context.hour",
			"context.device",
		]);
		expect(room.log.rows).toHaveLength(0);
	});

	it("goes on without live counts while the windows are not rebuilt, and says so", async () => {
		const room = await ready(definition());
		room.live.ready = false;
		const answer = await room.ask();
		expect(answer.degraded).toEqual(["live"]);
		expect(answer.missing).toContain("skips30s");
		expect(room.log.rows[0]?.degraded).toEqual(["live"]);
	});

	it("says in the answer when it lies in the spool, and is refused when that is full", async () => {
		const room = await ready(definition());
		room.log.place = "spool";
		expect((await room.ask()).degraded).toEqual(["stream"]);
		room.log.place = "full";
		const error = await refused(room.ask());
		expect(error).toMatchObject({ code: "overloaded", status: 503 });
		expect(error.retryAfterSeconds).toBeGreaterThan(0);
	});

	it("names a posterior that its source has not confirmed for three seconds", async () => {
		const room = await ready(definition());
		room.clock.advance(3_000);
		expect((await room.ask()).degraded).toEqual([]);
		room.source.away = true;
		await expect(room.posteriors.poll()).rejects.toThrow("away");
		room.clock.advance(1);
		expect((await room.ask()).degraded).toEqual(["posterior"]);
		expect(room.log.rows[1]?.degraded).toEqual(["posterior"]);
		room.source.away = false;
		await room.posteriors.poll();
		expect((await room.ask()).degraded).toEqual([]);
	});
});

describe("Thompson sampling over many arms", () => {
	it("lets others through while it computes, and logs what it computes at once", async () => {
		const arms = Array.from({ length: 1_000 }, (_, a) => ({
			key: `arm-${a}`,
			payload: {},
			tags: [],
		}));
		const policy = {
			...experiment.policy,
			kind: "thompson",
			alpha: 1,
		} as const;
		const current = definition({}, { arms, policy });
		const room = await ready(current);
		const taught = arms.map(({ key }, a) => {
			const sums = emptySums(D);
			addObservation(sums, D, new Float64Array(D).fill(1), 1, a / 2_000);
			return { arm: key, bucket: 1, sums };
		});
		room.source.learn(experiment.key, 1, taught);
		await room.posteriors.poll();

		let turns = 0;
		let deciding = true;
		const turn = () => {
			turns++;
			if (deciding) setImmediate(turn);
		};
		setImmediate(turn);
		const both = await Promise.all([room.ask(), room.ask()]);
		deciding = false;
		expect(turns).toBeGreaterThan(3);

		const { models } = room.posteriors.snapshot(current, 20_000);
		const keys = arms.map(({ key }) => key);
		for (const row of room.log.rows) {
			const { propensities } = distribution(policy, keys, models, row.x);
			expect(row.policyPropensities ?? row.propensities).toEqual(propensities);
			expect(both.map(({ decisionId }) => decisionId)).toContain(row.id);
		}
		expect(room.log.rows).toHaveLength(2);
	});
});

describe("the eligible arms", () => {
	it("are those the request allows and no rule excludes", async () => {
		const room = await ready(definition({}, onlyPolicy));
		const answer = await room.ask({ eligible: ["calm", "run"] });
		expect(answer).toMatchObject({ arm: "calm", propensity: 1 });
		expect(room.log.rows[0]?.excluded).toEqual({
			focus: "not requested",
			energy: "not requested",
			run: "rule",
		});
	});

	it("leave short reasons in the log: rules are not repeated there", async () => {
		const long = `context.activity == "run" && "${"x".repeat(900)}" != ""`;
		const arms = experiment.arms.map((arm) =>
			arm.key === "run" ? { ...arm, eligible: long } : arm,
		);
		const room = await ready(definition({}, { ...onlyPolicy, arms }));
		const answer = await room.ask({ explain: true });
		expect(room.log.rows[0]?.excluded).toEqual({ run: "rule" });
		expect(answer.explanation?.arms[3]?.reason).toBe(`rule: ${long}`);
	});

	it("must not be none: the refusal of very many long rules stays small", async () => {
		const rule = `context.activity == "run" && "${"x".repeat(900)}" != ""`;
		const arms = Array.from({ length: 500 }, (_, i) => ({
			key: `arm-${i}`,
			payload: {},
			tags: [],
			eligible: rule,
		}));
		const room = await ready(definition({}, { arms }));
		const error = await refused(room.ask());
		expect(error.code).toBe("no-eligible-arm");
		expect(error.problems[99]).toMatchObject({ path: "arms.arm-99" });
		expect(error.message).toContain('arm-0 (rule: context.activity == "run"');
		expect(error.message).toContain("and 480 more");
		const size = JSON.stringify([error.message, error.problems]).length;
		expect(size).toBeLessThan(50_000);
	});

	it("must be known: another name is refused with its path and the nearest arm", async () => {
		const room = await ready(definition());
		const error = await refused(room.ask({ eligible: ["calm", "enegry"] }));
		expect(error.status).toBe(422);
		expect(error.problems[0]?.path).toBe("eligible[1]");
		expect(error.problems[0]?.message).toContain('"energy"');
	});

	it("must not be none: the refusal names each rule", async () => {
		const room = await ready(definition());
		const error = await refused(
			room.ask({
				eligible: ["run", "energy"],
				context: { activity: "sleep" },
			}),
		);
		expect(error).toMatchObject({ code: "no-eligible-arm", status: 409 });
		expect(error.message).toContain(
			'energy (rule: context.activity != "sleep")',
		);
		expect(error.message).toContain('run (rule: context.activity == "run")');
		expect(error.message).toContain("focus (not requested)");
	});

	it("lose an arm whose rule meets a missing field", async () => {
		const room = await ready(definition());
		await room.ask({ context: {} });
		expect(room.log.rows[0]?.excluded).toEqual({
			energy: "missing: activity",
			run: "missing: activity",
		});
	});
});

describe("the group of a unit", () => {
	it("is control for a uniformly random eligible arm, with the policy's distribution logged beside", async () => {
		const room = await ready(definition({}, onlyControl));
		const { source, posteriors } = room;
		const sums = emptySums(D);
		addObservation(sums, D, new Float64Array(D).fill(1), 1, 1);
		source.learn(experiment.key, 1, [{ arm: "calm", bucket: 20_000, sums }]);
		await posteriors.poll();
		const answer = await room.ask();
		expect(answer).toMatchObject({
			group: "control",
			propensity: 1 / 3,
			revision: 1,
		});
		const [row] = room.log.rows;
		expect(row?.distribution).toBe("control");
		expect([...(row?.propensities ?? [])]).toEqual([1 / 3, 1 / 3, 1 / 3]);
		expect(Math.max(...(row?.policyPropensities ?? []))).toBeCloseTo(
			0.9 + 0.1 / 3,
			12,
		);
	});

	it("is control for the named baseline arm, or the first eligible one where that is ruled out", async () => {
		const room = await ready(
			definition({}, traffic({ control: 1, baseline: "energy" })),
		);
		expect(await room.ask()).toMatchObject({
			arm: "energy",
			propensity: 1,
			group: "control",
			degraded: [],
		});
		const asleep = await room.ask({ context: { activity: "sleep" } });
		expect(asleep).toMatchObject({
			arm: "focus",
			propensity: 1,
			degraded: ["baseline"],
		});
		expect(room.log.rows[1]?.degraded).toEqual(["baseline"]);
	});

	it("is outside beyond the share: the baseline arm, propensity 1", async () => {
		const room = await ready(
			definition({}, traffic({ share: 0, baseline: "calm" })),
		);
		expect(await room.ask()).toMatchObject({
			arm: "calm",
			group: "outside",
			propensity: 1,
			degraded: [],
		});
		expect(room.log.rows[0]).toMatchObject({ distribution: "baseline" });
		expect([...(room.log.rows[0]?.policyPropensities ?? [])]).toEqual([
			1 / 3,
			1 / 3,
			1 / 3,
		]);
	});

	it("is outside with the first arm where the baseline is uniform", async () => {
		const room = await ready(definition({}, traffic({ share: 0 })));
		expect(await room.ask()).toMatchObject({ arm: "focus", propensity: 1 });
	});

	it("is outside for everyone while paused, and the answer says so", async () => {
		const room = await ready(
			definition({ state: "paused", winner: "calm" }, onlyPolicy),
		);
		expect(await room.ask()).toMatchObject({
			arm: "focus",
			group: "outside",
			degraded: ["paused"],
		});
	});

	it("stays policy while a guardrail holds it, with control's distribution served and the policy's logged beside", async () => {
		for (const baseline of ["uniform", "energy"]) {
			const held = await ready(
				definition({ held: true }, traffic({ control: 0.2, baseline })),
			);
			const free = await ready(
				definition({}, traffic({ control: 0.2, baseline })),
			);
			for (const unit of units.slice(0, 60)) {
				const { group, degraded } = await held.ask({ unit });
				expect(group).toBe((await free.ask({ unit })).group);
				expect(degraded).toEqual(group === "policy" ? ["guardrail"] : []);
				const row = held.log.rows.at(-1)!;
				const [one] = baseline === "uniform" ? [1 / 3] : [0];
				expect([...row.propensities]).toEqual(
					baseline === "uniform" ? [one, one, one] : [0, 1, 0],
				);
				expect(row.distribution).toBe("control");
				expect(row.policyPropensities).toHaveLength(3);
				expect(row.degraded).toEqual(degraded);
			}
		}
	});

	it("names both where the arm that a guardrail holds it at is ruled out", async () => {
		const room = await ready(
			definition({ held: true }, traffic({ control: 0, baseline: "run" })),
		);
		expect(await room.ask()).toMatchObject({
			arm: "focus",
			group: "policy",
			propensity: 1,
			degraded: ["guardrail", "baseline"],
		});
	});

	it("gets the winner once stopped, and the first eligible arm where the winner is ruled out", async () => {
		const room = await ready(
			definition({ state: "stopped", winner: "energy" }, onlyPolicy),
		);
		expect(await room.ask()).toMatchObject({
			arm: "energy",
			group: "outside",
			propensity: 1,
			degraded: ["stopped"],
		});
		const asleep = await room.ask({ context: { activity: "sleep" } });
		expect(asleep).toMatchObject({
			arm: "focus",
			degraded: ["stopped", "baseline"],
		});
		expect(room.log.rows.map((row) => row.distribution)).toEqual([
			"winner",
			"baseline",
		]);
	});

	it("does not move between policy and control when the share changes", async () => {
		const groups = async (share: number) => {
			const room = await ready(
				definition({}, traffic({ share, control: 0.3 })),
			);
			const answers = await Promise.all(
				units.map((unit) => room.ask({ unit })),
			);
			return answers.map((answer) => answer.group);
		};
		const half = await groups(0.5);
		const whole = await groups(1);
		expect(new Set(half)).toEqual(new Set(["policy", "control", "outside"]));
		half.forEach((group, i) => {
			if (group !== "outside") expect(whole[i]).toBe(group);
		});
		expect(await groups(0.5)).toEqual(half);
	});
});

describe("mode best", () => {
	it("answers the arm with the highest mean and logs nothing", async () => {
		const room = await ready(definition());
		const sums = emptySums(D);
		addObservation(sums, D, new Float64Array(D).fill(1), 1, 1);
		room.source.learn(experiment.key, 1, [
			{ arm: "calm", bucket: 20_000, sums },
		]);
		await room.posteriors.poll();
		const answer = await room.ask({ mode: "best" });
		expect(answer).toMatchObject({ mode: "best", arm: "calm", revision: 1 });
		expect(answer).not.toHaveProperty("decisionId");
		expect(answer).not.toHaveProperty("propensity");
		expect(room.log.rows).toHaveLength(0);
	});

	it("answers the first of tied arms, and the winner once stopped", async () => {
		const running = await ready(definition());
		expect((await running.ask({ mode: "best" })).arm).toBe("focus");
		const stopped = await ready(
			definition({ state: "stopped", winner: "calm" }),
		);
		expect((await stopped.ask({ mode: "best" })).arm).toBe("calm");
	});

	it("answers the baseline arm while a guardrail holds the policy, and says so", async () => {
		const held = await ready(
			definition({ held: true }, traffic({ baseline: "energy" })),
		);
		expect(await held.ask({ mode: "best", explain: true })).toMatchObject({
			arm: "energy",
			degraded: ["guardrail"],
			explanation: {
				sentence: expect.stringMatching(/while a guardrail holds the policy/),
			},
		});
	});
});

describe("an explanation", () => {
	it("shows x, every feature with its source, and contributions that sum to each arm's mean", async () => {
		const room = await ready(definition({}, onlyPolicy));
		const sums = emptySums(D);
		addObservation(
			sums,
			D,
			Float64Array.of(1, 0.5, 0.25, 1, 0, 0.5, 0, 0),
			1,
			1,
		);
		room.source.learn(experiment.key, 1, [
			{ arm: "calm", bucket: 20_000, sums },
		]);
		await room.posteriors.poll();
		const { explanation, arm } = await room.ask({ explain: true });
		expect(explanation?.x).toEqual([...(room.log.rows[0]?.x ?? [])]);
		expect(explanation?.features).toContainEqual({
			name: "hour",
			value: 8,
			source: "request",
		});
		expect(explanation?.features).toContainEqual({
			name: "loyalty",
			value: null,
			source: "profile",
			reason: "absent",
		});
		const calm = explanation?.arms.find((shown) => shown.arm === "calm");
		const total = calm?.contributions.reduce(
			(sum, { value }) => sum + value,
			0,
		);
		expect(calm?.mean).not.toBe(0);
		expect(total).toBeCloseTo(calm?.mean ?? Number.NaN, 12);
		expect(calm?.score).toBeCloseTo(
			(calm?.mean ?? 0) + 0.5 * (calm?.width ?? 0),
			12,
		);
		expect(
			explanation?.arms.find((shown) => shown.arm === "run"),
		).toMatchObject({
			eligible: false,
			reason: 'rule: context.activity == "run"',
			mean: null,
			propensity: null,
		});
		expect(explanation?.sentence).toContain(`${arm} was chosen`);
	});

	it("is not there unless asked for", async () => {
		const room = await ready(definition());
		expect(await room.ask()).not.toHaveProperty("explanation");
	});
});

describe("a log row", () => {
	it("re-derives its decision bit for bit: encode, distribution and draw again give x, propensities and arm", async () => {
		const current = definition();
		const room = await ready(current);
		const sums = emptySums(D);
		addObservation(
			sums,
			D,
			Float64Array.of(1, 0.5, 0.25, 1, 0, 0.5, 0, 0),
			1,
			1,
		);
		room.source.learn(experiment.key, 1, [
			{ arm: "calm", bucket: 20_000, sums },
			{ arm: "focus", bucket: 20_001, sums },
		]);
		await room.posteriors.poll();
		await Promise.all(
			units.map((unit, i) => room.ask({ unit, context: { hour: i % 24 } })),
		);
		const encoder = compileEncoder(experiment.context);
		for (const row of room.log.rows) {
			const { x } = encoder.encode(row.context);
			expect(x).toEqual(row.x);
			const { models } = room.posteriors.snapshot(current, row.referenceBucket);
			const keys = row.eligible.map(
				(index) => experiment.arms[index]?.key ?? "",
			);
			const eligible = row.eligible.map((index) => models[index]!);
			const again = distribution(experiment.policy, keys, eligible, x);
			expect(again.propensities).toEqual(
				row.policyPropensities ?? row.propensities,
			);
			const chosen = draw(
				row.propensities,
				uniformFrom(current.salt, "draw", row.id),
			);
			expect(keys[chosen]).toBe(row.arm);
			expect(row.propensities[chosen]).toBe(row.propensity);
		}
		expect(new Set(room.log.rows.map((row) => row.group)).size).toBe(2);
	});

	it("comes back from the stream as it went", async () => {
		const room = await ready(definition({ state: "paused" }));
		const sums = emptySums(D);
		addObservation(sums, D, new Float64Array(D).fill(1), 1, -1);
		room.source.learn(experiment.key, 1, [
			{ arm: "calm", bucket: 20_000, sums },
		]);
		await room.posteriors.poll();
		await room.ask({ session: "s1", context: { hour: 7, tempo: 120 } });
		const boot = "0198f3a0-0000-7000-8000-000000000001";
		const body = encodeDecisions(room.log.rows, { boot, sequence: 1 });
		const [item] = decodeMessage(LOG_SUBJECT, body).items;
		expect(item).toEqual({ ok: true, value: room.log.rows[0] });
	});

	it("is the same for the same id and salt, and another for another salt", async () => {
		const arms = async (salt: string) => {
			const room = await ready(definition({ salt }, onlyControl));
			await Promise.all(units.map((unit) => room.ask({ unit })));
			return room.log.rows.map((row) => row.arm);
		};
		const once = await arms("01".repeat(32));
		expect(await arms("01".repeat(32))).toEqual(once);
		expect(await arms("02".repeat(32))).not.toEqual(once);
	});
});

describe("a unit that is called otherwise behind the door", () => {
	it("is called as of the instant of its decision's id, however long the decision waited", async () => {
		const current = definition(
			{},
			{
				...onlyPolicy,
				context: {
					...experiment.context,
					features: [
						{
							name: "loyalty",
							from: "profile",
							kind: "number",
							mean: 0,
							scale: 1,
						},
					],
				},
			},
		);
		const asked: string[] = [];
		const room = decider(current, {
			nameOf: (unit, instant) => `${unit} at ${instant}`,
			profiles: {
				async lookUp(unit) {
					asked.push(unit);
					room.clock.advance(25);
					return { loyalty: 1 };
				},
			},
		});
		await room.posteriors.poll();
		const { decisionId } = await room.ask({ context: {} });
		const name = `listener-1 at ${timeOfId(decisionId)}`;
		expect(asked).toEqual([name]);
		expect(room.log.rows[0]).toMatchObject({ id: decisionId, unit: name });
	});
});
