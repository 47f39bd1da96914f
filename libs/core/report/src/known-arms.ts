import type { BookedCounts } from "#core/booking";

/** The arms of the definition in its order, then those that only the log knows. */
export function knownArms(
	declared: readonly string[],
	{ hours, scores }: Pick<BookedCounts, "hours" | "scores">,
): readonly string[] {
	const logged = new Set(scores.keys());
	for (const { arm } of hours) logged.add(arm);
	return [...new Set([...declared, ...[...logged].sort()])];
}
