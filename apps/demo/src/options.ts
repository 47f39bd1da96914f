import { parseArgs } from "node:util";

export interface Options {
	/** One JSON object as the last line of stdout; everything for the eye goes to stderr. */
	readonly json: boolean;
	/** Of the simulated listeners. */
	readonly seed: string;
	/** Decisions per experiment at most: a shorter look at the same thing. */
	readonly limit: number;
	readonly help: boolean;
}

export const USAGE = `npm run demo -- [--json] [--seed TEXT] [--limit N]

  --json        print one JSON object as the last line of stdout
  --seed TEXT   of the simulated listeners of mood-playlist (default 2026)
  --limit N     at most N decisions per experiment (default: all)`;

/** The command line's options; throws a sentence about the first that is wrong. */
export function readOptions(args: readonly string[]): Options {
	const { values } = parseArgs({
		args: [...args],
		options: {
			json: { type: "boolean", default: false },
			seed: { type: "string", default: "2026" },
			limit: { type: "string" },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	const limit =
		values.limit === undefined
			? Number.POSITIVE_INFINITY
			: Number(values.limit);
	if (!(limit >= 1))
		throw new Error(
			`--limit ${values.limit} is no number of decisions: give a whole number from 1.`,
		);
	return {
		json: values.json,
		seed: values.seed,
		limit: Math.floor(limit),
		help: values.help,
	};
}
