import { Agent } from "node:http";
import { startDecider, startServers, type Undo } from "../decide/children.js";
import { experiment, randomNumbers, requestOf } from "../decide/experiment.js";
import { closedLoop } from "../decide/load.js";
import type { Pauses } from "../decide/watch.js";
import { median } from "../support/median.js";
import { alternate } from "../support/rounds.js";
import { post } from "./post.js";

/**
 * What four live features and one of the profile, which is cached, cost a decision: one decider, two experiments that differ in these
 * features alone, the requests of bench:decide to each in rounds that alternate. The listeners have events in every window.
 */

export interface DecisionCost {
	/** Decisions a second, each round, with the features and without. */
	readonly withFeatures: readonly number[];
	readonly without: readonly number[];
	/** Of the decider's processor time, µs a decision. */
	readonly processorWith: number;
	readonly processorWithout: number;
	readonly dWith: number;
	readonly dWithout: number;
}

export interface CostOptions {
	readonly rounds: number;
	readonly seconds: number;
}

const WITHOUT = { ...experiment, key: "bench-without" };
const live = { from: "live", kind: "number", event: "skip", scale: 5 };
const added = [
	{ ...live, name: "skips30s", window: "30s" },
	{ ...live, name: "skips5m", window: "5m" },
	{ ...live, name: "dwell5m", window: "5m", aggregate: "mean" },
	{ ...live, name: "sinceSkip", window: "1h", aggregate: "timeSince" },
	{ name: "loyalty", from: "profile", kind: "number" },
];
const WITH = {
	...experiment,
	key: "bench-with",
	context: {
		...experiment.context,
		features: [...experiment.context.features, ...added],
	},
};
const D = 32;
const BODIES = 200;
const CONNECTIONS = 32;

export async function measureDecisionCost(
	{ rounds, seconds }: CostOptions,
	say: (line: string) => void,
	undo: Undo,
): Promise<DecisionCost> {
	const servers = await startServers(undo);
	const decider = await startDecider(servers, undo);
	const agent = new Agent({ keepAlive: true });
	undo.add(async () => agent.destroy());
	for (const one of [WITH, WITHOUT]) {
		const path = `${decider.url}/v1/experiments/${one.key}`;
		await post(agent, path, one, "PUT");
		await post(agent, `${path}/start`, {});
	}
	const random = randomNumbers(1);
	const requests = Array.from({ length: BODIES }, () => requestOf(random));
	say("listeners get a profile and some events");
	for (const { unit } of requests)
		await post(
			agent,
			`${decider.url}/v1/units/${encodeURIComponent(unit)}/profile`,
			{ loyalty: 0.5 },
			"PUT",
		);
	const events = requests.map(({ unit }, i) => ({
		id: `e-${i}`,
		type: "skip",
		unit,
		at: new Date().toISOString(),
		value: 1,
	}));
	await post(agent, `${decider.url}/v1/events`, { events });

	const processor = new Map<string, number[]>();
	const contender = (key: string) => {
		const bodies = requests.map((request) =>
			JSON.stringify({ ...request, experiment: key }),
		);
		const round = async () => {
			await decider.ask("reset");
			const { perSecond, answered } = await closedLoop({
				url: decider.url,
				path: "/v1/decisions",
				bodies,
				connections: CONNECTIONS,
				seconds,
			});
			const { processorMs } = (await decider.ask("pauses")) as Pauses;
			const spent = processor.get(key) ?? [];
			processor.set(key, [...spent, (1e3 * processorMs) / answered]);
			return perSecond;
		};
		return { name: key, round };
	};
	const measured = await alternate(
		[contender(WITH.key), contender(WITHOUT.key)],
		rounds,
	);
	for (const request of requests) {
		const lacks = await lackedBy(agent, decider.url, request);
		if (lacks.length > 0)
			throw new Error(`A decision lacks ${lacks.join(", ")}.`);
	}
	return {
		withFeatures: measured.get(WITH.key) ?? [],
		without: measured.get(WITHOUT.key) ?? [],
		processorWith: median(processor.get(WITH.key)?.slice(1) ?? []),
		processorWithout: median(processor.get(WITHOUT.key)?.slice(1) ?? []),
		dWith: D + added.length,
		dWithout: D,
	};
}

/** So that nothing is measured that leaves the features out. */
async function lackedBy(
	agent: Agent,
	url: string,
	request: object,
): Promise<readonly string[]> {
	const { degraded, missing } = (await post(agent, `${url}/v1/decisions`, {
		...request,
		experiment: WITH.key,
	})) as { degraded: string[]; missing: string[] };
	return [...degraded, ...missing];
}
