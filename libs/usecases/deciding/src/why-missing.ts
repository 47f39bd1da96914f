import {
	isPlainObject,
	type JsonObject,
	type JsonValue,
	type ProductFeature,
} from "#core/experiment";
import type { DecisionRow } from "#core/log";

const REASONS = ["absent", "no consent", "over budget", "out of date"] as const;

/**
 * Why a feature has no value. `absent`: nobody gave one of its type. `no consent`: the unit has not allowed it. `over budget`: its
 * profile, or whether it is allowed, was not had in time, the database being slow or away. `out of date`: its live windows did not follow the stream.
 */
export type WhyMissing = (typeof REASONS)[number];

/** By name, of those features that are missing for another reason than that they are absent. */
export type Reasons = { readonly [feature: string]: WhyMissing };

export const ALL_ABSENT: Reasons = Object.freeze({});

export function reasonOf(name: string, reasons: Reasons): WhyMissing {
	return Object.hasOwn(reasons, name)
		? (reasons[name] as WhyMissing)
		: "absent";
}

/** Also of the products: each is missing for the reason of the first of its features that is. */
export function withProducts(
	reasons: Reasons,
	products: readonly ProductFeature[],
	missing: readonly string[],
): Reasons {
	if (reasons === ALL_ABSENT || products.length === 0) return reasons;
	const all: { [feature: string]: WhyMissing } = { ...reasons };
	for (const { name, of } of products) {
		const first = of.find((factor) => missing.includes(factor));
		if (first === undefined) continue;
		const reason = reasonOf(first, reasons);
		if (reason !== "absent") all[name] = reason;
	}
	return all;
}

/** As a row keeps them, beside what else it has no column for, so that a decision derived again says the same. */
export function toExtra(
	reasons: Reasons,
	besides: JsonObject | null = null,
): JsonValue {
	return reasons === ALL_ABSENT ? besides : { ...besides, missing: reasons };
}

export function reasonsOf({ extra }: Pick<DecisionRow, "extra">): Reasons {
	const kept = isPlainObject(extra) ? extra.missing : undefined;
	if (!isPlainObject(kept)) return ALL_ABSENT;
	const known = Object.entries(kept).flatMap(([name, reason]) => {
		const one = REASONS.find((each) => each === reason);
		return one === undefined ? [] : [[name, one] as const];
	});
	return known.length === 0 ? ALL_ABSENT : Object.fromEntries(known);
}

/** Why each feature that a row names as missing was. */
export function whyMissing(
	row: Pick<DecisionRow, "extra" | "missing">,
): Reasons {
	const reasons = reasonsOf(row);
	return Object.fromEntries(
		row.missing.map((name) => [name, reasonOf(name, reasons)]),
	);
}
