import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "#adapters/embedded";
import {
	Database,
	migrate,
	PostgresBookingLog,
	PostgresDefinitionStore,
} from "#adapters/postgres";
import { BookDecisions } from "#usecases/booking";
import { type Undo, withUndo } from "./decide/children.js";
import { ARMS } from "./decide/experiment.js";
import { settle } from "./erase/copy.js";
import { learnLog } from "./erase/log.js";
import { difference, processorMs } from "./erase/processor.js";
import { makeRollups } from "./report/rollups.js";
import { defineReported, reportsOf } from "./report/whole-report.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import { atMost, printGoals } from "./support/goals.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * What booking a decision costs, from a log that learners wrote, against what learning it cost. And the whole report, from rollups of the
 * size that many decisions leave (made by the database, not booked), against the 2 s it may take: reading, reckoning and writing the answer;
 * that no row of the log is read is told by the database's own counters.
 */

interface Options extends BenchmarkOptions {
	readonly decisions: number;
	readonly booked: number;
	readonly rounds: number;
}

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:report",
		"What booking a decision costs, and how long a report over many takes.",
	)
		.option(
			"--decisions <n>",
			"decisions whose rollups are reported",
			wholeFrom(1_000),
			10_000_000,
		)
		.option(
			"--booked <n>",
			"decisions that are learned and booked",
			wholeFrom(1_000),
			50_000,
		)
		.option("--rounds <n>", "reports", wholeFrom(1), 15),
);
const LIMIT = "limit";
const LIMIT_SECONDS = 2;
const SHAPES = [
	{ arms: ARMS, days: 28, epochs: 2 },
	{ arms: 1_000, days: 30, epochs: 1 },
];
const quiet = { info() {}, warn() {}, error() {} };
const say = (what: string) => console.error(what);

interface ReportRow extends RatioRow {
	readonly decisions: number;
	/** Decisions a second, where that is what was measured. */
	readonly perSecond: number | null;
	/** Of the answer. */
	readonly bytes?: number;
}

async function run(undo: Undo): Promise<readonly ReportRow[]> {
	const folder = await mkdtemp(join(tmpdir(), "segue-bench-"));
	undo.add(() => rm(folder, { recursive: true, force: true }));
	const postgres = await startEmbeddedPostgres({ folder, log: quiet });
	undo.add(() => postgres.stop());
	const { connectionString } = postgres;
	await migrate(connectionString);
	const database = new Database({
		connectionString,
		applicationName: "segue bench",
		statementTimeoutMs: 600_000,
	});
	undo.add(() => database.close());
	say(`Learning a log of ${options.booked} decisions …`);
	const size = { decisions: options.booked, heavy: 1, each: 1, days: 2 };
	const before = await processorMs(database);
	let learning: number | null = null;
	await learnLog(database, size, async () => {
		learning = difference(before, await processorMs(database));
	});
	const booking = await book(database, learning);
	const rows = [booking];
	for (const shape of SHAPES) {
		const key = `report-of-${shape.arms}`;
		say(`Making the rollups of ${options.decisions} decisions …`);
		await defineReported(database, key, shape.arms);
		await makeRollups(database, key, {
			...shape,
			decisions: options.decisions,
			units: shape.epochs > 1 ? Math.ceil(options.decisions / 10) : 0,
		});
		await settle(connectionString);
		rows.push(...(await report(database, key, shape.arms)));
	}
	return rows;
}

/** The worst of the rounds, once the code is warm and the first connection made. */
async function report(
	database: Database,
	key: string,
	K: number,
): Promise<readonly ReportRow[]> {
	const reports = reportsOf(database);
	const rows: ReportRow[] = [];
	for (const format of ["json", "html"] as const) {
		let text = await reports[format](key);
		const before = await rowsOfLog(database);
		let worst = 0;
		for (let round = 0; round < options.rounds; round++) {
			const startedAt = performance.now();
			text = await reports[format](key);
			worst = Math.max(worst, (performance.now() - startedAt) / 1_000);
		}
		const read = (await rowsOfLog(database)) - before;
		if (read !== 0)
			throw new Error(
				`The figures mean nothing: reports read ${read} rows of the log.`,
			);
		rows.push({
			name: `the whole report as ${format}, worst`,
			unit: "s",
			against: LIMIT,
			ours: worst,
			baseline: LIMIT_SECONDS,
			ratio: worst / LIMIT_SECONDS,
			K,
			decisions: options.decisions,
			perSecond: null,
			bytes: Buffer.byteLength(text),
		});
	}
	return rows;
}

async function book(
	database: Database,
	learningMs: number | null,
): Promise<ReportRow> {
	say("Booking it …");
	const log = new PostgresBookingLog(
		database,
		new PostgresDefinitionStore(database),
	);
	const before = await processorMs(database);
	const startedAt = performance.now();
	let booked = 0;
	const booking = new BookDecisions(log);
	for (let more = true; more; ) {
		const some = await booking.execute(Date.now());
		booked += some;
		more = some > 0;
	}
	const seconds = (performance.now() - startedAt) / 1_000;
	const processor = difference(before, await processorMs(database));
	if (booked !== options.booked)
		throw new Error(
			`The figures mean nothing: ${booked} decisions were booked, not ${options.booked}.`,
		);
	const each = (ms: number | null) =>
		ms === null ? Number.NaN : (1_000 * ms) / options.booked;
	return {
		name: "booking, processor time a decision",
		unit: "µs",
		against: "learning",
		ours: each(processor),
		baseline: each(learningMs),
		ratio: each(processor) / each(learningMs),
		K: ARMS,
		decisions: options.booked,
		perSecond: booked / seconds,
	};
}

/** Rows that statements have read of the log's partitions so far, by index or without. */
async function rowsOfLog(database: Database): Promise<number> {
	// Counters of other sessions are seen once they are flushed, a second after they have come to rest.
	await new Promise((resolve) => setTimeout(resolve, 2_500));
	const [row] = await database.query<{ n: number }>(
		`select sum(coalesce(t.seq_tup_read, 0) + coalesce(t.idx_tup_fetch, 0))::bigint as n from pg_stat_user_tables t
		where t.relname ~ '^(decisions|outcomes|decision_states|signals)(_[0-9]{8})?$'`,
	);
	return row?.n ?? 0;
}

const rows = await withUndo(run);
const goals = rows
	.filter(({ against }) => against === LIMIT)
	.map(({ name, K, ours, baseline, unit }) =>
		atMost(`${name}, K = ${K}`, ours, baseline, unit),
	);
if (options.json) printJson(rows, goals);
else {
	printTable(
		[
			"",
			"K",
			"decisions",
			"ours",
			"beside",
			"ratio",
			"unit",
			"decisions/s",
			"kB",
		],
		rows.map((row) => [
			row.name,
			String(row.K),
			row.decisions.toLocaleString("en-US"),
			threeDigits(row.ours),
			`${threeDigits(row.baseline)} (${row.against})`,
			threeDigits(row.ratio),
			row.unit,
			row.perSecond === null ? "" : threeDigits(row.perSecond),
			row.bytes === undefined ? "" : threeDigits(row.bytes / 1_000),
		]),
	);
	printGoals(goals);
	printMachine();
}
