import { readConfig } from "#adapters/config";
import { PostgresDefinitionStore, PostgresRetention } from "#adapters/postgres";
import {
	oldestOf,
	type RetentionResult,
	RunRetention,
} from "#usecases/retaining";
import { logDays } from "../../boot/src/kept-for.js";
import { openPrivacy } from "../../boot/src/open-privacy.js";
import { withInstance } from "./cli-instance.js";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Drops the days of the log before a day, or before what SEGUE_LOG_DAYS and privacy files keep. 0 where all went, 1 where a day was kept. */
export async function runRetention(options: {
	readonly before?: string;
	readonly dryRun?: boolean;
	readonly json?: boolean;
}): Promise<number> {
	const before = options.before ?? (await configured());
	refuseRecent(before);
	return withInstance(async (database) => {
		const result = await new RunRetention(
			new PostgresRetention(database, new PostgresDefinitionStore(database)),
			// Deciders find the new revisions when they poll: the sums are the same.
			() => {},
			(day) => {
				if (process.stderr.isTTY)
					process.stderr.write(`\rgoing through ${day}`);
			},
		).execute(before, options.dryRun);
		if (process.stderr.isTTY) process.stderr.write("\n");
		if (options.json) console.log(JSON.stringify(result));
		else printResult(result, options.dryRun === true);
		return result.kept.length === 0 && !result.elsewhere ? 0 : 1;
	});
}

async function configured(): Promise<string> {
	const read = readConfig();
	if (!read.ok) throw new Error(read.problems.join("\n"));
	const { policy } = await openPrivacy(read.value);
	const days = logDays(read.value.logDays, policy, console.error);
	return oldestOf(days, Date.now());
}

/** Events of yesterday's decisions still come. */
function refuseRecent(before: string): void {
	if (!DAY.test(before) || Number.isNaN(Date.parse(before)))
		throw new Error(
			`--before ${before} is no day: give a UTC day such as 2026-01-05.`,
		);
	const latest = oldestOf(2, Date.now());
	if (before > latest)
		throw new Error(
			`--before ${before} is too late: at the latest ${latest}, so that yesterday and today stay, whose events still come.`,
		);
}

function printResult(result: RetentionResult, dryRun: boolean): void {
	if (result.elsewhere) {
		console.log(
			"Retention is being run by another process; nothing was done here.",
		);
		return;
	}
	const verb = dryRun ? "Would drop" : "Dropped";
	for (const { day, decisions, outcomes, signals, waiting } of result.dropped)
		console.log(
			`${verb} ${day}: ${decisions} decisions, ${outcomes} outcomes, ${signals} events of no decision, ${waiting} that waited for a decision.`,
		);
	if (result.dropped.length === 0)
		console.log(`Nothing ${dryRun ? "would be" : "was"} dropped.`);
	else if (!dryRun)
		console.log(
			"Their sums stay, added up into one row per arm, bucket and chunk; replay begins from them.",
		);
	for (const { day, why, differences } of result.kept) {
		console.log(`KEPT: ${day}: ${why}.`);
		for (const { experiment, version, arm, bucket, what } of differences)
			console.log(
				`DIFFERENT: ${experiment} version ${version}, arm ${arm}, bucket ${bucket}: ${what}`,
			);
	}
	const { requests, deadLetters, revisions } = result.swept;
	if (requests + deadLetters + revisions > 0)
		console.log(
			`Also deleted from before: ${requests} kept answers, ${deadLetters} dead letters, ${revisions} entries of the revision log.`,
		);
}
