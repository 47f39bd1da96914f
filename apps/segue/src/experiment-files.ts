import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { readConfig } from "#adapters/config";
import {
	type Experiment,
	type Parsed,
	type Problem,
	parseExperimentYaml,
} from "#core/experiment";
import { type PrivacyPolicy, privacyProblems } from "#core/privacy";
import { openPrivacy } from "../../boot/src/open-privacy.js";

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
	const policy = await privacyPolicy();
	const read = await Promise.all(
		files.map(async (path) => ({
			path,
			parsed: underRules(parseExperimentYaml(await readBounded(path)), policy),
		})),
	);
	return read.map((file, i) => onceOnly(file, read.slice(0, i)));
}

/** Of two files of one experiment neither can be what it is to be. */
function onceOnly(
	file: ExperimentFile,
	before: readonly ExperimentFile[],
): ExperimentFile {
	const { parsed } = file;
	if (!parsed.ok) return file;
	const { key } = parsed.value;
	const other = before.find(
		(one) => one.parsed.ok && one.parsed.value.key === key,
	);
	if (other === undefined) return file;
	const message = `${other.path} has the key "${key}" too: give each experiment one file, or name only the file that is meant.`;
	return {
		...file,
		parsed: { ok: false, problems: [{ path: "key", message }] },
	};
}

/** What the privacy files do not know or allow of an experiment. */
export async function experimentProblems(): Promise<
	(experiment: Experiment) => readonly Problem[]
> {
	const policy = await privacyPolicy();
	return (experiment) => privacyProblems(policy, experiment);
}

async function privacyPolicy(): Promise<PrivacyPolicy> {
	const read = readConfig();
	if (!read.ok) throw new Error(read.problems.join("\n"));
	return (await openPrivacy(read.value)).policy;
}

/** With what the privacy files do not know or allow, as a decider would refuse it. */
function underRules(
	parsed: Parsed<Experiment>,
	policy: PrivacyPolicy,
): Parsed<Experiment> {
	if (!parsed.ok) return parsed;
	const problems = privacyProblems(policy, parsed.value);
	return problems.length === 0 ? parsed : { ok: false, problems };
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
