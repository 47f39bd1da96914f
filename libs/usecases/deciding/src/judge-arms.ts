import {
	type Definition,
	type JsonObject,
	nearestKey,
	type Problem,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import type { CompiledDefinition } from "./compiled-definition.js";

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
	if (eligible.length === 0) {
		const problems = Object.entries(excluded).map(([arm, message]) => ({
			path: `arms.${arm}`,
			message,
		}));
		const reasons = problems
			.slice(0, 20)
			.map(({ path, message }) => `${path.slice("arms.".length)} (${message})`);
		throw fail(
			"no-eligible-arm",
			`No arm of ${experiment.key} is eligible here: ${reasons.join(", ")}.`,
			problems,
		);
	}
	return { eligible, keys: eligible.map((index) => armKeys[index]!), excluded };
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
