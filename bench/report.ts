import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "#adapters/embedded";
import {
	Database,
	migrate,
	PostgresBookedReads,
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
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * What a report is made of, read from rollups of the size that many decisions leave (made by the database, not booked), against the 2 s it
 * may take; that no statement touches the log is read off the database's own counters. And what booking a decision costs, from a log that
 * learners wrote, against what learning it cost.
 */

interface Options extends BenchmarkOptions {
	readonly decisions: number;
	readonly booked: number;
	readonly rounds: number;
}

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:report",
		"Rollups read as a report is made of them, and what booking costs.",
	)
		.option(
			"--decisions <n>",
			"decisions whose rollups are read",
			wholeFrom(1_000),
			10_000_000,
		)
		.option(
			"--booked <n>",
			"decisions that are learned and booked",
			wholeFrom(1_000),
			50_000,
		)
		.option("--rounds <n>", "reads", wholeFrom(1), 15),
);
const LIMIT_SECONDS = 2;
const DAYS = 28;
const quiet = { info() {}, warn() {}, error() {} };
const say = (what: string) => console.error(what);

interface ReportRow extends RatioRow {
	readonly decisions: number;
	/** Decisions a second, where that is what was measured. */
	readonly perSecond: number | null;
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
	const definition = await learnLog(database, size);
	const learning = difference(before, await processorMs(database));
	const booking = await book(database, learning);
	const { key } = definition.experiment;
	const reads = new PostgresBookedReads(database);
	const { metrics } = await reads.counts(key, 1, 1);
	say(`Making the rollups of ${options.decisions} decisions …`);
	await makeRollups(database, key, metrics, {
		decisions: options.decisions,
		units: Math.ceil(options.decisions / 10),
		days: DAYS,
		arms: ARMS,
		epochs: 2,
	});
	await settle(connectionString);
	const took: number[] = [];
	const scans = await scansOfLog(database);
	for (let round = 0; round < options.rounds; round++) {
		const startedAt = performance.now();
		await reads.counts(key, 1, 9);
		took.push((performance.now() - startedAt) / 1_000);
	}
	const scanned = (await scansOfLog(database)) - scans;
	if (scanned !== 0)
		throw new Error(
			`The figures mean nothing: reports touched the log ${scanned} times.`,
		);
	const worst = Math.max(...took);
	return [
		{
			name: "rollups read, worst",
			unit: "s",
			against: "limit",
			ours: worst,
			baseline: LIMIT_SECONDS,
			ratio: worst / LIMIT_SECONDS,
			decisions: options.decisions,
			perSecond: null,
		},
		booking,
	];
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

/** Index and sequential scans of the log's partitions so far. */
async function scansOfLog(database: Database): Promise<number> {
	// Counters of other sessions are seen once they are flushed, a second after they have come to rest.
	await new Promise((resolve) => setTimeout(resolve, 2_500));
	const [row] = await database.query<{ n: number }>(
		`select sum(coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0))::bigint as n from pg_stat_user_tables t
		where t.relname ~ '^(decisions|outcomes|decision_states|signals)(_[0-9]{8})?$'`,
	);
	return row?.n ?? 0;
}

const rows = await withUndo(run);
if (options.json) printJson(rows);
else {
	printMachine();
	printTable(
		["", "decisions", "ours", "beside", "ratio", "unit", "decisions/s"],
		rows.map((row) => [
			row.name,
			row.decisions.toLocaleString("en-US"),
			threeDigits(row.ours),
			`${threeDigits(row.baseline)} (${row.against})`,
			threeDigits(row.ratio),
			row.unit,
			row.perSecond === null ? "" : threeDigits(row.perSecond),
		]),
	);
}
