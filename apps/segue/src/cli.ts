#!/usr/bin/env node
import { userInfo } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import {
	type ListOptions,
	listDeadLetters,
	type RedriveOptions,
	redriveDeadLetters,
} from "./cli-dead-letters.js";
import {
	applyExperiments,
	planFiles,
	validateFiles,
} from "./cli-experiments.js";
import { explainDecision } from "./cli-explain.js";
import {
	type AuditOptions,
	type RollbackOptions,
	rollBack,
	showAudit,
} from "./cli-history.js";
import { recountBookings, replay, replayDecisions } from "./cli-replay.js";
import { runRetention } from "./cli-retention.js";
import { eraseUnits } from "./cli-units.js";

/** The command line: each command ends with exit code 0 where it holds, 1 where it does not, 2 where it could not be told. */
const program = new Command("segue").description(
	"Contextual bandit decisions. Finds the instance by DATABASE_URL, else by the runtime file in SEGUE_DATA.",
);

const experiments = program
	.command("experiments")
	.description("experiments as files");
experiments
	.command("validate")
	.description(
		"checks files and folders of YAML, naming every mistake with its place",
	)
	.argument("<paths...>", "YAML files, or folders of them")
	.action(async (paths: string[]) => end(await validateFiles(paths)));
experiments
	.command("plan")
	.description(
		"says in words what apply would change, whether it starts a new version and why, and what the planned size can find",
	)
	.argument("<paths...>", "YAML files, or folders of them")
	.action(async (paths: string[]) => end(await planFiles(paths)));
experiments
	.command("apply")
	.description(
		"makes the instance's experiments what the files say; others are left alone",
	)
	.argument("<paths...>", "YAML files, or folders of them")
	.option(
		"--start",
		"start those that are drafts; what is paused a person resumes",
	)
	.option("--why <reason>", "for the audit", "")
	.option("--actor <name>", "who does it, for the audit", whoeverRuns())
	.action(
		async (
			paths: string[],
			options: { start?: boolean; why: string; actor: string },
		) => end(await applyExperiments(paths, options)),
	);
experiments
	.command("audit")
	.description(
		"says who changed an experiment, when, what and why, newest first",
	)
	.argument("<key>", "the experiment's")
	.option("--limit <n>", "at most so many, up to 100", atMostHundred, 20)
	.option("--before <id>", "only what is older than this entry", wholeNumber)
	.option("--json", "print one JSON object: {experiment, entries, before}")
	.action(async (key: string, options: AuditOptions) =>
		end(await showAudit(key, options)),
	);
experiments
	.command("rollback")
	.description(
		"makes a former definition the current one again; its state stays, and a former version goes on with what it has learned",
	)
	.argument("<key>", "the experiment's")
	.option(
		"--to-version <n>",
		"to a version, as it was when the next one began",
		wholeNumber,
	)
	.option("--to-definition <id>", "to one entry of the audit", wholeNumber)
	.option("--why <reason>", "for the audit", "")
	.option("--actor <name>", "who does it, for the audit", whoeverRuns())
	.action(async (key: string, options: RollbackOptions) =>
		end(await rollBack(key, options)),
	);

program
	.command("replay")
	.description(
		"folds the log from nothing and compares it with the stored sums bit for bit; with --decisions, makes logged decisions again and compares them with the log; with --bookings, counts the log again and compares it with the rollups of reports",
	)
	.option(
		"--json",
		"print one JSON object: {equal, decisions, outcomes, differences}, with --decisions {decisions, equal, different, differing, skipped}, with --bookings {equal, experiments}",
	)
	.option("--experiment <key>", "only this one")
	.option(
		"--decisions [n]",
		"so many, drawn evenly from the log; all where no number is given",
		wholeNumber,
	)
	.option("--seed <n>", "with --decisions: draws others", wholeNumber)
	.option(
		"--bookings",
		"counts the log again and compares it with the rollups that reports are made of",
	)
	.action(async ({ decisions, bookings, ...options }: ReplayOptions) => {
		if (bookings) return end(await recountBookings(options));
		end(
			decisions === undefined
				? await replay(options)
				: await replayDecisions(
						decisions === true ? options : { ...options, decisions },
					),
		);
	});

program
	.command("explain")
	.description(
		"says why a logged decision came out as it did, deriving it again from the log",
	)
	.argument("<decisionId>", "as the answer to the decision request named it")
	.option("--json", "print one JSON object: {explanation, rederived}")
	.action(async (id: string, options: { json?: boolean }) =>
		end(await explainDecision(id, options)),
	);

const deadLetters = program
	.command("dead-letters")
	.description("items of the stream that could not be taken");
deadLetters
	.command("list")
	.description("shows them, newest first, with their reason and payload")
	.option("--reason <r>", "only those whose reason is or begins with this")
	.option("--since <d>", "a duration such as 2h or 7d, or an instant")
	.option("--limit <n>", "at most so many", wholeNumber, 20)
	.option("--json", "print one JSON object: {letters}")
	.action(async (options: ListOptions) => end(await listDeadLetters(options)));
deadLetters
	.command("redrive")
	.description(
		"publishes them again as they came, to be judged anew, and marks them; what is refused again becomes a new dead letter",
	)
	.option("--id <n...>", "these", (text: string, ids: number[] = []) => [
		...ids,
		wholeNumber(text),
	])
	.option("--reason <r>", "those whose reason is or begins with this")
	.option("--all", "every one")
	.option("--again", "also those that were published again before")
	.option(
		"--json",
		"print one JSON object: {redriven, refused, skipped, stopped}",
	)
	.action(async (options: RedriveOptions) =>
		end(await redriveDeadLetters(options)),
	);

program
	.command("units")
	.description("units: whom decisions are made for")
	.command("erase")
	.description(
		"erases units exactly: their rows are deleted and their share is taken out of every sum",
	)
	.requiredOption("--file <path>", "one unit a line; - for standard input")
	.option("--json", "print the receipt as one JSON object")
	.action(async (options: { file: string; json?: boolean }) =>
		end(await eraseUnits(options)),
	);

program
	.command("retention")
	.description("how long the log is kept")
	.command("run")
	.description(
		"drops whole days of the log after a last replay of each; their sums stay",
	)
	.option(
		"--before <day>",
		"days before this UTC day, such as 2026-01-05; else what SEGUE_LOG_DAYS does not keep",
	)
	.option("--dry-run", "only say what would go")
	.option(
		"--json",
		"print one JSON object: {before, dropped, kept, revisions, swept, elsewhere}",
	)
	.action(
		async (options: { before?: string; dryRun?: boolean; json?: boolean }) =>
			end(await runRetention(options)),
	);

interface ReplayOptions {
	readonly json?: boolean;
	readonly experiment?: string;
	/** True where no number was given. */
	readonly decisions?: number | true;
	readonly seed?: number;
	readonly bookings?: boolean;
}

/** The account of whoever runs it; an image may have none for its user. */
function whoeverRuns(): string {
	try {
		return `${userInfo().username} (command line)`;
	} catch {
		return "segue command line";
	}
}

function wholeNumber(text: string): number {
	const value = Number(text);
	if (!/^\d{1,15}$/.test(text) || value < 1)
		throw new InvalidArgumentError("It must be a whole number from 1 on.");
	return value;
}

function atMostHundred(text: string): number {
	const value = wholeNumber(text);
	if (value > 100) throw new InvalidArgumentError("It must be at most 100.");
	return value;
}

function end(code: number): void {
	process.exitCode = code;
}

program.parseAsync().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : String(error));
	// A broker that did not answer would be tried for ever.
	process.exit(2);
});
