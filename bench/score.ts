import { factorTwin, hasKernel, scoreBlocksByTwin } from "#core/linalg";
import { prepareArm, scoreArms } from "#core/policy";
import { CProgram } from "./score-c.js";
import { RIDGE, type ScoreCase, scoreCase } from "./score-case.js";
import { mlMatrixScorer } from "./score-ml-matrix.js";
import { printScores, scoreGoals } from "./score-table.js";
import { benchmark, benchmarkOptions, printJson } from "./support/command.js";
import { medianRow, type RatioRow } from "./support/ratio-row.js";
import { alternate, type Contender } from "./support/rounds.js";

/** Arms and coordinates of a decision. */
const CASES = [
	[5, 16],
	[20, 32],
	[100, 64],
	[1000, 32],
	[20, 128],
] as const;
/** Arms whose sums changed, for the refresh. */
const REFRESHED = 20;
const ROUNDS = 61;
/** How long one round of one contender is to last: shorter than a busy machine lets it run in one go. */
const ROUND_MICROSECONDS = 1_500;

const options = benchmarkOptions(
	benchmark(
		"bench:score",
		"Microseconds to score K arms of d coordinates, and to make one arm's factor anew, beside C and ml-matrix",
	),
);
const c = CProgram.build();
if (!hasKernel())
	console.error(
		"There is no WebAssembly with SIMD here: the rows are those of the twin.",
	);
if (c === null)
	console.error("There is no C compiler (cc) here: rows without C.");
try {
	const rows: RatioRow[] = [];
	for (const [K, d] of CASES) rows.push(...(await scoreRows(K, d)));
	for (const d of new Set(CASES.map(([, each]) => each)))
		rows.push(...(await refreshRows(d)));
	const goals = scoreGoals(rows);
	if (options.json) printJson(rows, goals);
	else printScores(rows, goals);
} finally {
	c?.close();
}

async function scoreRows(K: number, d: number): Promise<RatioRow[]> {
	const input = scoreCase(K, d);
	const models = input.sums.map((sums) => prepareArm(sums, d, RIDGE));
	const means = new Float64Array(K);
	const widths = new Float64Array(K);
	const byMlMatrix = mlMatrixScorer(input);
	const first = input.xs[0] as Float64Array;
	scoreArms(models, first, means, widths);
	const ours = [total(means), total(widths)];
	requireSame("ml-matrix", byMlMatrix(first), ours);
	if (c) requireSame("C", await c.load(input), ours);
	const measured = await alternate(
		[
			inTurn("kernel", input, (x) => scoreArms(models, x, means, widths)),
			inTurn("js", input, (x) => scoreBlocksByTwin(models, x, means, widths)),
			inTurn("ml-matrix", input, byMlMatrix),
			...(await byC("score")),
		],
		ROUNDS,
	);
	return ratios("score", measured, { K, d });
}

async function refreshRows(d: number): Promise<RatioRow[]> {
	const input = scoreCase(REFRESHED, d);
	const { sums, systems } = input;
	if (c) await c.load(input);
	let arm = 0;
	const next = () => (arm = (arm + 1) % REFRESHED);
	const measured = await alternate(
		[
			repeated("kernel", () =>
				prepareArm(sums[next()] as Float64Array, d, RIDGE),
			),
			repeated("js", () =>
				factorTwin(systems[next()] as Float64Array, d, RIDGE),
			),
			...(await byC("refresh")),
		],
		ROUNDS,
	);
	return ratios("refresh", measured, { d });
}

/** Our kernel beside each of the others. */
function ratios(
	name: string,
	measured: ReadonlyMap<string, readonly number[]>,
	size: { readonly K?: number; readonly d: number },
): RatioRow[] {
	const ours = measured.get("kernel") ?? [];
	return [...measured]
		.filter(([against]) => against !== "kernel")
		.map(([against, baseline]) =>
			medianRow({ name, unit: "µs", against, ...size }, ours, baseline),
		);
}

function inTurn(
	name: string,
	{ xs }: ScoreCase,
	score: (x: Float64Array) => unknown,
): Contender {
	let turn = 0;
	return repeated(name, () => {
		turn = (turn + 1) % xs.length;
		score(xs[turn] as Float64Array);
	});
}

/**
 * Rounds of as many runs of `once` as fill their time: microseconds of one. Two runs before them bring back to the caches what the others'
 * rounds put out; C does the same.
 */
function repeated(name: string, once: () => unknown): Contender {
	const timed = (times: number) => {
		once();
		once();
		const begin = performance.now();
		for (let i = 0; i < times; i++) once();
		return ((performance.now() - begin) * 1000) / times;
	};
	// The compilers of V8 have done their work after this.
	for (let spent = 0; spent < 100 * ROUND_MICROSECONDS; )
		spent += timed(10) * 10;
	const times = timesOf(timed(10));
	return { name, round: () => timed(times) };
}

async function byC(what: "score" | "refresh"): Promise<Contender[]> {
	if (c === null) return [];
	await c.time(what, 1);
	const times = timesOf(await c.time(what, 10));
	return [{ name: "c", round: () => c.time(what, times) }];
}

function timesOf(microseconds: number): number {
	return Math.max(1, Math.round(ROUND_MICROSECONDS / microseconds));
}

function total(values: Float64Array): number {
	return values.reduce((sum, value) => sum + value, 0);
}

/** A contender that computes something else is none. */
function requireSame(
	name: string,
	theirs: readonly number[],
	ours: readonly number[],
): void {
	const isNear = ours.every(
		(value, i) =>
			Math.abs((theirs[i] as number) - value) <= 1e-6 * (1 + Math.abs(value)),
	);
	if (!isNear)
		throw new Error(
			`${name} has other sums of means and widths: ${theirs.join(", ")} where the kernel has ${ours.join(", ")}.`,
		);
}
