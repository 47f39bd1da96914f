import type { Definition } from "#core/experiment";
import { type DecisionRow, timeOfId } from "#core/log";
import type { CompiledDefinition } from "./compiled-definition.js";

/** What a decider may have had to do without for reasons that no row tells. */
const NOT_DERIVED: ReadonlySet<string> = new Set([
	"consent",
	"live",
	"posterior",
	"profile",
	"retry",
	"sticky",
	"stream",
]);
/** Sentences about entries of one list. */
const MOST_OF_A_LIST = 5;

/** Where a row made again is not what was logged, in sentences. Numbers are compared by their bits. */
export function differencesOf(
	logged: DecisionRow,
	again: DecisionRow,
	definition: Definition,
	{ encoder, armKeys }: CompiledDefinition,
): readonly string[] {
	const names = again.eligible.map((index) => armKeys[index]!);
	const bucket = Math.floor(timeOfId(logged.id) / definition.bucketMs);
	return [
		...ofNumbers("x", logged.x, again.x, encoder.names),
		...ofText(
			"the missing features",
			list(logged.missing),
			list(again.missing),
		),
		...ofText(
			"the eligible arms",
			list(logged.eligible.map((index) => armKeys[index] ?? `#${index}`)),
			list(names),
		),
		...ofReasons(logged.excluded, again.excluded),
		...ofNumbers("the mean", logged.means, again.means, names),
		...ofNumbers(
			"the policy's propensity",
			logged.policyPropensities ?? logged.propensities,
			again.policyPropensities ?? again.propensities,
			names,
		),
		...ofText("the group", logged.group, again.group),
		...ofText("the distribution", logged.distribution, again.distribution),
		...ofNumbers(
			"the propensity",
			logged.propensities,
			again.propensities,
			names,
		),
		...ofText("the arm", logged.arm, again.arm),
		...ofNumber("the arm's propensity", logged.propensity, again.propensity),
		...ofText(
			"what it did without",
			list(logged.degraded.filter((part) => !NOT_DERIVED.has(part))),
			list(again.degraded),
		),
		...ofNumber("the reference bucket", logged.referenceBucket, bucket),
	];
}

const list = (names: readonly string[]): string =>
	names.length === 0 ? "none" : names.join(", ");

function ofText(what: string, logged: string, again: string): string[] {
	return logged === again
		? []
		: [`${capital(what)}: ${logged} was logged, ${again} is derived.`];
}

function ofNumber(what: string, logged: number, again: number): string[] {
	return Object.is(logged, again)
		? []
		: [`${capital(what)}: ${logged} was logged, ${again} is derived.`];
}

function ofNumbers(
	what: string,
	logged: Float64Array,
	again: Float64Array,
	names: readonly string[],
): string[] {
	if (logged.length !== again.length)
		return ofNumber(`the length of ${what}`, logged.length, again.length);
	const all = names.flatMap((name, i) =>
		ofNumber(`${what} of ${name}`, logged[i]!, again[i]!),
	);
	return bounded(all);
}

function ofReasons(
	logged: DecisionRow["excluded"],
	again: DecisionRow["excluded"],
): string[] {
	const arms = new Set([...Object.keys(logged), ...Object.keys(again)]);
	return bounded(
		[...arms].flatMap((arm) =>
			ofText(
				`why ${arm} was excluded`,
				logged[arm] ?? "nothing",
				again[arm] ?? "nothing",
			),
		),
	);
}

function bounded(sentences: string[]): string[] {
	if (sentences.length <= MOST_OF_A_LIST) return sentences;
	const more = sentences.length - MOST_OF_A_LIST;
	return [
		...sentences.slice(0, MOST_OF_A_LIST),
		`And ${more} more of this kind.`,
	];
}

const capital = (text: string): string =>
	`${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
