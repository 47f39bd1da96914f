import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEmbeddedPostgres } from "#adapters/embedded";
import { Database, migrate, PostgresPosteriorSource } from "#adapters/postgres";
import { type Definition, parseExperiment } from "#core/experiment";
import { addObservation, emptySums } from "#core/policy";
import { PosteriorCache } from "#usecases/deciding";
import { type Undo, withUndo } from "./decide/children.js";
import { randomNumbers } from "./decide/experiment.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
} from "./support/command.js";
import { atMost, type Goal, printGoals } from "./support/goals.js";
import { median } from "./support/median.js";
import { nodeArgumentsOf } from "./support/npm-script.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * How long a refresh holds up a decision: every arm of a large experiment moves at once, and while a decider reads, adds, factorises and
 * swaps, decisions are asked for one after another. The longest turn of the event loop is what a decision could have waited. In turn with
 * that, the same decisions while nothing is refreshed and PostgreSQL is as busy: what the machine alone holds them up.
 */

interface Options extends BenchmarkOptions {
	readonly rounds: string;
	readonly arms: string;
	readonly dimensions: string;
}

interface RefreshRow extends RatioRow {
	/** Milliseconds. */
	readonly median: number;
	/** The worst, of what the process itself needed. */
	readonly worstOwn: number;
	/** The longest waits while nothing was refreshed. */
	readonly without: number;
	readonly worstWithout: number;
	readonly wholeRefreshMs: number;
}

/** What the longest wait is held against, milliseconds. */
const BOUND_MS = 10;
const CHUNK = 200;
const DAY_MS = 86_400_000;
const KEY = "refreshed";

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:refresh",
		"Longest wait of a decision while all arms of an experiment are refreshed from PostgreSQL.",
	)
		.option("--rounds <n>", "refreshes", "7")
		.option("--arms <K>", "arms", "1000")
		.option("--dimensions <d>", "coordinates of x", "64"),
);
const arms = Number(options.arms);
const d = Number(options.dimensions);
const random = randomNumbers(7);
const quiet = { info() {}, warn() {}, error() {} };

function definition(): Definition {
	const parsed = parseExperiment({
		key: KEY,
		arms: Array.from({ length: arms }, (_, a) => ({ key: `arm-${a}` })),
		context: {
			intercept: false,
			features: [{ name: "v", from: "request", kind: "vector", length: d }],
		},
		policy: { kind: "linucb" },
		reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return {
		id: 1,
		experiment: parsed.value,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "0a".repeat(32),
		bucketMs: DAY_MS,
	};
}

/** Rows of every arm's sums, as a learner would have written them. */
async function writeSums(database: Database): Promise<void> {
	await database.query("insert into revisions (experiment) values ($1)", [KEY]);
	for (let a = 0; a < arms; a++) {
		const sums = emptySums(d);
		for (let i = 0; i < 3; i++) {
			const x = Float64Array.from(
				{ length: d },
				() => Math.round(4_096 * (random() - 0.5)) / 4_096,
			);
			addObservation(sums, d, x, 1, 0.5);
		}
		const bytes = Buffer.from(sums.buffer);
		const chunks = Array.from(
			{ length: Math.ceil(sums.length / CHUNK) },
			(_, chunk) => bytes.subarray(chunk * CHUNK * 8, (chunk + 1) * CHUNK * 8),
		);
		await database.query(
			`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
			select $1, 1, $2, $3, 0, c.place - 1, 0, c.data from unnest($4::bytea[]) with ordinality c (data, place)`,
			[KEY, `arm-${a}`, Math.floor(Date.now() / DAY_MS), chunks],
		);
	}
}

/** A transaction that moves every arm. */
async function moveAll(database: Database, batch: number): Promise<void> {
	await database.query("update sums set batch = $1 where experiment = $2", [
		batch,
		KEY,
	]);
	await database.query(
		`with moved as (update revisions set revision = revision + 1 where experiment = $1 returning revision)
		insert into revision_log (experiment, revision, batch) select $1, m.revision, $2 from moved m`,
		[KEY, batch],
	);
}

interface Turns {
	/** Of the event loop, milliseconds. */
	readonly longest: number;
	/** The same of what the process itself needed of a turn: no more than its processor time, so without what others kept it waiting. */
	readonly longestOwn: number;
	readonly took: number;
}

/** Turns of the event loop while `work` goes on. */
async function longestTurn(
	work: () => Promise<void>,
	eachTurn: () => void,
): Promise<Turns> {
	let longest = 0;
	let longestOwn = 0;
	let last = performance.now();
	let spent = processorMs();
	const startedAt = last;
	let going = true;
	const turn = () => {
		const waited = performance.now() - last;
		longest = Math.max(longest, waited);
		longestOwn = Math.max(longestOwn, Math.min(waited, processorMs() - spent));
		eachTurn();
		last = performance.now();
		spent = processorMs();
		if (going) setImmediate(turn);
	};
	setImmediate(turn);
	await work();
	going = false;
	return { longest, longestOwn, took: performance.now() - startedAt };
}

/** Of all threads. */
function processorMs(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}

/** Keeps a session of PostgreSQL busy for so many milliseconds, without giving this process anything to do. */
async function keepBusy(database: Database, ms: number): Promise<void> {
	const until = performance.now() + ms;
	while (performance.now() < until)
		await database.query(
			"select count(distinct md5(s.data)) from sums s where s.experiment = $1",
			[KEY],
		);
}

async function run(undo: Undo): Promise<readonly RefreshRow[]> {
	const folder = await mkdtemp(join(tmpdir(), "segue-bench-"));
	undo.add(() => rm(folder, { recursive: true, force: true }));
	const postgres = await startEmbeddedPostgres({ folder, log: quiet });
	undo.add(() => postgres.stop());
	await migrate(postgres.connectionString);
	const database = new Database({
		connectionString: postgres.connectionString,
		applicationName: "segue bench",
		statementTimeoutMs: 60_000,
	});
	undo.add(() => database.close());
	await writeSums(database);

	const current = definition();
	const definitions = { get: () => current, all: () => [current] };
	const cache = new PosteriorCache(
		new PostgresPosteriorSource(database),
		definitions,
		{ now: () => Date.now() },
	);
	await cache.refresh(KEY);
	const decide = () => {
		cache.snapshot(current, Math.floor(Date.now() / current.bucketMs));
	};
	const longest: number[] = [];
	const own: number[] = [];
	const took: number[] = [];
	const without: number[] = [];
	for (let round = 1; round <= Number(options.rounds); round++) {
		await moveAll(database, round);
		const measured = await longestTurn(() => cache.refresh(KEY), decide);
		longest.push(measured.longest);
		own.push(measured.longestOwn);
		took.push(measured.took);
		const alone = await longestTurn(
			() => keepBusy(database, measured.took),
			decide,
		);
		without.push(alone.longest);
	}
	const ours = Math.max(...longest);
	return [
		{
			name: "refresh stall",
			ours,
			baseline: BOUND_MS,
			ratio: ours / BOUND_MS,
			unit: "ms",
			against: "bound",
			median: median(longest),
			worstOwn: Math.max(...own),
			without: median(without),
			worstWithout: Math.max(...without),
			wholeRefreshMs: median(took),
			K: arms,
			d,
		},
	];
}

function tell(rows: readonly RefreshRow[]): void {
	const goals = rows.map(({ ours, baseline, unit }) =>
		atMost("longest wait of a decision", ours, baseline, unit),
	);
	if (options.json) printJson(rows, goals);
	else print(rows, goals);
}

function print(rows: readonly RefreshRow[], goals: readonly Goal[]): void {
	printTable(
		[
			"K",
			"d",
			"longest wait of a refresh, ms (median)",
			"of all, ms",
			"own processor time, worst",
			"nothing refreshed, median",
			"worst, ms",
			"whole refresh, ms",
		],
		rows.map((row) => [
			String(row.K),
			String(row.d),
			threeDigits(row.median),
			threeDigits(row.ours),
			threeDigits(row.worstOwn),
			threeDigits(row.without),
			threeDigits(row.worstWithout),
			threeDigits(row.wholeRefreshMs),
		]),
	);
	printGoals(goals);
	printMachine();
}

/** The same with what a decider is started with, which says how the collector works; its exit code. */
function asDecider(given: readonly string[]): number {
	const self = fileURLToPath(import.meta.url);
	const { status } = spawnSync(
		process.execPath,
		[...given, self, ...process.argv.slice(2)],
		{ stdio: "inherit" },
	);
	return status ?? 1;
}

const given = nodeArgumentsOf("start:decider");
if (given.every((one) => process.execArgv.includes(one)))
	await withUndo(run).then(tell);
else process.exitCode = asDecider(given);
