import { type BookingChanges, epochOf, runKeyOf } from "#core/booking";

/** Rollups as one list of whole numbers each, by what they are of. */
export function countsOf({
	sums,
	hours,
	draws,
	degraded,
}: Pick<BookingChanges, "sums" | "hours" | "draws" | "degraded">): ReadonlyMap<
	string,
	readonly bigint[]
> {
	const counts = new Map<string, readonly bigint[]>();
	for (const { slice, side, units, moments, covariate, ...key } of sums) {
		const name = `sums ${epochOf(key)} ${side} ${slice}`;
		counts.set(name, [BigInt(units), ...moments]);
		if (covariate.length > 0) counts.set(`${name} covariate`, covariate);
	}
	for (const one of hours)
		counts.set(
			`hour ${epochOf(one)} ${one.hour} ${one.group} ${one.arm}`,
			[one.decisions, one.shown, one.learned, one.reward].map(BigInt),
		);
	for (const one of draws)
		counts.set(
			`draws ${epochOf(one)} ${one.group} ${one.arm}`,
			[one.eligible, one.drawn, one.expected, one.variance].map(BigInt),
		);
	for (const one of degraded)
		counts.set(`degraded ${runKeyOf(one)} ${one.part}`, [
			BigInt(one.decisions),
		]);
	return counts;
}
