import { Command, InvalidArgumentError } from "commander";
import { type Goal, isKept } from "./goals.js";
import { commitName, machineLine } from "./machine.js";
import type { RatioRow } from "./ratio-row.js";

export interface BenchmarkOptions {
	/** Print JSON only: what people read goes to stderr or nowhere. */
	readonly json: boolean;
}

/** `--json` of a benchmark; its own options are added to `command` before. Unknown arguments end the process with a sentence. */
export function benchmarkOptions<Options extends BenchmarkOptions>(
	command: Command,
): Options {
	return command
		.option("--json", "print the rows as JSON", false)
		.parse()
		.opts<Options>();
}

/** A command named for its npm script. */
export function benchmark(script: string, description: string): Command {
	return new Command(`npm run ${script} --`).description(description);
}

/** Reads an option that is a whole number, `least` or more. */
export const wholeFrom =
	(least: number) =>
	(text: string): number => {
		const value = Number(text);
		if (Number.isSafeInteger(value) && value >= least) return value;
		throw new InvalidArgumentError(`Give a whole number from ${least}.`);
	};

/** The whole result on stdout, as tools read it; `more` is what does not fit into rows. */
export function printJson(
	rows: readonly RatioRow[],
	goals: readonly Goal[],
	more: object = {},
): void {
	const result = {
		rows,
		goals: goals.map((goal) => ({ ...goal, kept: isKept(goal) })),
		...more,
		machine: machineLine(),
		commit: commitName(),
	};
	process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}
