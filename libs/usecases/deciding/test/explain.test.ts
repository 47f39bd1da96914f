import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type { Definition, Experiment, Policy } from "#core/experiment";
import { addObservation, emptySums } from "#core/policy";
import {
	Decide,
	type DecisionRequest,
	type DrawnDecision,
	type Explanation,
	PosteriorCache,
} from "../src/index.js";
import { D, definition, experiment } from "./definitions.js";

const MORNING = Date.UTC(2025, 10, 24, 8);
const atWork = { hour: 8, device: "phone", activity: "work" };
const linucb: Policy = { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 };
const onlyPolicy = { share: 1, control: 0, baseline: "uniform" };

/** Rewards of n decisions of an arm, all made in the context `atWork`. */
interface Taught {
	readonly arm: string;
	readonly n: number;
	readonly reward: number;
}

/** A decider over memory that has learned of each arm as said. */
async function decider(current: Definition, taught: readonly Taught[] = []) {
	const clock = new MemoryClock(MORNING);
	const source = new MemoryPosteriorSource();
	const { key } = current.experiment;
	const definitions = {
		get: (asked: string) => (asked === key ? current : undefined),
		all: () => [current],
	};
	const posteriors = new PosteriorCache(source, definitions, clock);
	const { x } = compileEncoder(experiment.context).encode({
		...atWork,
		skips30s: 0,
	});
	const learned = taught.map(({ arm, n, reward }) => {
		const sums = emptySums(D);
		addObservation(sums, D, x, n, n * reward);
		return { arm, bucket: 20_000, sums };
	});
	if (learned.length > 0) source.learn(key, 1, learned);
	await posteriors.poll();
	const log = new MemoryDecisionLog();
	const ports = {
		definitions,
		posteriors,
		live: new MemoryLive(),
		ids: new MemoryIds(clock),
		log,
	};
	const decide = new Decide(ports, 100);
	return async (request: Partial<DecisionRequest> = {}) => {
		const answer = await decide.execute({
			experiment: key,
			unit: "listener-1",
			context: atWork,
			...request,
			explain: true,
		});
		return { ...answer, explanation: answer.explanation as Explanation };
	};
}

const withPolicy = (policy: Policy, more: Partial<Experiment> = {}) =>
	definition({}, { traffic: onlyPolicy, policy, ...more });

type Explained = { arm: string; explanation: Explanation } & Pick<
	DrawnDecision,
	"propensity"
>;

/** Asks until the arm comes. */
async function drawing(
	ask: Awaited<ReturnType<typeof decider>>,
	arm: string,
): Promise<Explained> {
	for (let i = 0; i < 500; i++) {
		const answer = await ask();
		if (answer.arm === arm) return answer as Explained;
	}
	throw new Error(`${arm} was not drawn in 500 decisions`);
}

describe("the contributions of an arm", () => {
	it("are one per encoded feature and the intercept, and sum to its mean", async () => {
		const ask = await decider(withPolicy(linucb), [
			{ arm: "calm", n: 5, reward: 0.75 },
		]);
		const { explanation } = await ask({
			context: { ...atWork, device: "desktop", hour: 17 },
		});
		const calm = explanation.arms.find(({ arm }) => arm === "calm");
		expect(calm?.contributions.map(({ name }) => name)).toEqual([
			"intercept",
			"hour",
			"device",
			"skips30s",
			"taste",
			"loyalty",
		]);
		const total = calm?.contributions.reduce((sum, c) => sum + c.value, 0);
		expect(calm?.mean).toBeGreaterThan(0.01);
		expect(
			Math.abs((total ?? Number.NaN) - (calm?.mean ?? 0)),
		).toBeLessThanOrEqual(1e-12);
		const hour = calm?.contributions.find(({ name }) => name === "hour");
		expect(Math.abs(hour?.value ?? 0)).toBeGreaterThan(0.01);
	});
});

describe("an excluded arm", () => {
	it("has the whole text of the rule that excluded it, also where the rule met a missing value", async () => {
		const ask = await decider(withPolicy(linucb));
		const { explanation } = await ask({ context: { hour: 8 } });
		expect(explanation.arms[1]).toMatchObject({
			arm: "energy",
			eligible: false,
			reason: "missing: activity",
			rule: 'context.activity != "sleep"',
			propensity: null,
			contributions: [],
		});
		const asleep = await ask({ context: { ...atWork, activity: "sleep" } });
		expect(asleep.explanation.arms[1]).toMatchObject({
			reason: 'rule: context.activity != "sleep"',
			rule: 'context.activity != "sleep"',
		});
	});

	it("has no rule where the request did not ask for it", async () => {
		const ask = await decider(withPolicy(linucb));
		const { explanation } = await ask({ eligible: ["focus", "calm"] });
		expect(explanation.arms[1]).toMatchObject({ reason: "not requested" });
		expect(explanation.arms[1]).not.toHaveProperty("rule");
	});
});

describe("the kind of a choice and its sentence", () => {
	const taught = [
		{ arm: "calm", n: 50, reward: 0.75 },
		{ arm: "focus", n: 50, reward: 0.25 },
		{ arm: "energy", n: 50, reward: 0 },
	];

	it("is exploitation for the arm the policy puts first, with the runner-up and the chance", async () => {
		const ask = await decider(withPolicy(linucb), taught);
		const { explanation } = await drawing(ask, "calm");
		expect(explanation.kind).toBe("exploitation");
		expect(explanation.runnerUp).toMatchObject({ arm: "focus" });
		expect(explanation.runnerUp?.propensity).toBeCloseTo(0.1 / 3, 12);
		expect(explanation.sentence).toBe(
			"calm was chosen (exploitation), with a chance of 93.3 %, for what was learned so far: its expected reward here is 0.745, against 0.248 for focus.",
		);
	});

	it("is exploration for another arm, and says which one is usual", async () => {
		const ask = await decider(withPolicy(linucb), taught);
		const { explanation } = await drawing(ask, "energy");
		expect(explanation.kind).toBe("exploration");
		expect(explanation.runnerUp).toMatchObject({ arm: "calm" });
		expect(explanation.sentence).toBe(
			"energy was chosen to keep learning (exploration), with a chance of 3.3 %: its expected reward here is 0, while calm, with 0.745, is chosen 93.3 % of the time here.",
		);
	});

	it("is exploration as long as nothing tells the arms apart", async () => {
		const { explanation, arm } = await (await decider(withPolicy(linucb)))();
		expect(explanation.kind).toBe("exploration");
		expect(explanation.sentence).toBe(
			`${arm} was chosen at random (exploration), with a chance of 33.3 %: nothing learned so far tells the 3 eligible arms apart here.`,
		);
	});

	it("is exploitation of an arm that leads for being unknown, and the sentence says so", async () => {
		const ask = await decider(withPolicy({ ...linucb, alpha: 8 }), [
			{ arm: "calm", n: 50, reward: 0.5 },
			{ arm: "focus", n: 50, reward: 0.5 },
		]);
		const { explanation } = await drawing(ask, "energy");
		expect(explanation.kind).toBe("exploitation");
		expect(explanation.sentence).toMatch(
			/^energy was chosen \(exploitation\), with a chance of 93\.3 %: its expected reward here is 0, less than 0\.\d+ for focus, but so little is known about it yet/,
		);
	});

	it("is exploitation under Thompson sampling for the arm with the highest mean, exploration for any other", async () => {
		const ask = await decider(
			withPolicy({ ...linucb, kind: "thompson", explore: 0.4 }),
			taught,
		);
		expect((await drawing(ask, "calm")).explanation.kind).toBe("exploitation");
		expect((await drawing(ask, "energy")).explanation.kind).toBe("exploration");
	});

	it("is exploration under the uniform policy, exploitation for the arm of a fixed one", async () => {
		const base = { ridge: 1, explore: 0.1 };
		const uniform = await decider(
			withPolicy({ ...base, kind: "uniform" }),
			taught,
		);
		const any = await uniform();
		expect(any.explanation.kind).toBe("exploration");
		expect(any.explanation.sentence).toBe(
			`${any.arm} was chosen at random (exploration), with a chance of 33.3 %: the experiment gives all 3 eligible arms the same chance.`,
		);
		const fixed = await decider(
			withPolicy({ ...base, kind: "fixed", arm: "focus" }),
			taught,
		);
		expect((await drawing(fixed, "focus")).explanation).toMatchObject({
			kind: "exploitation",
			sentence:
				"focus was chosen (exploitation), with a chance of 93.3 %: the experiment is set to answer focus, whatever was learned; its expected reward here is 0.248.",
		});
		expect((await drawing(fixed, "calm")).explanation.kind).toBe("exploration");
	});

	it("is exploitation where only one arm is eligible, without a runner-up", async () => {
		const ask = await decider(withPolicy(linucb));
		const { explanation } = await ask({ eligible: ["calm"] });
		expect(explanation).toMatchObject({
			kind: "exploitation",
			runnerUp: null,
			sentence:
				"calm was chosen as the only arm that was eligible here (exploitation): its expected reward here is 0.",
		});
	});

	it("is control for a control unit, drawn or under a named arm", async () => {
		const uniform = await decider(
			definition(
				{},
				{ traffic: { share: 1, control: 1, baseline: "uniform" } },
			),
			taught,
		);
		const any = await uniform();
		expect(any.explanation).toMatchObject({
			kind: "control",
			sentence: `${any.arm} was chosen at random for comparison (control), with a chance of 33.3 %: this unit is one of the 100 % in the comparison group, which gets any of the 3 eligible arms whatever was learned.`,
		});
		const named = await decider(
			definition({}, { traffic: { share: 1, control: 1, baseline: "energy" } }),
		);
		expect(
			(await named({ context: { ...atWork, activity: "sleep" } })).explanation
				.sentence,
		).toContain(
			"which gets energy, but that was not eligible here, so the first eligible arm stood in.",
		);
	});

	it("is outside beyond the share and while the experiment does not run", async () => {
		const beyond = await decider(
			definition({}, { traffic: { share: 0, control: 0, baseline: "calm" } }),
		);
		expect((await beyond()).explanation).toMatchObject({
			kind: "outside",
			sentence:
				"calm was answered without a choice (outside): this unit is not among the 0 % that take part in the experiment, and nothing is learned from it.",
		});
		const stopped = await decider(
			definition({ state: "stopped", winner: "energy" }),
		);
		expect((await stopped()).explanation.sentence).toBe(
			"energy was answered without a choice (outside), as the winner: the experiment is stopped, and nothing is learned from it.",
		);
	});

	it("is guardrail for a policy unit that one holds, and says who ends that", async () => {
		const held = await decider(
			definition(
				{ held: true },
				{ traffic: { share: 1, control: 0, baseline: "uniform" } },
			),
			taught,
		);
		const any = await held();
		expect(any.explanation).toMatchObject({
			kind: "guardrail",
			sentence: `${any.arm} was chosen as for the comparison group (guardrail), with a chance of 33.3 %: a guardrail stopped the policy, so until a person resumes the experiment this unit gets what that group gets, any of the 3 eligible arms whatever was learned.`,
		});
	});

	it("is best in that mode, with nothing drawn", async () => {
		const ask = await decider(withPolicy(linucb), taught);
		const { explanation } = await ask({ mode: "best" });
		expect(explanation).toMatchObject({
			kind: "best",
			runnerUp: { arm: "focus", propensity: null },
			sentence:
				"calm is the best of the 3 eligible arms as far as was learned: its expected reward here is 0.745; nothing was drawn or logged.",
		});
	});

	it("never rounds a chance to what it is not", async () => {
		const ask = await decider(
			withPolicy({ ...linucb, explore: 0.0001 }),
			taught,
		);
		expect((await drawing(ask, "calm")).explanation.sentence).toContain(
			"with a chance of more than 99.9 %",
		);
	});
});
