import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import { isKept } from "./support/goals.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";
import { LISTENERS } from "./validity/listeners.js";
import { Pool } from "./validity/pool.js";
import {
	caseRows,
	delayRows,
	goalsOf,
	pauseRows,
	rampRows,
	standardErrorRows,
	WITHIN,
	widthRows,
} from "./validity/rows.js";
import { type Scenario, SKIP_LIMIT } from "./validity/world.js";

/**
 * How often the report's numbers would be wrong, on runs in which the truth is known: LinUCB assigns and learns, and everything is looked
 * at 10,000 times a run. Beside it what the usual readings of the same runs would have claimed.
 */
interface Options extends BenchmarkOptions {
	readonly quick: boolean;
	readonly runs?: number;
	readonly decisions?: number;
	readonly seed: number;
	readonly threads: number;
	readonly case?: string;
}

const nameOf = ({ arms, listeners }: Pick<Scenario, "arms" | "listeners">) =>
	`${arms}/${listeners}`;
const CASES = (["equal", "differ"] as const).flatMap((arms) =>
	LISTENERS.map((listeners) => ({ arms, listeners })),
);

function knownCase(text: string): string {
	const names = CASES.map(nameOf);
	if (names.includes(text)) return text;
	throw new InvalidArgumentError(`Give one of ${names.join(", ")}.`);
}

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:validity",
		"Share of runs in which lift, arm values and guardrails were wrong at any look, widths, and delays of guardrails.",
	)
		.option("--quick", "200 runs of 20,000 decisions", false)
		.option("--runs <n>", "runs of each case (1,000)", wholeFrom(1))
		.option(
			"--decisions <n>",
			"decisions of each run (100,000)",
			wholeFrom(1_000),
		)
		.option(
			"--seed <n>",
			"seed of the first run; others follow",
			wholeFrom(0),
			1,
		)
		.option(
			"--case <arms/listeners>",
			"one case alone, such as differ/heavy-first: with --seed and --runs 1 it plays one run again",
			knownCase,
		)
		.option(
			"--threads <n>",
			"worker threads",
			wholeFrom(1),
			availableParallelism(),
		),
);
const runs = options.runs ?? (options.quick ? 200 : 1_000);
const decisions = options.decisions ?? (options.quick ? 20_000 : 100_000);
const seeds = Array.from({ length: runs }, (_, i) => options.seed + i);
/** Runs that measure a size rather than a share. */
const FEW = 20;

const common = {
	decisions,
	units: Math.ceil(decisions / 20),
	control: 0.2,
	listeners: "iid",
	looks: 10_000,
} as const;
const cases = CASES.map(
	(one): Scenario => ({ ...common, ...one, K: 4, explore: 0.05 }),
).filter((one) => [undefined, nameOf(one)].includes(options.case));
const manyArms: Scenario = { ...common, arms: "differ", K: 12, explore: 0.02 };
const plain: Scenario = { ...common, arms: "equal", K: 4, explore: 0.05 };

/** Control goes from a tenth to a half while everybody's rewards rise. */
const RAMP = {
	units: 2_000,
	decisions: 20_000,
	controls: [0.1, 0.5],
	drift: 0.3,
	gain: 0.1,
} as const;

/** Four pauses, between which everybody's rewards swing. */
const PAUSED = {
	units: 2_000,
	decisions: 20_000,
	control: 0.2,
	pauses: 4,
	swing: 0.2,
	gain: 0.1,
} as const;

async function measureCase(
	pool: Pool,
	scenario: Scenario,
): Promise<RatioRow[]> {
	const rows = caseRows(scenario, await pool.run("simulate", scenario, seeds));
	const figures = rows
		.filter(({ against }) => against === WITHIN)
		.map(({ name, ours }) => `${name} ${threeDigits(ours)}`);
	console.error(figures.join(", "));
	return rows;
}

/** What is a size, or a share of other runs than the cases'. */
function measureOthers(pool: Pool): Promise<RatioRow[]>[] {
	const few = seeds.slice(0, FEW);
	return [
		pool.run("widthsOf", plain, few).then(widthRows),
		pool
			.run("standardErrorsOf", manyArms, few)
			.then((errors) => standardErrorRows(errors, manyArms.K)),
		...[0.02, 0.05, 0.1].map((excess) =>
			pool
				.run("delayOf", { excess, units: 5_000, decisions: 50_000 }, seeds)
				.then((delays) => delayRows(excess, SKIP_LIMIT, delays)),
		),
		pool.run("rampOf", RAMP, seeds).then(rampRows),
		...LISTENERS.map((listeners) =>
			pool
				.run("pausesOf", { ...PAUSED, listeners }, seeds)
				.then((runs) => pauseRows(listeners, runs)),
		),
	];
}

async function measure(pool: Pool): Promise<RatioRow[]> {
	const others = options.case === undefined ? measureOthers(pool) : [];
	const measured = cases.map((scenario) => measureCase(pool, scenario));
	return (await Promise.all([...others, ...measured])).flat();
}

const started = performance.now();
const pool = new Pool(options.threads);
const rows = await measure(pool).finally(() => pool.close());
const seconds = Math.round((performance.now() - started) / 1_000);
const played = {
	seeds: { first: options.seed, last: options.seed + runs - 1 },
	runs,
	decisions,
	seconds,
};

const goals = goalsOf(rows);
if (options.json) printJson(rows, goals, played);
else {
	printTable(
		["", "ours", "against", "", "ratio", "unit"],
		rows.map(({ name, ours, against, baseline, ratio, unit }) => [
			name,
			threeDigits(ours),
			against,
			threeDigits(baseline),
			threeDigits(ratio),
			unit,
		]),
	);
	console.log(
		`\n${runs} runs of ${decisions} decisions a case, seeds ${played.seeds.first} to ${played.seeds.last}, ${seconds} s`,
	);
	printMachine();
}
for (const { name, value, bound, unit } of goals.filter(
	(goal) => !isKept(goal),
)) {
	console.error(
		`${name}: ${threeDigits(value)} ${unit} where at most ${threeDigits(bound)} is wanted`,
	);
	process.exitCode = 1;
}
