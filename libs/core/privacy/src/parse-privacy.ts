import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import {
	canonicalJson,
	deepFreeze,
	nearestKey,
	type Parsed,
	type Problem,
	parseDuration,
	readYaml,
	schemaProblems,
} from "#core/experiment";
import {
	BESIDE_PURPOSES,
	type Jurisdiction,
	type PrivacyPolicy,
} from "./policy.js";
import {
	type JurisdictionDocument,
	type PrivacyFile,
	privacyFileSchema,
} from "./privacy-document.js";

export interface NamedText {
	/** Of the file, as problems name it. */
	readonly name: string;
	readonly text: string;
}

/** In a list of purposes: every one. */
const ALL = "all";
const RESERVED: readonly string[] = [ALL, ...BESIDE_PURPOSES];
const DAY_MS = 86_400_000;
/** Events of yesterday's decisions still come. */
const LEAST_LOG_MS = 2 * DAY_MS;
const VERSION_LENGTH = 16;

interface Gathered {
	readonly purposes: Map<string, { file: string; says: string }>;
	readonly jurisdictions: Map<
		string,
		{ file: string; says: JurisdictionDocument }
	>;
	defaults: { file: string; says: string }[];
}

/** Privacy files → one policy, or every problem of every file, each path beginning with the file's name. */
export function parsePrivacy(
	files: readonly NamedText[],
): Parsed<PrivacyPolicy> {
	const problems: Problem[] = [];
	const gathered: Gathered = {
		purposes: new Map(),
		jurisdictions: new Map(),
		defaults: [],
	};
	for (const file of files) {
		const read = readYaml(file.text);
		const found = read.ok
			? schemaProblems(privacyFileSchema, read.value ?? {})
			: read.problems;
		problems.push(...inFile(file.name, found));
		if (read.ok && found.length === 0)
			problems.push(
				...gather(file.name, (read.value ?? {}) as PrivacyFile, gathered),
			);
	}
	problems.push(...together(gathered));
	if (problems.length > 0) return { ok: false, problems };
	return { ok: true, value: toPolicy(gathered), warnings: [] };
}

function inFile(name: string, problems: readonly Problem[]): Problem[] {
	return problems.map(({ path, message }) => ({
		path: path === "" ? name : `${name}: ${path}`,
		message,
	}));
}

function gather(file: string, read: PrivacyFile, into: Gathered): Problem[] {
	const problems: Problem[] = [];
	const twice = (path: string, other: string) =>
		problems.push({
			path: `${file}: ${path}`,
			message: `${other} has it too: write it once.`,
		});
	for (const [name, says] of Object.entries(read.purposes ?? {})) {
		const known = into.purposes.get(name);
		if (known !== undefined) twice(`purposes.${name}`, known.file);
		else if (RESERVED.includes(name))
			problems.push({
				path: `${file}: purposes.${name}`,
				message: `A purpose cannot be called ${name}: that word means something else here. Use another name.`,
			});
		else into.purposes.set(name, { file, says });
	}
	for (const [name, says] of Object.entries(read.jurisdictions ?? {})) {
		const known = into.jurisdictions.get(name);
		if (known !== undefined) twice(`jurisdictions.${name}`, known.file);
		else into.jurisdictions.set(name, { file, says });
	}
	if (read.default !== undefined) {
		const [known] = into.defaults;
		if (known !== undefined) twice("default", known.file);
		else into.defaults = [{ file, says: read.default }];
	}
	return problems;
}

/** What only all files together tell. */
function together({ purposes, jurisdictions, defaults }: Gathered): Problem[] {
	const problems: Problem[] = [];
	const [chosen] = defaults;
	if (chosen === undefined)
		problems.push({
			path: "default",
			message:
				"No file names the default jurisdiction: write `default: NAME` in one, the strictest for choice.",
		});
	else if (!jurisdictions.has(chosen.says))
		problems.push({
			path: `${chosen.file}: default`,
			message: unknown(
				"jurisdiction",
				chosen.says,
				[...jurisdictions.keys()],
				"jurisdictions",
			),
		});
	const known = [...purposes.keys()];
	for (const [name, { file, says }] of jurisdictions) {
		const at = `${file}: jurisdictions.${name}`;
		const lists = {
			optIn: says.optIn,
			"forbidden.purposes": says.forbidden?.purposes ?? [],
			"age.purposes": says.age?.purposes ?? [],
		};
		for (const [path, list] of Object.entries(lists))
			list.forEach((purpose, i) => {
				if (purpose !== ALL && !purposes.has(purpose))
					problems.push({
						path: `${at}.${path}[${i}]`,
						message: unknown("purpose", purpose, known, "purposes"),
					});
			});
		for (const kind of ["log", "ids"] as const)
			if ((spanOf(says.retention?.[kind]) ?? LEAST_LOG_MS) < LEAST_LOG_MS)
				problems.push({
					path: `${at}.retention.${kind}`,
					message:
						"Must be at least 2d: events of yesterday's decisions still come.",
				});
	}
	return problems;
}

function unknown(
	what: string,
	name: string,
	known: readonly string[],
	where: string,
): string {
	const near = nearestKey(name, known);
	const shown = JSON.stringify(name.slice(0, 64));
	if (near !== null)
		return `No file declares the ${what} ${shown}: did you mean ${JSON.stringify(near)}?`;
	return known.length === 0
		? `No file declares the ${what} ${shown}: declare it under ${where}.`
		: `No file declares the ${what} ${shown}. Declared are ${known.slice(0, 20).join(", ")}.`;
}

function toPolicy({
	purposes,
	jurisdictions,
	defaults,
}: Gathered): PrivacyPolicy {
	const names = [...purposes.keys()];
	const content = {
		purposes: Object.fromEntries(
			[...purposes].map(([name, { says }]) => [name, says]),
		),
		default: defaults[0]?.says,
		jurisdictions: Object.fromEntries(
			[...jurisdictions].map(([name, { says }]) => [name, says]),
		),
	};
	return Object.freeze({
		version: bytesToHex(sha256(utf8ToBytes(canonicalJson(content)))).slice(
			0,
			VERSION_LENGTH,
		),
		purposes: new Map([...purposes].map(([name, { says }]) => [name, says])),
		defaultJurisdiction: defaults[0]?.says ?? "",
		jurisdictions: new Map(
			[...jurisdictions].map(([name, { says }]) => [
				name,
				toJurisdiction(says, names),
			]),
		),
	});
}

function toJurisdiction(
	{ optIn, forbidden, age, retention }: JurisdictionDocument,
	all: readonly string[],
): Jurisdiction {
	const named = (list: readonly string[]) =>
		new Set(list.includes(ALL) ? all : list);
	return deepFreeze({
		optIn: named(optIn),
		forbidden: {
			purposes: named(forbidden?.purposes ?? []),
			features: new Set(forbidden?.features ?? []),
		},
		age:
			age === undefined
				? null
				: {
						minimum: age.minimum,
						purposes: named(age.purposes ?? [ALL]),
						refuseUnknown: age.unknown !== "allowed",
					},
		retention: {
			log: spanOf(retention?.log),
			profile: spanOf(retention?.profile),
			consent: spanOf(retention?.consent),
			windows: spanOf(retention?.windows),
			ids: spanOf(retention?.ids),
		},
	});
}

function spanOf(text: string | undefined): number | null {
	return text === undefined ? null : parseDuration(text);
}
