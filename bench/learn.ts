import { writeFileSync } from "node:fs";
import { Database, PostgresDefinitionStore } from "#adapters/postgres";
import { openJetStream } from "#adapters/stream";
import type { Definition } from "#core/experiment";
import {
	type Running,
	type Servers,
	startDecider,
	startLearner,
	startServers,
	type Undo,
	withUndo,
} from "./decide/children.js";
import { experiment, KEY } from "./decide/experiment.js";
import { fillLog } from "./learn/filled-log.js";
import { type Freshness, measureFreshness } from "./learn/freshness.js";
import { timeOfAPair } from "./learn/more-rows.js";
import { Pairs } from "./learn/pairs.js";
import { PlainInserts } from "./learn/plain-inserts.js";
import { Rounds, type Sides } from "./learn/rounds.js";
import { sumsAfterBatches } from "./learn/sums-size.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import { atLeast, atMost, type Goal, printGoals } from "./support/goals.js";
import { median } from "./support/median.js";
import { medianRow, type RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * Decisions and outcomes from JetStream to committed sums, by one learner as it is deployed, against plain batched inserts of the same
 * rows into two tables with the same columns and indexes; in rounds that alternate. Then the same with more rows in the log, how soon an
 * event is used, and the size of the sums after many batches.
 */

interface Options extends BenchmarkOptions {
	readonly rounds: number;
	readonly pairs: number;
	readonly lag: number;
	readonly rows: number;
	readonly moreRows: number;
	readonly seconds: number;
	readonly batches: number;
	readonly profile?: string;
}

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:learn",
		"Pairs of a decision and its outcome a second, from JetStream to committed sums, against plain inserts of the same rows.",
	)
		.option("--rounds <n>", "rounds of each", wholeFrom(1), 3)
		.option("--pairs <n>", "pairs in a round", wholeFrom(1), 40_000)
		.option(
			"--lag <n>",
			"decisions between a decision and its outcome",
			wholeFrom(0),
			10_000,
		)
		.option(
			"--rows <n>",
			"decisions in the log at first",
			wholeFrom(0),
			100_000,
		)
		.option(
			"--more-rows <n>",
			"decisions in the log later",
			wholeFrom(0),
			1_000_000,
		)
		.option("--seconds <n>", "how long freshness is measured", wholeFrom(2), 20)
		.option(
			"--batches <n>",
			"batches before the sums are weighed",
			wholeFrom(1),
			5_000,
		)
		.option("--profile <file>", "write the learner's CPU profile there"),
);
const say = options.json ? console.error : console.log;
const LONGEST_STATEMENT_MS = 300_000;
/** Of partitions that each statement has to pass over, as in a log that is kept for SEGUE_LOG_DAYS. */
const DAYS = 85;
const label = { K: 20, d: 32 };
const LEAST_RATIO = 0.4;
const LEAST_PAIRS = 10_000;
/** More than rounds of the same log differ by on a machine that others use. */
const FLAT = 1.25;
const MOST_P50_MS = 50;
const MOST_P99_MS = 250;
const MOST_MB = 10;

interface Bench extends Sides {
	readonly decider: Running;
	readonly database: Database;
}

async function start(undo: Undo): Promise<Bench> {
	const servers: Servers = await startServers(undo);
	const learner = await startLearner(servers, undo);
	const decider = await startDecider(servers, undo);
	await send(decider, "PUT", `/v1/experiments/${KEY}`, experiment);
	await send(decider, "POST", `/v1/experiments/${KEY}/start`, {});
	const database = new Database({
		connectionString: servers.databaseUrl,
		applicationName: "segue bench",
		statementTimeoutMs: LONGEST_STATEMENT_MS,
	});
	undo.add(() => database.close());
	await database.query(
		"select segue_ensure_partitions(current_date - $1::int, current_date)",
		[DAYS],
	);
	const definition = await new PostgresDefinitionStore(database).find(KEY);
	const stream = await openJetStream({ servers: servers.natsUrl });
	undo.add(() => stream.close());
	const plain = await PlainInserts.prepare(servers.databaseUrl, "plain", 1);
	undo.add(() => plain.close());
	const plainTwice = await PlainInserts.prepare(
		servers.databaseUrl,
		"plain_twice",
		2,
	);
	undo.add(() => plainTwice.close());
	const pairs = new Pairs(definition as Definition);
	return { learner, decider, database, stream, plain, plainTwice, pairs };
}

async function send(
	{ url }: Running,
	method: string,
	path: string,
	body: unknown,
): Promise<void> {
	const answer = await fetch(url + path, {
		method,
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!answer.ok)
		throw new Error(
			`${method} ${path} answered ${answer.status}: ${await answer.text()}`,
		);
}

/** What was learned must be all that was sent, or the figures mean nothing. */
async function checkLearned(
	database: Database,
	learned: number,
): Promise<void> {
	const rows = await database.query<{ verdict: string; count: number }>(
		"select v.verdict, sum(v.count)::bigint as count from verdict_counts v where v.experiment = $1 group by v.verdict having sum(v.count) <> 0",
		[KEY],
	);
	const counts = Object.fromEntries(
		rows.map(({ verdict, count }) => [verdict, count]),
	);
	const right = counts.logged === learned && counts.applied === learned;
	if (!right || rows.length !== 2)
		throw new Error(
			`${learned} pairs were sent, and the ledger counts ${JSON.stringify(counts)}.`,
		);
}

function besideBound({ name, unit, value, bound }: Goal): RatioRow {
	return {
		name,
		unit,
		against: "bound",
		ours: value,
		baseline: bound,
		ratio: value / bound,
		...label,
	};
}

interface Findings {
	readonly rows: readonly RatioRow[];
	readonly goals: readonly Goal[];
	readonly processorUs: { readonly few: number; readonly many: number };
	readonly freshness: Freshness;
}

async function profiled<T>(bench: Bench, work: () => Promise<T>): Promise<T> {
	if (options.profile === undefined) return work();
	await bench.learner.ask("profile");
	const result = await work();
	const profile = await bench.learner.ask("profiled");
	writeFileSync(options.profile, JSON.stringify(profile));
	return result;
}

async function measure(bench: Bench): Promise<Findings> {
	const { database, plain, plainTwice, pairs, decider } = bench;
	const both = [plain, plainTwice];
	const unit = "pairs/s";
	const inRounds = new Rounds(bench, {
		rounds: options.rounds,
		pairs: options.pairs,
		lag: options.lag,
	});
	await inRounds.first();
	say("small batches");
	// First, while the log is small: an analyze of a large partition holds a snapshot for seconds, and the sums grow meanwhile.
	const small = await sumsAfterBatches(pairs, database, options.batches, say);
	await fillLog(database, both, options.rows, say);
	const few = await profiled(bench, () => inRounds.compare(say));
	await fillLog(database, both, options.moreRows, say);
	const many = await inRounds.compare(say);
	await checkLearned(database, inRounds.learned + small.pairs);
	const learn = medianRow(
		{ name: "learn", unit, against: "inserts", ...label },
		few.ours,
		few.baseline,
	);
	const learnMore = medianRow(
		{ name: "learn, more rows", unit, against: "inserts", ...label },
		many.ours,
		many.baseline,
	);

	say("freshness");
	const freshness = await measureFreshness(
		decider.url,
		database,
		options.seconds,
	);
	const ofMoreRows = { ...timeOfAPair(few.ours, many.ours), ...label };
	const bounds = [
		atLeast("learn, at least", median(few.ours), LEAST_PAIRS, unit),
		atMost("freshness p50", freshness.p50Ms, MOST_P50_MS, "ms"),
		atMost("freshness p99", freshness.p99Ms, MOST_P99_MS, "ms"),
		atMost("sums table", small.bytes / 1e6, MOST_MB, "MB"),
	];
	return {
		goals: [
			atLeast("learn", learn.ratio, LEAST_RATIO, "× plain inserts"),
			atMost(ofMoreRows.name, ofMoreRows.ratio, FLAT, "× with fewer"),
			...bounds,
		],
		rows: [
			learn,
			learnMore,
			medianRow(
				{
					name: "learn, against two connections",
					unit,
					against: "inserts",
					...label,
				},
				few.ours,
				few.twice,
			),
			ofMoreRows,
			...bounds.map(besideBound),
		],
		processorUs: { few: few.processorUs, many: many.processorUs },
		freshness,
	};
}

function print({ rows, goals, freshness, processorUs }: Findings): void {
	printTable(
		["", "ours", "baseline", "ratio", "unit"],
		rows.map((row) => [
			row.name,
			threeDigits(row.ours),
			`${threeDigits(row.baseline)} (${row.against})`,
			row.ratio.toFixed(3),
			row.unit,
		]),
	);
	console.log(
		`\nThe log had partitions of ${DAYS} days and at first ${options.rows} decisions, later ${options.moreRows}, and ${(options.rounds + 1) * options.pairs} more after each; an outcome came ${options.lag} decisions after its own. The learner's processor time a pair: ${processorUs.few.toFixed(0)} µs, later ${processorUs.many.toFixed(0)} µs.`,
	);
	console.log(
		`Freshness over ${freshness.events} events, ${Math.round(freshness.eventsPerSecond)} a second: longest ${freshness.maxMs.toFixed(0)} ms.`,
	);
	printGoals(goals);
	printMachine();
}

await withUndo(async (undo) => {
	const found = await measure(await start(undo));
	if (options.json) printJson(found.rows, found.goals);
	else print(found);
});
