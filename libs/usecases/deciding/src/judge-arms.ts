import {
	type Definition,
	type JsonObject,
	nearestKey,
	type Problem,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import type { CompiledDefinition } from "./compiled-definition.js";

/** Arms whose reason the problem lists, and those its sentence names. */
const MOST_PROBLEMS = 100;
const MOST_NAMED = 20;
/** Characters of a reason, in a problem and in the log; a feature's name always fits. */
const LONGEST_REASON = 300;
const LONGEST_LOGGED = 100;

export interface JudgedArms {
	/** Indexes into the definition's arms, ascending; never empty. */
	readonly eligible: readonly number[];
	/** Their keys. */
	readonly keys: readonly string[];
	/** Reason per excluded arm key. */
	readonly excluded: Readonly<Record<string, string>>;
}

/**
 * The arms that may be chosen in this context, of those the request allows.
 * Throws `invalid` for a requested arm the experiment does not have, `no-eligible-arm` naming each rule when none is left.
 */
export function judgeArms(
	{ experiment }: Definition,
	{ armKeys, eligibility }: CompiledDefinition,
	context: JsonObject,
	requested: readonly string[] | undefined,
): JudgedArms {
	if (requested !== undefined) refuseUnknown(requested, armKeys);
	const { eligible, excluded } = eligibility.judge(context, requested);
	if (eligible.length === 0) throw allRuledOut(experiment.key, excluded);
	const keys =
		eligible.length === armKeys.length
			? armKeys
			: eligible.map((index) => armKeys[index]!);
	return { eligible, keys, excluded };
}

function allRuledOut(
	experiment: string,
	excluded: Readonly<Record<string, string>>,
): Error {
	const arms = Object.entries(excluded);
	const problems = arms
		.slice(0, MOST_PROBLEMS)
		.map(([arm, reason]) => ({ path: `arms.${arm}`, message: cut(reason) }));
	const reasons = arms
		.slice(0, MOST_NAMED)
		.map(([arm, reason]) => `${arm} (${cut(reason)})`);
	if (arms.length > MOST_NAMED)
		reasons.push(`and ${arms.length - MOST_NAMED} more`);
	return fail(
		"no-eligible-arm",
		`No arm of ${experiment} is eligible here: ${reasons.join(", ")}.`,
		problems,
	);
}

function cut(reason: string): string {
	return reason.length <= LONGEST_REASON
		? reason
		: `${reason.slice(0, LONGEST_REASON - 1)}…`;
}

/** Reasons as a log row keeps them: the definition row it names has the text of every rule. */
export function loggedReasons(
	excluded: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
	for (const _ in excluded)
		return Object.fromEntries(
			Object.entries(excluded).map(([arm, reason]) => [arm, inShort(reason)]),
		);
	return excluded;
}

function inShort(reason: string): string {
	if (reason.startsWith("rule: ")) return "rule";
	return reason.length <= LONGEST_LOGGED
		? reason
		: `${reason.slice(0, LONGEST_LOGGED - 1)}…`;
}

function refuseUnknown(
	requested: readonly string[],
	known: readonly string[],
): void {
	const names = new Set(known);
	const problems = requested.flatMap((arm, index): Problem[] => {
		if (names.has(arm)) return [];
		const near = nearestKey(arm, known);
		const hint =
			near === null
				? `The arms are ${known.slice(0, 20).join(", ")}.`
				: `Did you mean "${near}"?`;
		return [
			{
				path: `eligible[${index}]`,
				message: `The experiment has no arm "${arm}". ${hint}`,
			},
		];
	});
	if (problems[0] !== undefined)
		throw fail(
			"invalid",
			`${problems[0].path}: ${problems[0].message}`,
			problems,
		);
}
