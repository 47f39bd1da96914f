import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "#adapters/embedded";
import {
	Database,
	migrate,
	PostgresDefinitionStore,
	PostgresErasure,
	PostgresLogReads,
	PostgresPosteriorSource,
} from "#adapters/postgres";
import { Verify } from "#usecases/learning";
import { type Undo, withUndo } from "./decide/children.js";
import { ARMS, COORDINATES } from "./decide/experiment.js";
import { copyDatabase, settle, withDatabase } from "./erase/copy.js";
import { heavyUnit, learnLog, OTHERS } from "./erase/log.js";
import { difference, processorMs } from "./erase/processor.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
} from "./support/command.js";
import { atMost, printGoals } from "./support/goals.js";
import { median } from "./support/median.js";
import { medianRow, type RatioRow } from "./support/ratio-row.js";
import { alternate } from "./support/rounds.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * How long an erasure takes in the database, from the call to the commit, waiting for the gate not counted: one heavy listener of a log
 * of many. Against it, plain deletes of the same rows in one transaction, on a copy of the database. A last fold of the log proves that
 * the sums are exact; until then no figure is printed.
 */

interface Options extends BenchmarkOptions {
	readonly rounds: string;
	readonly decisions: string;
	readonly log: string;
	readonly days: string;
}

interface EraseRow extends RatioRow {
	/** Milliseconds, of all rounds. */
	readonly median: number;
	readonly worst: number;
	/** Median milliseconds in which the gate was waited for, in none of the other figures. */
	readonly gate: number;
	/** Median milliseconds of processor time, of this process and of the database's sessions together; null where the system does not tell. */
	readonly processor: number | null;
	readonly baselineProcessor: number | null;
	readonly decisions: number;
	readonly log: number;
	readonly days: number;
}

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:erase",
		"Erasure of a unit from log and sums, against plain deletes of its rows.",
	)
		.option("--rounds <n>", "units erased", "15")
		.option("--decisions <n>", "decisions of each of them", "1000")
		.option("--log <n>", "decisions of the log, theirs included", "50000")
		.option("--days <n>", "days that the log is spread over", "5"),
);
const WARM_UP = 2;
const rounds = Number(options.rounds);
const each = Number(options.decisions);
const size = {
	decisions: Number(options.log),
	heavy: rounds + WARM_UP,
	each,
	days: Number(options.days),
};
const PATIENCE_MS = 10_000;
/** Of an erasure, the gate not counted. */
const MOST_MS = 50;
const COPY = "plain";
const quiet = { info() {}, warn() {}, error() {} };
const say = (what: string) => console.error(what);

const EVENTS = each + OTHERS;

/** Plain deletes, outcomes and states found by the decisions they belong to. */
const plainDeletes: readonly (readonly [sql: string, rows: number])[] = [
	[
		"delete from decision_states s using decisions d where d.unit = $1 and s.id = d.id",
		each,
	],
	[
		"delete from decision_states s using outcomes o where o.unit = $1 and s.id = o.decision_id",
		OTHERS,
	],
	["delete from decisions d where d.unit = $1", each],
	["delete from outcomes o where o.unit = $1", EVENTS],
	["delete from signals g where g.unit = $1", OTHERS],
	["delete from requests r where r.unit = $1", OTHERS],
];

async function run(undo: Undo): Promise<readonly EraseRow[]> {
	const folder = await mkdtemp(join(tmpdir(), "segue-bench-"));
	undo.add(() => rm(folder, { recursive: true, force: true }));
	const postgres = await startEmbeddedPostgres({ folder, log: quiet });
	undo.add(() => postgres.stop());
	const { connectionString } = postgres;
	await migrate(connectionString);
	say(`Learning a log of ${size.decisions} decisions …`);
	const learning = open(connectionString);
	const definition = await learnLog(learning, size);
	await learning.close();
	await copyDatabase(connectionString, COPY);
	const copyString = withDatabase(connectionString, COPY);
	for (const one of [connectionString, copyString]) await settle(one);

	const ours = open(connectionString);
	undo.add(() => ours.close());
	const copy = open(copyString);
	undo.add(() => copy.close());
	const erasing = eraser(ours);
	const deleting = deleter(copy);
	const measured = await alternate(
		[
			{ name: "ours", round: erasing.round },
			{ name: "plain", round: deleting.round },
		],
		rounds,
		WARM_UP,
	);
	await prove(ours, definition.experiment.key);

	const took = measured.get("ours") as readonly number[];
	return [
		{
			...medianRow(
				{
					name: "erase",
					unit: "ms",
					against: "deletes",
					K: ARMS,
					d: COORDINATES,
				},
				took,
				measured.get("plain") as readonly number[],
			),
			median: median(took),
			worst: Math.max(...took),
			gate: median(erasing.gates.slice(WARM_UP)),
			processor: processorTime(erasing.processor),
			baselineProcessor: processorTime(deleting.processor),
			decisions: each,
			log: size.decisions,
			days: size.days,
		},
	];
}

/** Erases the next heavy listener each round. */
function eraser(database: Database) {
	const erasure = new PostgresErasure(database);
	const gates: number[] = [];
	const processor: (number | null)[] = [];
	let next = 0;
	const round = async () => {
		const unit = heavyUnit(next++);
		const before = await processorMs(database);
		const startedAt = performance.now();
		const { removed, gateMs } = await erasure.erase([unit], PATIENCE_MS);
		const took = performance.now() - startedAt;
		processor.push(difference(before, await processorMs(database)));
		gates.push(gateMs);
		expectEqual(`what was removed of ${unit}`, removed, {
			decisions: each,
			learned: each,
			waiting: OTHERS,
			outcomes: EVENTS,
			signals: OTHERS,
			requests: OTHERS,
			deadLetters: 0,
			profiles: 0,
			consents: 0,
		});
		return took - gateMs;
	};
	return { round, gates, processor };
}

function deleter(database: Database) {
	const processor: (number | null)[] = [];
	let next = 0;
	const round = async () => {
		const unit = heavyUnit(next++);
		const before = await processorMs(database);
		const startedAt = performance.now();
		const removed = await database.transaction(async (client) => {
			const counts: (number | null)[] = [];
			for (const [sql] of plainDeletes)
				counts.push((await client.query(sql, [unit])).rowCount);
			return counts;
		});
		const took = performance.now() - startedAt;
		processor.push(difference(before, await processorMs(database)));
		expectEqual(
			`what plain deletes removed of ${unit}`,
			removed,
			plainDeletes.map(([, rows]) => rows),
		);
		return took;
	};
	return { round, processor };
}

/** No row of the erased is left, and what is stored equals a fold of what is left. */
async function prove(database: Database, key: string): Promise<void> {
	const [left] = await database.query<{ n: number }>(
		`select ((select count(*) from decisions d where d.unit like $1) + (select count(*) from outcomes o where o.unit like $1)
			+ (select count(*) from signals g where g.unit like $1) + (select count(*) from requests r where r.unit like $1)
			+ (select count(*) from decision_states s where not exists (select from decisions d where d.id = s.id)))::int as n`,
		[heavyUnit(0).replace(/0$/, "%")],
	);
	expectEqual("rows that are left", left?.n, 0);
	const reads = new PostgresLogReads(
		database,
		new PostgresPosteriorSource(database),
		new PostgresDefinitionStore(database),
	);
	const { equal, decisions } = await new Verify(reads).execute(key);
	expectEqual("sums beside the fold of the log", equal, true);
	expectEqual(
		"decisions that are left",
		decisions,
		size.decisions - size.heavy * each,
	);
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
	const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
	if (a !== b)
		throw new Error(`The figures mean nothing: ${what} is ${a}, not ${b}.`);
}

function open(connectionString: string): Database {
	return new Database({
		connectionString,
		applicationName: "segue bench",
		statementTimeoutMs: 60_000,
	});
}

function processorTime(values: readonly (number | null)[]): number | null {
	const known = values
		.slice(WARM_UP)
		.filter((value): value is number => value !== null);
	return known.length === 0 ? null : median(known);
}

const rows = await withUndo(run);
const goals = rows.map((row) =>
	atMost(`erasure of ${each} decisions`, row.median, MOST_MS, "ms"),
);
if (options.json) printJson(rows, goals);
else {
	printTable(
		[
			"erased of",
			"decisions",
			"ms (median)",
			"worst, ms",
			"plain deletes, ms",
			"ratio",
			"processor, ms",
			"of deletes, ms",
			"gate, ms",
		],
		rows.map((row) => [
			String(row.log),
			String(row.decisions),
			threeDigits(row.median),
			threeDigits(row.worst),
			threeDigits(row.baseline),
			threeDigits(row.ratio),
			row.processor === null ? "?" : threeDigits(row.processor),
			row.baselineProcessor === null ? "?" : threeDigits(row.baselineProcessor),
			threeDigits(row.gate),
		]),
	);
	printGoals(goals);
	printMachine();
}
