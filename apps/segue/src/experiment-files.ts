import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
	type Experiment,
	type Parsed,
	parseExperimentYaml,
} from "#core/experiment";

export interface ExperimentFile {
	readonly path: string;
	readonly parsed: Parsed<Experiment>;
}

const MOST_BYTES = 1_048_576;

/** Every `.yaml` and `.yml` named or directly in a folder named, in order of name. Throws a sentence for a path that is neither. */
export async function readExperimentFiles(
	paths: readonly string[],
): Promise<readonly ExperimentFile[]> {
	const files = (await Promise.all(paths.map(expand))).flat();
	if (files.length === 0)
		throw new Error(`There is no .yaml file in ${paths.join(", ")}.`);
	return Promise.all(
		files.map(async (path) => ({
			path,
			parsed: parseExperimentYaml(await readBounded(path)),
		})),
	);
}

async function expand(path: string): Promise<string[]> {
	const found = await stat(path).catch(() => null);
	if (found === null) throw new Error(`There is no file or folder ${path}.`);
	if (!found.isDirectory()) return [path];
	const names = await readdir(path);
	return names
		.filter((name) => /\.ya?ml$/.test(name))
		.sort()
		.map((name) => join(path, name));
}

async function readBounded(path: string): Promise<string> {
	const { size } = await stat(path);
	if (size > MOST_BYTES)
		throw new Error(
			`${path} has ${size} bytes; an experiment has at most ${MOST_BYTES}.`,
		);
	return readFile(path, "utf8");
}
