import type { Arm, JsonObject } from "./experiment.js";
import { type CompiledRule, compileRule } from "./rule.js";

export interface Eligibility {
	/**
	 * @param context declared values after consent
	 * @param restrictTo arm keys the request allows; absent: all
	 * @returns indexes of the arms that may be chosen, ascending, and why each other one may not:
	 * `paused`, `retired`, `not requested`, `rule: TEXT` (false), `missing: NAME`, `rule error: …`
	 */
	judge(
		context: JsonObject,
		restrictTo?: readonly string[],
	): { readonly eligible: number[]; readonly excluded: Record<string, string> };
}

/** Parses the rules of all arms once. A rule that does not parse (definitions are checked on entry) excludes its arm. */
export function compileEligibility(arms: readonly Arm[]): Eligibility {
	const compiled = arms.map((arm) => ({
		key: arm.key,
		state: arm.state ?? null,
		judge: arm.eligible === undefined ? null : judgeOf(arm.eligible),
	}));
	const withRules = compiled.some(
		({ state, judge }) => state !== null || judge !== null,
	);
	return {
		judge(context, restrictTo) {
			if (!withRules && restrictTo === undefined)
				return { eligible: compiled.map((_, index) => index), excluded: {} };
			const requested = restrictTo === undefined ? null : new Set(restrictTo);
			const eligible: number[] = [];
			const excluded: [string, string][] = [];
			compiled.forEach(({ key, state, judge }, index) => {
				const reason =
					state ??
					(requested !== null && !requested.has(key)
						? "not requested"
						: (judge?.(context) ?? null));
				if (reason === null) eligible.push(index);
				else excluded.push([key, reason]);
			});
			const none = excluded.length === 0;
			return { eligible, excluded: none ? {} : Object.fromEntries(excluded) };
		},
	};
}

/** Null: the rule holds; else the reason. */
function judgeOf(text: string): (context: JsonObject) => string | null {
	let rule: CompiledRule;
	try {
		rule = compileRule(text);
	} catch (error) {
		const reason = `rule error: ${summary(error)}`;
		return () => reason;
	}
	return (context) => {
		try {
			const answer = rule(context);
			if (answer === true) return null;
			return answer === false
				? `rule: ${text}`
				: `rule error: gives ${typeof answer}, not true or false`;
		} catch (error) {
			const missing = missingName(error);
			return missing === null || Object.hasOwn(context, missing)
				? `rule error: ${summary(error)}`
				: `missing: ${missing}`;
		}
	};
}

/** CEL reports an absent key in words only. */
function missingName(error: unknown): string | null {
	return /^No such key: ([A-Za-z0-9_]+)$/.exec(summary(error))?.[1] ?? null;
}

/** The sentence without the picture of line and caret. */
function summary(error: unknown): string {
	return (
		(error instanceof Error ? error.message : String(error)).split(
			"\n",
			1,
		)[0] ?? ""
	);
}
