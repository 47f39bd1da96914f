import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type PrivacyPolicy, parsePrivacy } from "#core/privacy";

export type ReadPrivacy =
	| { readonly ok: true; readonly policy: PrivacyPolicy }
	| { readonly ok: false; readonly problems: readonly string[] };

const MOST_FILES = 500;

/** The policy that all *.yaml files of a folder make together, or a sentence for each thing that is wrong. */
export async function readPrivacy(folder: string): Promise<ReadPrivacy> {
	const read = await readFolder(folder);
	if (typeof read === "string") return { ok: false, problems: [read] };
	const parsed = parsePrivacy(read);
	if (parsed.ok) return { ok: true, policy: parsed.value };
	return {
		ok: false,
		problems: parsed.problems.map(({ path, message }) =>
			path.startsWith("default")
				? `${folder}: ${message}`
				: `${folder}/${path}: ${message}`,
		),
	};
}

async function readFolder(folder: string) {
	const wanted = "set SEGUE_PRIVACY to a folder with *.yaml files";
	try {
		const names = (await readdir(folder))
			.filter((name) => /\.ya?ml$/.test(name))
			.sort();
		if (names.length === 0) return `${folder} has no privacy files: ${wanted}.`;
		if (names.length > MOST_FILES)
			return `${folder} has ${names.length} privacy files; at most ${MOST_FILES} are read.`;
		return await Promise.all(
			names.map(async (name) => ({
				name,
				text: await readFile(join(folder, name), "utf8"),
			})),
		);
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return `The privacy files in ${folder} cannot be read (${code ?? message}): ${wanted}.`;
	}
}
