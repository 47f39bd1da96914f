import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compileEncoder } from "#core/context";
import {
	bucketMsFor,
	type Definition,
	type Experiment,
	parseExperiment,
} from "#core/experiment";
import { uuidAtTime } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import {
	Decide,
	type DecisionRequest,
	PosteriorCache,
	type PosteriorSource,
	parseDecisionRequest,
	RememberedDecisions,
} from "#usecases/deciding";
import { Publisher, type Spool, type Stream } from "#usecases/ingesting";
import {
	ARMS,
	COORDINATES,
	experiment as document,
	randomNumbers,
	requestOf,
} from "./decide/experiment.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
} from "./support/command.js";
import { atMost, printGoals } from "./support/goals.js";
import { printMachine, printTable } from "./support/table.js";

/**
 * Whether deciding leaves anything behind: many decisions over many experiments, through the real Decide, posterior cache, group commit,
 * codec and memory of recent decisions. Only the stream is none: it takes every message, as encoded, and drops it. Posteriors are read
 * anew all the time, as under a learner.
 */

interface Options extends BenchmarkOptions {
	readonly decisions: string;
	readonly experiments: string;
}

const options = benchmarkOptions<Options>(
	benchmark("bench:memory", "Memory of a decider over many decisions.")
		.option("--decisions <n>", "how many", "1000000")
		.option("--experiments <n>", "over how many experiments", "200"),
);
const DECISIONS = Number(options.decisions);
const EXPERIMENTS = Number(options.experiments);
const SAMPLES = 20;
/** Of growth, a decision. One number or reference that each left behind would be 8. */
const MOST_BYTES = 1;
/** Share of the decisions after which all caches are full and all code is compiled. */
const WARM_UP = 0.25;
const AT_ONCE = 32;
const OBSERVATIONS = 50;
const MB = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const say = options.json ? console.error : console.log;
const random = randomNumbers(11);

function definitionOf(id: number): Definition {
	const parsed = parseExperiment({ ...document, key: `bench-${id}` });
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const bucketMs = bucketMsFor(parsed.value.policy);
	if (typeof bucketMs !== "number") throw new Error(bucketMs.message);
	return {
		id,
		experiment: parsed.value,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: id.toString(16).padStart(64, "0"),
		bucketMs,
	};
}

function sumsOf({ context }: Experiment): Float64Array {
	const { d, encode } = compileEncoder(context);
	const sums = emptySums(d);
	for (let i = 0; i < OBSERVATIONS; i++) {
		const { x } = encode(requestOf(random).context as never);
		addObservation(sums, d, x, 1, random() < 0.5 ? 1 : 0);
	}
	return sums;
}

const definitions = new Map<string, Definition>();
for (let id = 1; id <= EXPERIMENTS; id++) {
	const definition = definitionOf(id);
	definitions.set(definition.experiment.key, definition);
}
const all = [...definitions.values()];
const current = {
	get: (key: string) => definitions.get(key),
	all: () => all,
};

/** One arm of an experiment moves with each revision. */
let revision = 1;
const bucket = Math.floor(Date.now() / (all[0]?.bucketMs ?? 1));
const source: PosteriorSource = {
	heads: async () =>
		new Map(all.map(({ experiment }) => [experiment.key, revision])),
	read: async (key, _version, since) => {
		const experiment = definitions.get(key)?.experiment as Experiment;
		const arms =
			since === 0
				? experiment.arms
				: [experiment.arms[revision % ARMS] as Experiment["arms"][number]];
		const changed = arms.map((arm) => ({
			arm: arm.key,
			bucket,
			sums: sumsOf(experiment),
		}));
		return { revision, changed };
	},
};

let sentBytes = 0;
const dropping: Pick<Stream, "publish" | "connected"> = {
	connected: true,
	publish: async (_subject, body) => {
		sentBytes += body.length;
	},
};
const noSpool: Pick<Spool, "count"> = { count: 0 };
const remembered = new RememberedDecisions(() => null);
const publisher = new Publisher(dropping as Stream, noSpool as Spool, {
	boot: "019b0000-0000-7000-8000-000000000000",
	onSafe: (rows, pack) => remembered.remember(rows, pack),
});
const clock = { now: () => Date.now() };
const posteriors = new PosteriorCache(source, current, clock);
let minted = 0;
const ids = {
	mint: () => {
		const tail = (minted++).toString(16).padStart(12, "0");
		return `${uuidAtTime(Date.now()).slice(0, 24)}${tail}`;
	},
};
const live = { read: () => 0 };
const decide = new Decide(
	{ definitions: current, posteriors, live, ids, log: publisher },
	60_000,
);

function nextRequest(): DecisionRequest {
	const key = all[Math.floor(random() * all.length)]?.experiment.key;
	const body = JSON.stringify({ ...requestOf(random), experiment: key });
	return parseDecisionRequest(JSON.parse(body));
}

interface Sample {
	readonly decisions: number;
	readonly heap: number;
	readonly external: number;
	readonly rss: number;
}

function sample(decisions: number): Sample {
	collectGarbage();
	collectGarbage();
	const { heapUsed, external, rss } = process.memoryUsage();
	const taken = {
		decisions,
		heap: heapUsed / MB,
		external: external / MB,
		rss: rss / MB,
	};
	say(
		`${decisions.toLocaleString("en-US").padStart(10)} decisions: heap ${taken.heap.toFixed(2)} MB, external ${taken.external.toFixed(2)} MB, rss ${taken.rss.toFixed(0)} MB`,
	);
	return taken;
}

/** Least squares over the samples. */
function slope(
	samples: readonly Sample[],
	of: (one: Sample) => number,
): number {
	const n = samples.length;
	const x = samples.reduce((sum, one) => sum + one.decisions, 0) / n;
	const y = samples.reduce((sum, one) => sum + of(one), 0) / n;
	let above = 0;
	let below = 0;
	for (const one of samples) {
		above += (one.decisions - x) * (of(one) - y);
		below += (one.decisions - x) ** 2;
	}
	return above / below;
}

await posteriors.poll();
await posteriors.prepareAhead();
say(
	`${EXPERIMENTS} experiments × ${ARMS} arms × d = ${COORDINATES}; the log encodes and drops`,
);
const samples = [sample(0)];
const every = Math.ceil(DECISIONS / SAMPLES / AT_ONCE) * AT_ONCE;
for (let made = 0; made < DECISIONS; ) {
	await Promise.all(
		Array.from({ length: AT_ONCE }, () => decide.execute(nextRequest())),
	);
	made += AT_ONCE;
	if (made % every === 0 || made >= DECISIONS) {
		samples.push(sample(made));
		revision += 1;
		await posteriors.poll();
		await posteriors.prepareAhead();
	}
}
const warm = samples.filter(
	({ decisions }) => decisions >= WARM_UP * DECISIONS,
);
const used = ({ heap, external }: Sample) => heap + external;
const first = warm[0] as Sample;
const last = warm.at(-1) as Sample;
const bytesADecision = slope(warm, used) * MB;
const row = {
	name: "memory",
	ours: used(last),
	baseline: used(first),
	ratio: used(last) / used(first),
	unit: "MB of heap and external",
	against: `after ${first.decisions} decisions`,
	bytesADecision,
	K: ARMS,
	d: COORDINATES,
};
const goals = [
	atMost("growth", bytesADecision, MOST_BYTES, "bytes a decision"),
];
if (options.json) printJson([row], goals);
else {
	printTable(
		["", "after warm-up", "at the end", "slope"],
		[
			[
				"heap and external",
				`${used(first).toFixed(2)} MB`,
				`${used(last).toFixed(2)} MB`,
				`${bytesADecision.toFixed(3)} bytes a decision`,
			],
			[
				"rss",
				`${first.rss.toFixed(0)} MB`,
				`${last.rss.toFixed(0)} MB`,
				`${(slope(warm, ({ rss }) => rss) * MB).toFixed(3)} bytes a decision`,
			],
		],
	);
	console.log(`${(sentBytes / minted).toFixed(0)} bytes of log a decision`);
	printGoals(goals);
	printMachine();
}
