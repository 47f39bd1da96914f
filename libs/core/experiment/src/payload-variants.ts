import type { Arm, JsonObject } from "./experiment.js";
import { compileRule } from "./rule.js";

type Holds = (context: JsonObject) => boolean;

export interface PayloadVariants {
	/**
	 * Place, among the arm's variants, of the first whose rule holds; null where the arm's own payload goes out.
	 * @param arm place in the definition
	 * @param context declared values after consent
	 */
	variantOf(arm: number, context: JsonObject): number | null;
}

/** Parses the rules of all variants once; null where no arm has any. */
export function compileVariants(arms: readonly Arm[]): PayloadVariants | null {
	if (arms.every(({ payloads }) => payloads === undefined)) return null;
	const rules = arms.map(({ payloads = [] }) =>
		payloads.map(({ when }) => compileHolds(when)),
	);
	return {
		variantOf(arm, context) {
			const variants = rules[arm] ?? [];
			const place = variants.findIndex((holds) => holds(context));
			return place < 0 ? null : place;
		},
	};
}

/** A rule that reads what is missing says nothing, so it does not hold; nor does one that does not parse (they are checked on entry). */
function compileHolds(text: string): Holds {
	try {
		const rule = compileRule(text);
		return (context) => {
			try {
				return rule(context) === true;
			} catch {
				return false;
			}
		};
	} catch {
		return () => false;
	}
}
