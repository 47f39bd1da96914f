/** Whether the fault suite runs as `npm run test:faults` runs it, or in the short form of `npm test`. */
export const LONG = process.env.SEGUE_FAULTS === "long";

/** The one of the two that this form of the suite takes. */
export function inForm<T>(forms: { readonly short: T; readonly long: T }): T {
	return LONG ? forms.long : forms.short;
}

/** The seed of a test's faults: the one of SEED, else a fresh one; said, so that it can be replayed. */
export function seedOf(what: string): number {
	const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
	const form = LONG ? " SEGUE_FAULTS=long" : "";
	console.log(`${what}: replayed by SEED=${seed}${form}`);
	return seed;
}
