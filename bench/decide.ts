import { writeFileSync } from "node:fs";
import {
	type Running,
	type Servers,
	startBareFastify,
	startDecider,
	startLearner,
	startServers,
	type Undo,
	withUndo,
} from "./decide/children.js";
import { randomNumbers, requestOf } from "./decide/experiment.js";
import { type Findings, print, printAsJson } from "./decide/findings.js";
import { makeExperimentWithHistory } from "./decide/history.js";
import {
	closedLoop,
	type Load,
	type Measured,
	openLoop,
} from "./decide/load.js";
import { compare, type Rounds, type Side, warmUp } from "./decide/rounds.js";
import type { Pauses } from "./decide/watch.js";
import { type CpuProfile, stagesOf } from "./decide/where-time-goes.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
} from "./support/command.js";
import { medianRow } from "./support/ratio-row.js";

/** The reply of a decider to a decision, against bare Fastify, side by side in rounds that alternate. */

interface Options extends BenchmarkOptions {
	readonly rounds: string;
	readonly seconds: string;
	readonly profile?: string;
}

const CONNECTIONS = 32;
const BODIES = 256;
const IN_A_BATCH = 50;
const PATH = "/v1/decisions";

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:decide",
		"Decisions a second over HTTP, logged durably before the answer, against bare Fastify.",
	)
		.option("--rounds <n>", "rounds of each", "5")
		.option("--seconds <n>", "length of a round", "4")
		.option("--profile <file>", "write the decider's CPU profile there"),
);
const seconds = Number(options.seconds);
const say = options.json ? console.error : console.log;
const rounds: Rounds = { rounds: Number(options.rounds), say };

interface Bench {
	readonly servers: Servers;
	readonly decider: Running;
	readonly bare: Running;
	readonly learner: Running;
}

async function start(undo: Undo): Promise<Bench> {
	const servers = await startServers(undo);
	const learner = await startLearner(servers, undo);
	const decider = await startDecider(servers, undo);
	await makeExperimentWithHistory(decider.url);
	const answer = await fetch(decider.url + PATH, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: bodies[0] as string,
	});
	const bare = await startBareFastify(await answer.text(), undo);
	return { servers, decider, bare, learner };
}

/** `name value` lines of /metrics, added up over labels. */
async function metric(url: string, name: string): Promise<number> {
	const text = await (await fetch(`${url}/metrics`)).text();
	return text
		.split("\n")
		.filter(
			(line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `),
		)
		.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

async function counts({ decider }: Bench) {
	const [decisions, messages] = await Promise.all([
		metric(decider.url, "segue_decisions_total"),
		metric(decider.url, "segue_stream_publish_seconds_count"),
	]);
	return { decisions, messages };
}

const random = randomNumbers(7);
const bodies = Array.from({ length: BODIES }, () =>
	JSON.stringify(requestOf(random)),
);
const batches = Array.from({ length: 16 }, () =>
	JSON.stringify({
		decisions: Array.from({ length: IN_A_BATCH }, () => requestOf(random)),
	}),
);

function loadOf(url: string): Load {
	return { url, path: PATH, bodies, connections: CONNECTIONS, seconds };
}

async function measure(bench: Bench): Promise<Findings> {
	const { decider, bare } = bench;
	const decide: Side = { name: "decide", load: loadOf(decider.url) };
	const fastify: Side = { name: "fastify", load: loadOf(bare.url) };
	const against = "fastify";
	const fast = (list: readonly Measured[]) =>
		list.map(({ perSecond }) => perSecond);
	const late = (list: readonly Measured[]) => list.map(({ p99Ms }) => p99Ms);

	say("warming up, the learner running");
	await warmUp(decide, rounds);
	await warmUp(fastify, rounds);
	say("with the learner running");
	const busy = await compare(decide, fastify, rounds);
	await bench.learner.stop();

	say("learner not running");
	await decider.ask("reset");
	await bare.ask("reset");
	const before = await counts(bench);
	const alone = await compare(decide, fastify, rounds);
	const after = await counts(bench);
	const pauses = (await decider.ask("pauses")) as Pauses;
	const barePauses = (await bare.ask("pauses")) as Pauses;
	const grouped =
		(after.decisions - before.decisions) / (after.messages - before.messages);

	say("batches of 50");
	const batch: Side = {
		name: "batch",
		load: {
			...decide.load,
			path: `${PATH}/batch`,
			bodies: batches,
			connections: 8,
		},
	};
	const batched = await compare(batch, fastify, rounds);

	say("half load, latency from intended send times");
	const decideRow = medianRow(
		{ name: "decide", unit: "requests/s", against, K: 20, d: 32 },
		fast(alone.ours),
		fast(alone.baseline),
	);
	const perSecond = decideRow.ours / 2;
	const half = {
		perSecond,
		ours: await openLoop(decide.load, perSecond),
		baseline: await openLoop(fastify.load, perSecond),
	};

	say("where the time goes");
	await decider.ask("profile");
	const profiled = await closedLoop(decide.load);
	const profile = (await decider.ask("profiled")) as CpuProfile;
	if (options.profile !== undefined)
		writeFileSync(options.profile, JSON.stringify(profile));
	const stages = [...stagesOf(profile)]
		.map(([stage, us]) => [stage, us / profiled.answered] as const)
		.sort((a, b) => b[1] - a[1]);

	const answered = (list: readonly Measured[]) =>
		list.reduce((sum, one) => sum + one.answered, 0) * (1 + 1 / list.length);
	return {
		rows: [
			decideRow,
			medianRow(
				{ name: "decide p99", unit: "ms", against, K: 20, d: 32 },
				late(alone.ours),
				late(alone.baseline),
			),
			medianRow(
				{
					name: "decide with learner",
					unit: "requests/s",
					against,
					K: 20,
					d: 32,
				},
				fast(busy.ours),
				fast(busy.baseline),
			),
			medianRow(
				{
					name: "decide batch of 50",
					unit: "decisions/s",
					against,
					K: 20,
					d: 32,
				},
				fast(batched.ours).map((one) => one * IN_A_BATCH),
				fast(batched.baseline),
			),
			{
				name: "decide half load p99",
				unit: "ms",
				against,
				ours: half.ours.p99Ms,
				baseline: half.baseline.p99Ms,
				ratio: half.ours.p99Ms / half.baseline.p99Ms,
				K: 20,
				d: 32,
			},
		],
		half,
		stages,
		pauses,
		barePauses,
		grouped,
		processorUs: {
			ours: (pauses.processorMs * 1e3) / answered(alone.ours),
			baseline: (barePauses.processorMs * 1e3) / answered(alone.baseline),
		},
	};
}

await withUndo(async (undo) => {
	const found = await measure(await start(undo));
	if (options.json) printAsJson(found);
	else print(found);
});
