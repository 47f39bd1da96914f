#!/usr/bin/env node
import { Command } from "commander";
import {
	applyExperiments,
	planFiles,
	validateFiles,
} from "./cli-experiments.js";
import { replay } from "./cli-replay.js";

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
		"says in words what apply would change, and whether it starts a new version and why",
	)
	.argument("<paths...>", "YAML files, or folders of them")
	.action(async (paths: string[]) => end(await planFiles(paths)));
experiments
	.command("apply")
	.description(
		"makes the instance's experiments what the files say; others are left alone",
	)
	.argument("<paths...>", "YAML files, or folders of them")
	.option("--start", "start those that are drafts or paused")
	.option("--why <reason>", "for the audit", "")
	.option("--actor <name>", "for the audit", "segue command line")
	.action(
		async (
			paths: string[],
			options: { start?: boolean; why: string; actor: string },
		) => end(await applyExperiments(paths, options)),
	);

program
	.command("replay")
	.description(
		"folds the log from nothing and compares it with the stored sums bit for bit",
	)
	.option(
		"--json",
		"print one JSON object: {equal, decisions, outcomes, differences}",
	)
	.option("--experiment <key>", "only this one")
	.action(async (options: { json?: boolean; experiment?: string }) =>
		end(await replay(options)),
	);

function end(code: number): void {
	process.exitCode = code;
}

program.parseAsync().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : String(error));
	process.exitCode = 2;
});
