import type { PrivacyPolicy, Retention } from "./policy.js";

export interface KeptFor {
	/** The shortest of all jurisdictions, milliseconds; null: nobody limits it. */
	readonly ms: number | null;
	/** Whose rule that is. */
	readonly jurisdiction: string | null;
}

/** How long a kind of data whose rows are not told apart by jurisdiction may be kept, ids in it included. */
export function shortestKept(
	{ jurisdictions }: PrivacyPolicy,
	kind: keyof Retention,
): KeptFor {
	let shortest: KeptFor = { ms: null, jurisdiction: null };
	for (const [jurisdiction, { retention }] of jurisdictions) {
		const ms = least(retention[kind], retention.ids);
		if (ms !== null && (shortest.ms === null || ms < shortest.ms))
			shortest = { ms, jurisdiction };
	}
	return shortest;
}

/** How long rows of a kind are kept in each jurisdiction; null: as long as they are wanted. */
export function keptByJurisdiction(
	{ jurisdictions }: PrivacyPolicy,
	kind: keyof Retention,
): ReadonlyMap<string, number | null> {
	return new Map(
		[...jurisdictions].map(([name, { retention }]) => [
			name,
			least(retention[kind], retention.ids),
		]),
	);
}

function least(a: number | null, b: number | null): number | null {
	if (a === null || b === null) return a ?? b;
	return Math.min(a, b);
}
